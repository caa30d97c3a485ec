//! A CRL that breaks each lint and nothing else, beside the sound ones that break none.

use alloc::vec::Vec;

use super::*;
use crate::lint;

/// A CRL in pieces.
#[derive(Clone)]
pub(super) struct ListParts {
    version: Vec<u8>,
    algorithm: Vec<u8>,
    outer_algorithm: Vec<u8>,
    issuer: Vec<u8>,
    updates: [Vec<u8>; 2],
    /// `None` for no list at all.
    entries: Option<Vec<Vec<u8>>>,
    extensions: Vec<(&'static str, Option<bool>, Vec<u8>)>,
    signature: Vec<u8>,
}

const NUMBER: &str = "2.5.29.20";
const REASON: &str = "2.5.29.21";
const DELTA: &str = "2.5.29.27";
const ISSUING_POINT: &str = "2.5.29.28";

fn entry(serial: &[u8], date: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = if extensions.is_empty() { Vec::new() } else { list(extensions) };
    sequence(&[&der(tlv::INTEGER, &[serial]), &der(tlv::UTC_TIME, &[date]), &extensions])
}

fn reason(code: u8) -> Vec<u8> {
    extension(REASON, None, &[10, 1, code])
}

pub(super) fn revocations() -> ListParts {
    let algorithm = sequence(&[&oid(ECDSA_SHA256)]);
    ListParts {
        version: alloc::vec![2, 1, 1],
        outer_algorithm: algorithm.clone(),
        algorithm,
        issuer: name(&[(CN, tlv::UTF8_STRING, "Test CA")]),
        updates: [der(tlv::UTC_TIME, &[b"261124000000Z"]), der(tlv::UTC_TIME, &[b"261127000000Z"])],
        entries: Some(alloc::vec![
            entry(&[5], b"261123000000Z", &[]),
            entry(&[6], b"261123000001Z", &[reason(1)]),
        ]),
        extensions: alloc::vec![
            (AKI, None, sequence(&[&der(0x80, &[&[2; 20]])])),
            (NUMBER, None, alloc::vec![2, 1, 7]),
        ],
        signature: ecdsa_signature(),
    }
}

impl ListParts {
    pub(super) fn der(&self) -> Vec<u8> {
        let extensions: Vec<Vec<u8>> =
            self.extensions.iter().map(|(id, critical, value)| extension(id, *critical, value)).collect();
        let entries = self.entries.as_ref().map(|entries| list(entries)).unwrap_or_default();
        let tbs = sequence(&[
            &self.version,
            &self.algorithm,
            &self.issuer,
            &self.updates.concat(),
            &entries,
            &der(0xa0, &[&list(&extensions)]),
        ]);
        let signature = der(tlv::BIT_STRING, &[&[0], &self.signature]);
        sequence(&[&tbs, &self.outer_algorithm, &signature])
    }

