//! The pieces of which the tables of the lints make certificates, CRLs and requests; and what is true of all lints.

mod certificate;
mod crl;
mod request;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::collections::BTreeSet;

use super::{DER, LintFinding, LintId, LintWaiver, LintWaiverError, Severity};
use crate::tlv::{self, Tlv};

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut der = Tlv::new();
    der.value(tag, &parts.concat());
    der.into_vec()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(tlv::SEQUENCE, parts)
}

fn oid(text: &str) -> Vec<u8> {
    let mut der = Tlv::new();
    der.oid(const_oid::ObjectIdentifier::new_unwrap(text));
    der.into_vec()
}

/// A name of attributes in RDNs of their own: identifier, tag, text.
fn name(attributes: &[(&str, u8, &str)]) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> =
        attributes.iter().map(|(id, tag, value)| rdn(&[attribute(id, *tag, value)])).collect();
    sequence(&rdns.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn attribute(id: &str, tag: u8, value: &str) -> Vec<u8> {
    sequence(&[&oid(id), &der(tag, &[value.as_bytes()])])
}

fn rdn(attributes: &[Vec<u8>]) -> Vec<u8> {
    der(tlv::SET, &attributes.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn extension(id: &str, critical: Option<bool>, value: &[u8]) -> Vec<u8> {
    let critical = critical.map(|critical| der(tlv::BOOLEAN, &[&[if critical { 0xff } else { 0 }]]));
    sequence(&[&oid(id), &critical.unwrap_or_default(), &der(tlv::OCTET_STRING, &[value])])
}

fn list(parts: &[Vec<u8>]) -> Vec<u8> {
    sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn dns(text: &str) -> Vec<u8> {
    der(0x82, &[text.as_bytes()])
}

fn uri(text: &str) -> Vec<u8> {
    der(0x86, &[text.as_bytes()])
}

const CN: &str = "2.5.4.3";
const KEY_USAGE: &str = "2.5.29.15";
const SKI: &str = "2.5.29.14";
const SAN: &str = "2.5.29.17";
const IAN: &str = "2.5.29.18";
const BASIC: &str = "2.5.29.19";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const CDP: &str = "2.5.29.31";
const POLICIES: &str = "2.5.29.32";
const MAPPINGS: &str = "2.5.29.33";
const AKI: &str = "2.5.29.35";
const POLICY_CONSTRAINTS: &str = "2.5.29.36";
const EKU: &str = "2.5.29.37";
const FRESHEST: &str = "2.5.29.46";
const INHIBIT_ANY: &str = "2.5.29.54";
const NO_REVOCATION: &str = "2.5.29.56";
const AIA: &str = "1.3.6.1.5.5.7.1.1";
const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";

fn ecdsa_signature() -> Vec<u8> {
    sequence(&[&[2, 1, 5], &[2, 1, 7]])
}

fn ec_key() -> Vec<u8> {
    let point = [&[4_u8][..], &[7; 64]].concat();
    key(&[&oid("1.2.840.10045.2.1"), &oid("1.2.840.10045.3.1.7")], &point)
}

fn key(algorithm: &[&[u8]], octets: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(algorithm), &der(tlv::BIT_STRING, &[&[0], octets])])
}

/// An RSA key of so many octets in its modulus.
fn rsa_key(octets: usize, last: u8, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = alloc::vec![0x9b; octets];
    if let Some(end) = modulus.last_mut() {
        *end = last;
    }
    let numbers = sequence(&[&der(tlv::INTEGER, &[&[0], &modulus]), &der(tlv::INTEGER, &[exponent])]);
    key(&[&oid("1.2.840.113549.1.1.1"), &[5, 0]], &numbers)
}

fn ids(findings: &[LintFinding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.lint.as_str()).collect()
}

/// Whoever adds a lint adds what breaks it.
#[test]
fn every_lint_has_its_row() {
    let set = |ids: Vec<LintId>| ids.into_iter().map(LintId::as_str).collect::<BTreeSet<_>>();
    let rows = |ids: Vec<&'static str>| ids.into_iter().collect::<BTreeSet<_>>();
    let certificates = super::CERTIFICATE.iter().flat_map(|lints| lints.iter()).map(|lint| lint.id);
    let enveloped = super::certificate::ENVELOPE.iter().map(|lint| lint.id);
    assert_eq!(
        set(certificates.chain(enveloped).chain([DER]).collect()),
        rows(certificate::BROKEN.iter().map(|row| row.0).chain(["extension.present"]).collect())
    );
    let lists =
        super::crl::LIST.iter().map(|lint| lint.id).chain(super::crl::ENTRY.iter().map(|lint| lint.id));
    assert_eq!(set(lists.chain([DER]).collect()), rows(crl::BROKEN_LISTS.iter().map(|row| row.0).collect()));
    assert_eq!(
        set(super::request::LINTS.iter().map(|lint| lint.id).chain([DER]).collect()),
        rows(request::BROKEN_REQUESTS.iter().map(|row| row.0).collect())
    );
}

/// The same clause has one name; within one kind of file a name is there once.
#[test]
fn names_of_lints_are_their_own() {
    for table in [
        super::CERTIFICATE.iter().flat_map(|lints| lints.iter()).map(|lint| lint.id).collect::<Vec<_>>(),
        super::crl::LIST.iter().map(|lint| lint.id).collect(),
        super::request::LINTS.iter().map(|lint| lint.id).collect(),
    ] {
        assert_eq!(table.iter().collect::<BTreeSet<_>>().len(), table.len());
        assert!(table.iter().all(|id| LintId::from_name(id.as_str()) == Some(*id)));
    }
}

#[test]
fn a_waiver_names_a_lint_and_a_reason() {
    let waiver = LintWaiver::parse("extension.unknown-critical: the device knows it: see 4711").unwrap();
    assert_eq!(waiver.lint().as_str(), "extension.unknown-critical");
    assert_eq!(waiver.reason(), "the device knows it: see 4711");
    for (text, fault, accepted) in [
        ("", "there is no lint \"\"", "LINT: REASON, with a lint that `pki lint --list` names"),
        ("serial", "there is no lint \"serial\"", "LINT: REASON, with one of serial.length, serial.positive"),
        ("serial.length", "the waiver of serial.length gives no reason", "serial.length: REASON"),
        ("serial.length:  ", "the waiver of serial.length gives no reason", "serial.length: REASON"),
        (
            "der.strict: x",
            "the lint der.strict cannot be waived by a role",
            "LINT: REASON, with another lint",
        ),
        (
            "signature.form: x",
            "the lint signature.form cannot be waived by a role",
            "LINT: REASON, with another lint",
        ),
        (
            "crl.number: x",
            "the lint crl.number cannot be waived by a role",
            "LINT: REASON, with another lint",
        ),
    ] {
        let error: LintWaiverError = LintWaiver::parse(text).unwrap_err();
        assert_eq!(
            (error.to_string(), error.accepted()),
            (fault.to_string(), String::from(accepted)),
            "{text}"
        );
    }
}

#[test]
fn a_finding_says_what_and_where() {
    let mut parts = certificate::leaf();
    parts.serial = alloc::vec![0];
    let findings = super::certificate(&parts.der());
    assert_eq!(findings[0].severity, Severity::Error);
    assert_eq!(
        findings[0].to_string(),
        "the serial number is not positive (RFC 5280 4.1.2.2; lint serial.positive)"
    );
}

proptest::proptest! {
    /// Whatever octet is exchanged, cut or added, the lints answer.
    #[test]
    fn damaged_files_never_panic(at in 0_usize..900, octet: u8, cut in 0_usize..900) {
        for whole in [certificate::leaf().der(), certificate::authority().der(), crl::revocations().der(), request::asked().der()] {
            let mut damaged = whole.clone();
            if let Some(there) = damaged.get_mut(at) {
                *there = octet;
            }
            for octets in [&damaged[..], &whole[..cut.min(whole.len())]] {
                let _ = super::certificate(octets);
                let _ = super::crl(octets);
                let _ = super::request(octets);
            }
        }
    }
}
