//! A request that breaks each lint and nothing else, beside the sound ones that break none.

use alloc::vec::Vec;

use super::*;
use crate::lint;

/// A request in pieces.
#[derive(Clone)]
pub(super) struct RequestParts {
    version: Vec<u8>,
    subject: Vec<u8>,
    key: Vec<u8>,
    attributes: Vec<Vec<u8>>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

fn asks(extensions: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[&oid("1.2.840.113549.1.9.14"), &der(tlv::SET, &[&list(extensions)])])
}

fn asks_for(name: Vec<u8>) -> Vec<Vec<u8>> {
    alloc::vec![asks(&[extension(SAN, None, &list(&[name]))])]
}

pub(super) fn asked() -> RequestParts {
    RequestParts {
        version: alloc::vec![2, 1, 0],
        subject: certificate::leaf().subject,
        key: ec_key(),
        attributes: asks_for(dns("www.example.com")),
        algorithm: sequence(&[&oid(ECDSA_SHA256)]),
        signature: ecdsa_signature(),
    }
}

impl RequestParts {
    pub(super) fn der(&self) -> Vec<u8> {
        let attributes: Vec<&[u8]> = self.attributes.iter().map(Vec::as_slice).collect();
        let content = sequence(&[&self.version, &self.subject, &self.key, &der(0xa0, &attributes)]);
        sequence(&[&content, &self.algorithm, &der(tlv::BIT_STRING, &[&[0], &self.signature])])
    }
}

/// A name, and a change.
pub(super) type Row = (&'static str, fn(&mut RequestParts));

const SOUND_REQUESTS: &[Row] = &[
    ("a name", |_| {}),
    ("nothing but a key", |r| {
        r.subject = sequence(&[]);
        r.attributes.clear();
    }),
    ("a challenge password", |r| {
        let password = der(tlv::UTF8_STRING, &[b"x"]);
        r.attributes.push(sequence(&[&oid("1.2.840.113549.1.9.7"), &der(tlv::SET, &[&password])]));
    }),
];

pub(super) const BROKEN_REQUESTS: &[Row] = &[
    ("der.strict", |r| r.key = Vec::new()),
    ("der.strict", |r| r.attributes = alloc::vec![alloc::vec![5, 0]]),
    ("request.version", |r| r.version = alloc::vec![2, 1, 2]),
    ("request.attributes", |r| r.attributes.push(asks(&[]))),
    ("request.attributes", |r| {
        r.attributes.push(sequence(&[&oid("1.2.840.113549.1.9.7"), &der(tlv::SET, &[])]));
    }),
    ("signature.form", |r| r.signature = alloc::vec![1]),
    ("signature.parameters", |r| r.algorithm = sequence(&[&oid(ECDSA_SHA256), &[5, 0]])),
    ("signature.digest", |r| r.algorithm = sequence(&[&oid("1.2.840.10045.4.1")])),
    ("key.parameters", |r| r.key = key(&[&oid("1.3.101.112"), &[5, 0]], &[1; 32])),
    ("key.form", |r| r.key = key(&[&oid("1.3.101.112")], &[1; 31])),
    ("key.rsa-size", |r| r.key = rsa_key(128, 1, &[3])),
    ("subject.shape", |r| r.subject = sequence(&[&[5, 0]])),
    ("subject.order", |r| {
        let twice = attribute("2.5.4.11", tlv::UTF8_STRING, "a");
        r.subject = sequence(&[&rdn(&[twice.clone(), twice])]);
    }),
    ("subject.upper-bound", |r| r.subject = name(&[(CN, tlv::UTF8_STRING, &"x".repeat(65))])),
    ("subject.country", |r| r.subject = name(&[("2.5.4.6", tlv::UTF8_STRING, "CH")])),
    ("subject.alphabet", |r| r.subject = name(&[(CN, tlv::PRINTABLE_STRING, "a@b")])),
    ("extension.once", |r| {
        r.attributes = alloc::vec![asks(&[
            extension(SAN, None, &list(&[dns("a")])),
            extension(SAN, None, &list(&[dns("b")]))
        ])];
    }),
    ("extension.shape", |r| r.attributes = alloc::vec![asks(&[extension(SAN, None, &[5, 0])])]),
    ("dns.syntax", |r| r.attributes = asks_for(dns("a_b"))),
    ("email.syntax", |r| r.attributes = asks_for(der(0x81, &[b"a"]))),
    ("uri.syntax", |r| r.attributes = asks_for(uri("a"))),
];

#[test]
fn sound_requests_have_no_findings() {
    for (name, change) in SOUND_REQUESTS {
        let mut parts = asked();
        change(&mut parts);
        assert_eq!(lint::request(&parts.der()), [], "{name}");
    }
}

#[test]
fn each_lint_of_requests_finds_what_breaks_it() {
    for (row, (lint, change)) in BROKEN_REQUESTS.iter().enumerate() {
        let mut parts = asked();
        change(&mut parts);
        assert_eq!(ids(&lint::request(&parts.der())), [*lint], "row {row}");
    }
}