    fn only_entry(&mut self, entry: Vec<u8>) {
        self.entries = Some(alloc::vec![entry]);
    }
}

/// A name, and a change.
pub(super) type Row = (&'static str, fn(&mut ListParts));

const SOUND_LISTS: &[Row] = &[
    ("a full list", |_| {}),
    ("nothing revoked", |l| l.entries = None),
    ("a delta that removes", |l| {
        l.extensions.push((DELTA, Some(true), alloc::vec![2, 1, 6]));
        l.only_entry(entry(&[5], b"261123000000Z", &[reason(8)]));
    }),
    ("a shard", |l| {
        let names = der(0xa0, &[&der(0xa0, &[&uri("http://crl.example.com/1")])]);
        l.extensions.push((ISSUING_POINT, Some(true), sequence(&[&names])));
    }),
    ("a number of 20 octets", |l| l.extensions[1].2 = der(tlv::INTEGER, &[&[0x7f; 20]])),
];

pub(super) const BROKEN_LISTS: &[Row] = &[
    ("der.strict", |l| l.issuer = Vec::new()),
    ("der.strict", |l| l.only_entry(alloc::vec![5, 0])),
    ("signature.same-algorithm", |l| l.outer_algorithm = sequence(&[&oid("1.2.840.10045.4.3.3")])),
    ("signature.form", |l| l.signature = alloc::vec![1]),
    ("signature.parameters", |l| {
        l.algorithm = sequence(&[&oid(ECDSA_SHA256), &[5, 0]]);
        l.outer_algorithm = l.algorithm.clone();
    }),
    ("signature.digest", |l| {
        l.algorithm = sequence(&[&oid("1.2.840.10045.4.1")]);
        l.outer_algorithm = l.algorithm.clone();
    }),
    ("crl.version", |l| l.version = alloc::vec![2, 1, 0]),
    ("crl.version", |l| l.version = Vec::new()),
    ("issuer.present", |l| l.issuer = sequence(&[])),
    ("crl.next-update", |l| l.updates[1] = Vec::new()),
    ("validity.encoding", |l| l.updates[1] = der(tlv::GENERALIZED_TIME, &[b"20271127000000Z"])),
    ("validity.form", |l| l.updates[1] = der(tlv::UTC_TIME, &[b"2611270000Z"])),
    ("validity.order", |l| l.updates.reverse()),
    ("validity.order", |l| l.updates[1] = l.updates[0].clone()),
    ("crl.entries", |l| l.entries = Some(Vec::new())),
    ("extension.once", |l| l.extensions.push((NUMBER, None, alloc::vec![2, 1, 7]))),
    ("extension.unknown-critical", |l| l.extensions.push(("1.2.3.4", Some(true), alloc::vec![5, 0]))),
    ("authority-key-identifier.present", |l| drop(l.extensions.remove(0))),
    ("crl.number", |l| drop(l.extensions.remove(1))),
    ("crl.number", |l| l.extensions[1].2 = alloc::vec![2, 1, 0x87]),
    ("crl.number", |l| l.extensions[1].2 = der(tlv::INTEGER, &[&[0x7f; 21]])),
    ("crl.partial-critical", |l| l.extensions.push((DELTA, None, alloc::vec![2, 1, 6]))),
    ("crl.delta-base", |l| l.extensions.push((DELTA, Some(true), alloc::vec![2, 1, 7]))),
    ("crl.delta-base", |l| l.extensions.push((DELTA, Some(true), alloc::vec![2, 2, 1, 0]))),
    ("crl.distribution-point", |l| l.extensions.push((ISSUING_POINT, Some(true), sequence(&[])))),
    ("crl.distribution-point", |l| {
        let names = der(0xa0, &[&der(0xa0, &[&uri("crl.pem")])]);
        l.extensions.push((ISSUING_POINT, Some(true), sequence(&[&names])));
    }),
    ("serial.positive", |l| l.only_entry(entry(&[0], b"261123000000Z", &[]))),
    ("crl.revocation-date", |l| l.only_entry(entry(&[5], b"2611230000Z", &[]))),
    ("crl.entry-extensions", |l| l.only_entry(entry(&[5], b"261123000000Z", &[reason(1), reason(1)]))),
    ("crl.entry-critical", |l| {
        l.only_entry(entry(&[5], b"261123000000Z", &[extension("1.2.3", Some(true), &[5, 0])]));
    }),
    ("crl.reason", |l| l.only_entry(entry(&[5], b"261123000000Z", &[reason(7)]))),
    ("crl.reason", |l| l.only_entry(entry(&[5], b"261123000000Z", &[reason(11)]))),
    ("crl.reason", |l| l.only_entry(entry(&[5], b"261123000000Z", &[extension(REASON, None, &[2, 1, 1])]))),
    ("crl.reason-unspecified", |l| l.only_entry(entry(&[5], b"261123000000Z", &[reason(0)]))),
    ("crl.remove", |l| l.only_entry(entry(&[5], b"261123000000Z", &[reason(8)]))),
];

#[test]
fn sound_lists_have_no_findings() {
    for (name, change) in SOUND_LISTS {
        let mut parts = revocations();
        change(&mut parts);
        assert_eq!(lint::crl(&parts.der()), [], "{name}");
    }
}

#[test]
fn each_lint_of_lists_finds_what_breaks_it() {
    for (row, (lint, change)) in BROKEN_LISTS.iter().enumerate() {
        let mut parts = revocations();
        change(&mut parts);
        assert_eq!(ids(&lint::crl(&parts.der())), [*lint], "row {row}");
    }
}

#[test]
fn of_many_entries_one_is_told() {
    let mut parts = revocations();
    parts.entries = Some(alloc::vec![entry(&[0], b"261123000000Z", &[reason(7)]); 50]);
    assert_eq!(ids(&lint::crl(&parts.der())), ["serial.positive", "crl.reason"]);
}
