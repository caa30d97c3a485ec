//! A certificate that breaks each lint and nothing else, beside the sound ones that break none.

use alloc::vec::Vec;

use super::*;
use crate::lint;

/// A certificate in pieces that a test can exchange.
#[derive(Clone)]
pub(super) struct Parts {
    version: Vec<u8>,
    pub(super) serial: Vec<u8>,
    algorithm: Vec<u8>,
    outer_algorithm: Vec<u8>,
    issuer: Vec<u8>,
    validity: [Vec<u8>; 2],
    pub(super) subject: Vec<u8>,
    key: Vec<u8>,
    unique_identifiers: Vec<u8>,
    extensions: Vec<(&'static str, Option<bool>, Vec<u8>)>,
    signature: Vec<u8>,
    after: Vec<u8>,
}

pub(super) fn leaf() -> Parts {
    let algorithm = sequence(&[&oid(ECDSA_SHA256)]);
    Parts {
        version: alloc::vec![0xa0, 3, 2, 1, 2],
        serial: alloc::vec![0x11; 20],
        outer_algorithm: algorithm.clone(),
        algorithm,
        issuer: name(&[(CN, tlv::UTF8_STRING, "Test CA")]),
        validity: [der(tlv::UTC_TIME, &[b"261124000000Z"]), der(tlv::UTC_TIME, &[b"261224000000Z"])],
        subject: name(&[
            ("2.5.4.6", tlv::PRINTABLE_STRING, "CH"),
            ("2.5.4.10", tlv::UTF8_STRING, "Zürich"),
            (CN, tlv::PRINTABLE_STRING, "www.example.com"),
        ]),
        key: ec_key(),
        unique_identifiers: Vec::new(),
        extensions: alloc::vec![
            (KEY_USAGE, Some(true), alloc::vec![3, 2, 7, 0x80]),
            (EKU, None, sequence(&[&oid(SERVER_AUTH)])),
            (SKI, None, der(tlv::OCTET_STRING, &[&[1; 20]])),
            (AKI, None, sequence(&[&der(0x80, &[&[2; 20]])])),
            (AIA, None, list(&[access("1.3.6.1.5.5.7.48.1", "http://ocsp.example.com")])),
            (
                SAN,
                None,
                list(&[
                    dns("www.example.com"),
                    dns("*.example.com"),
                    dns("xn--bcher-kva.example"),
                    der(0x81, &[b"a.b@example.com"]),
                    uri("spiffe://example.com/service"),
                    uri("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
                    der(0x87, &[&[10, 0, 0, 1]]),
                    der(0x87, &[&[0xfd; 16]]),
                    der(0xa4, &[&name(&[(CN, tlv::UTF8_STRING, "x")])]),
                    der(
                        0xa0,
                        &[&oid("1.3.6.1.4.1.311.20.2.3"), &der(0xa0, &[&der(tlv::UTF8_STRING, &[b"u"])])]
                    ),
                    der(0x88, &[&[0x2a, 3, 4]]),
                ]),
            ),
            (CDP, None, list(&[point("http://crl.example.com/1")])),
            (
                POLICIES,
                None,
                list(&[
                    sequence(&[&oid("2.5.29.32.0")]),
                    policy_with(
                        "1.3.6.1.5.5.7.2.2",
                        &sequence(&[&der(tlv::UTF8_STRING, &["é".repeat(200).as_bytes()])])
                    ),
                ]),
            ),
        ],
        signature: ecdsa_signature(),
        after: Vec::new(),
    }
}

fn access(method: &str, location: &str) -> Vec<u8> {
    sequence(&[&oid(method), &uri(location)])
}

fn point(location: &str) -> Vec<u8> {
    sequence(&[&der(0xa0, &[&der(0xa0, &[&uri(location)])])])
}

fn policy_with(qualifier: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[&oid("1.2.3.4"), &sequence(&[&sequence(&[&oid(qualifier), value])])])
}

pub(super) fn authority() -> Parts {
    let mut parts = leaf();
    parts.subject = name(&[(CN, tlv::UTF8_STRING, "Test Intermediate")]);
    parts.extensions = alloc::vec![
        (KEY_USAGE, Some(true), alloc::vec![3, 2, 1, 6]),
        (BASIC, Some(true), sequence(&[&[1, 1, 0xff], &[2, 1, 3]])),
        (SKI, None, der(tlv::OCTET_STRING, &[&[1; 20]])),
        (AKI, None, sequence(&[&der(0x80, &[&[2; 20]])])),
        (
            NAME_CONSTRAINTS,
            Some(true),
            sequence(&[
                &der(
                    0xa0,
                    &[
                        &base(0x82, b"example.com"),
                        &base(0x87, &[10, 0, 0, 0, 255, 192, 0, 0]),
                        &base(0x86, b".example.com"),
                        &base(0x81, b"example.com"),
                    ],
                ),
                &der(0xa1, &[&base(0x87, &[0; 32])]),
            ]),
        ),
        (POLICY_CONSTRAINTS, Some(true), sequence(&[&[0x80, 1, 0]])),
        (INHIBIT_ANY, Some(true), alloc::vec![2, 1, 0]),
        (MAPPINGS, Some(true), list(&[sequence(&[&oid("1.2.3"), &oid("1.2.4")])])),
    ];
    parts
}

fn base(tag: u8, content: &[u8]) -> Vec<u8> {
    sequence(&[&der(tag, &[content])])
}

/// A name constraint with one permitted base.
fn permitted(tag: u8, content: &[u8]) -> Vec<u8> {
    sequence(&[&der(0xa0, &[&base(tag, content)])])
}

impl Parts {
    pub(super) fn der(&self) -> Vec<u8> {
        let extensions: Vec<Vec<u8>> =
            self.extensions.iter().map(|(id, critical, value)| extension(id, *critical, value)).collect();
        let extensions = der(0xa3, &[&list(&extensions)]);
        let tbs = sequence(&[
            &self.version,
            &der(tlv::INTEGER, &[&self.serial]),
            &self.algorithm,
            &self.issuer,
            &list(&self.validity),
            &self.subject,
            &self.key,
            &self.unique_identifiers,
            &extensions,
        ]);
        let signature = der(tlv::BIT_STRING, &[&[0], &self.signature]);
        [sequence(&[&tbs, &self.outer_algorithm, &signature]), self.after.clone()].concat()
    }

    fn set(&mut self, id: &'static str, critical: Option<bool>, value: impl Into<Vec<u8>>) {
        let extension = (id, critical, value.into());
        match self.extensions.iter_mut().find(|(other, ..)| *other == id) {
            Some(there) => *there = extension,
            None => self.extensions.push(extension),
        }
    }

    fn critical(&mut self, id: &'static str, critical: Option<bool>) {
        self.extensions.iter_mut().filter(|(other, ..)| *other == id).for_each(|one| one.1 = critical);
    }

    fn drop(&mut self, id: &str) {
        self.extensions.retain(|(other, ..)| *other != id);
    }

    /// Both algorithm fields, and a signature without a form.
    fn signed_with(&mut self, algorithm: Vec<u8>) {
        (self.algorithm, self.outer_algorithm) = (algorithm.clone(), algorithm);
    }

    fn san(&mut self, name: Vec<u8>) {
        self.set(SAN, None, list(&[dns("www.example.com"), name]));
    }

    fn subject_and(&mut self, id: &str, tag: u8, value: &str) {
        self.subject = name(&[(id, tag, value), (CN, tlv::PRINTABLE_STRING, "www.example.com")]);
    }
}

fn pss(digest: &str, mask: &str, salt: u8) -> Vec<u8> {
    let hash = |id: &str| sequence(&[&oid(id), &[5, 0]]);
    sequence(&[
        &oid("1.2.840.113549.1.1.10"),
        &sequence(&[
            &der(0xa0, &[&hash(digest)]),
            &der(0xa1, &[&sequence(&[&oid("1.2.840.113549.1.1.8"), &hash(mask)])]),
            &der(0xa2, &[&[2, 1, salt]]),
        ]),
    ])
}

const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";

/// A name, what is changed, and how.
pub(super) type Row = (&'static str, fn() -> Parts, fn(&mut Parts));

/// What changes nothing for the lints.
const SOUND: &[Row] = &[
    ("an end entity", leaf, |_| {}),
    ("an intermediate", authority, |_| {}),
    ("a root without authority key identifier", authority, |c| {
        c.subject = c.issuer.clone();
        c.drop(AKI);
    }),
    ("dates from 2050 on", leaf, |c| c.validity[1] = der(tlv::GENERALIZED_TIME, &[b"20520229235959Z"])),
    ("no end", leaf, |c| c.validity[1] = der(tlv::GENERALIZED_TIME, &[b"99991231235959Z"])),
    ("dates of the last century", leaf, |c| c.validity[0] = der(tlv::UTC_TIME, &[b"960229000000Z"])),
    ("a serial number of one", leaf, |c| c.serial = alloc::vec![1]),
    ("RSA with PKCS#1", leaf, |c| {
        c.signed_with(sequence(&[&oid("1.2.840.113549.1.1.11"), &[5, 0]]));
        c.signature = alloc::vec![1; 256];
    }),
    ("RSA with PSS", leaf, |c| {
        c.signed_with(pss(SHA256, SHA256, 32));
        c.signature = alloc::vec![1; 256];
    }),
    ("Ed25519", leaf, |c| {
        c.signed_with(sequence(&[&oid("1.3.101.112")]));
        c.key = key(&[&oid("1.3.101.112")], &[1; 32]);
    }),
    ("ML-DSA-65", leaf, |c| {
        c.signed_with(sequence(&[&oid("2.16.840.1.101.3.4.3.18")]));
        c.key = key(&[&oid("2.16.840.1.101.3.4.3.18")], &[1; 1952]);
    }),
    ("an RSA key that enciphers keys", leaf, |c| {
        c.key = rsa_key(256, 1, &[1, 0, 1]);
        c.set(KEY_USAGE, Some(true), [3, 2, 5, 0xa0]);
    }),
    ("a compressed point", leaf, |c| {
        let point = [&[2_u8][..], &[7; 32]].concat();
        c.key = key(&[&oid("1.2.840.10045.2.1"), &oid("1.2.840.10045.3.1.7")], &point);
    }),
    ("an empty subject", leaf, |c| {
        c.subject = sequence(&[]);
        c.critical(SAN, Some(true));
    }),
    ("decipherOnly with keyAgreement", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 3, 7, 8, 0x80])),
    ("any purpose", leaf, |c| c.set(EKU, None, sequence(&[&oid("2.5.29.37.0")]))),
    ("a common name that is no host", leaf, |c| c.subject = name(&[(CN, tlv::UTF8_STRING, "Web server")])),
    ("a common name that is an address", leaf, |c| c.subject = name(&[(CN, tlv::UTF8_STRING, "10.0.0.1")])),
    ("a multi-valued RDN", leaf, |c| {
        c.subject = sequence(&[&rdn(&[
            attribute("2.5.4.11", tlv::UTF8_STRING, "a"),
            attribute("2.5.4.11", tlv::UTF8_STRING, "b"),
        ])]);
    }),
    ("no revocation", leaf, |c| {
        c.drop(CDP);
        c.drop(AIA);
        c.set(NO_REVOCATION, None, [5, 0]);
    }),
    ("an unknown extension", leaf, |c| c.set("1.3.6.1.4.1.99999.1", None, *b"whatever")),
    ("an LDAP distribution point", leaf, |c| {
        c.set(CDP, None, list(&[point("ldap:///cn=ca?certificateRevocationList")]))
    }),
    ("an address literal", leaf, |c| c.san(der(0x81, &[b"\"a b\"@[192.0.2.1]"]))),
];

/// One lint, what it looks at, and what breaks it alone.
pub(super) const BROKEN: &[Row] = &[
    ("der.strict", leaf, |c| c.after = alloc::vec![0]),
    ("der.strict", leaf, |c| c.serial = alloc::vec![0, 1]),
    ("der.strict", leaf, |c| c.algorithm = alloc::vec![0x30, 0x81, 2, 6, 0]),
    ("der.strict", leaf, |c| c.unique_identifiers = der(0x84, &[b"x"])),
    ("der.strict", leaf, |c| c.validity[0] = Vec::new()),
    ("signature.same-algorithm", leaf, |c| c.outer_algorithm = sequence(&[&oid("1.2.840.10045.4.3.3")])),
    ("signature.form", leaf, |c| c.signature = sequence(&[&[2, 1, 5]])),
    ("signature.form", leaf, |c| c.signature = sequence(&[&[2, 1, 5], &[2, 1, 0]])),
    ("signature.form", leaf, |c| c.signature = sequence(&[&[2, 1, 5], &[2, 1, 0xf0]])),
    ("signature.form", leaf, |c| c.signature = [ecdsa_signature(), alloc::vec![0]].concat()),
    ("version.3", leaf, |c| c.version = alloc::vec![0xa0, 3, 2, 1, 1]),
    ("version.3", leaf, |c| c.version = Vec::new()),
    ("serial.positive", leaf, |c| c.serial = alloc::vec![0]),
    ("serial.positive", leaf, |c| c.serial = alloc::vec![0x80]),
    ("serial.length", leaf, |c| c.serial = alloc::vec![1; 21]),
    ("issuer.present", leaf, |c| c.issuer = sequence(&[])),
    ("validity.encoding", leaf, |c| c.validity[1] = der(tlv::GENERALIZED_TIME, &[b"20491231235959Z"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::UTC_TIME, &[b"2612240000Z"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::GENERALIZED_TIME, &[b"20501231235959.5Z"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::UTC_TIME, &[b"261224000000+0100"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::UTC_TIME, &[b"270229000000Z"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::GENERALIZED_TIME, &[b"21000229000000Z"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::UTC_TIME, &[b"261324000000Z"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::UTC_TIME, &[b"261224240000Z"])),
    ("validity.form", leaf, |c| c.validity[1] = der(tlv::UTC_TIME, &[b"26122400000zZ"])),
    ("validity.order", leaf, |c| c.validity.reverse()),
    ("subject.authority", authority, |c| {
        c.subject = sequence(&[]);
        c.set(SAN, Some(true), list(&[dns("example.com")]));
    }),
    ("subject.somebody", leaf, |c| {
        c.subject = sequence(&[]);
        c.drop(SAN);
    }),
    ("unique-identifiers.absent", leaf, |c| c.unique_identifiers = der(0x81, &[&[0, 1]])),
    ("signature.parameters", leaf, |c| c.signed_with(sequence(&[&oid(ECDSA_SHA256), &[5, 0]]))),
    ("signature.parameters", leaf, |c| c.signed_with(sequence(&[&oid("1.2.840.113549.1.1.11")]))),
    ("signature.parameters", leaf, |c| c.signed_with(sequence(&[&oid("1.3.101.112"), &[5, 0]]))),
    ("signature.parameters", leaf, |c| c.signed_with(sequence(&[&oid("2.16.840.1.101.3.4.3.17"), &[5, 0]]))),
    ("signature.parameters", leaf, |c| c.signed_with(pss(SHA256, SHA512, 32))),
    ("signature.parameters", leaf, |c| c.signed_with(pss(SHA256, SHA256, 20))),
    ("signature.digest", leaf, |c| c.signed_with(sequence(&[&oid("1.2.840.113549.1.1.5"), &[5, 0]]))),
    ("signature.digest", leaf, |c| c.signed_with(sequence(&[&oid("1.2.840.10045.4.1")]))),
    ("signature.digest", leaf, |c| c.signed_with(sequence(&[&oid("1.2.840.10040.4.3")]))),
    ("key.parameters", leaf, |c| {
        c.key = key(&[&oid("1.2.840.10045.2.1"), &[5, 0]], &[&[4_u8][..], &[7; 64]].concat());
    }),
    ("key.parameters", leaf, |c| c.key = key(&[&oid("1.3.101.112"), &[5, 0]], &[1; 32])),
    ("key.parameters", leaf, |c| c.key = key(&[&oid("2.16.840.1.101.3.4.3.17"), &[5, 0]], &[1; 1312])),
    ("key.form", leaf, |c| c.key = key(&[&oid("1.3.101.112")], &[1; 31])),
    ("key.form", leaf, |c| c.key = key(&[&oid("2.16.840.1.101.3.4.3.19")], &[1; 1952])),
    ("key.form", leaf, |c| {
        c.key =
            key(&[&oid("1.2.840.10045.2.1"), &oid("1.2.840.10045.3.1.7")], &[&[4_u8][..], &[7; 63]].concat());
    }),
    ("key.form", leaf, |c| c.key = key(&[&oid("1.2.840.10045.2.1"), &oid("1.3.132.0.34")], &[0])),
    ("key.form", leaf, |c| c.key = key(&[&oid("1.2.840.113549.1.1.1"), &[5, 0]], b"no numbers")),
    ("key.rsa-size", leaf, |c| c.key = rsa_key(255, 1, &[1, 0, 1])),
    ("key.rsa-exponent", leaf, |c| c.key = rsa_key(256, 1, &[1, 0, 2])),
    ("key.rsa-exponent", leaf, |c| c.key = rsa_key(256, 1, &[1])),
    ("key.rsa-exponent", leaf, |c| c.key = rsa_key(256, 2, &[3])),
    ("subject.shape", leaf, |c| c.subject = sequence(&[&rdn(&[])])),
    ("subject.shape", leaf, |c| c.subject = sequence(&[&attribute(CN, tlv::UTF8_STRING, "x")])),
    ("subject.order", leaf, |c| {
        c.subject = sequence(&[&rdn(&[
            attribute("2.5.4.11", tlv::UTF8_STRING, "b"),
            attribute("2.5.4.11", tlv::UTF8_STRING, "a"),
        ])]);
    }),
    ("subject.order", leaf, |c| {
        let twice = attribute("2.5.4.11", tlv::UTF8_STRING, "a");
        c.subject = sequence(&[&rdn(&[twice.clone(), twice])]);
    }),
    ("subject.upper-bound", leaf, |c| c.subject_and("2.5.4.11", tlv::UTF8_STRING, &"é".repeat(65))),
    ("subject.upper-bound", leaf, |c| c.subject_and("2.5.4.7", tlv::PRINTABLE_STRING, &"x".repeat(129))),
    ("subject.upper-bound", leaf, |c| c.subject_and("2.5.4.17", tlv::PRINTABLE_STRING, &"1".repeat(41))),
    ("subject.upper-bound", leaf, |c| c.subject_and("2.5.4.10", tlv::UTF8_STRING, "")),
    ("subject.country", leaf, |c| c.subject_and("2.5.4.6", tlv::PRINTABLE_STRING, "CHE")),
    ("subject.country", leaf, |c| c.subject_and("2.5.4.6", tlv::UTF8_STRING, "CH")),
    ("subject.country", leaf, |c| c.subject_and("2.5.4.6", tlv::PRINTABLE_STRING, "C1")),
    ("subject.alphabet", leaf, |c| c.subject_and("2.5.4.11", tlv::PRINTABLE_STRING, "a*b")),
    ("subject.alphabet", leaf, |c| c.subject_and("2.5.4.11", tlv::UTF8_STRING, "a\u{7}b")),
    ("subject.alphabet", leaf, |c| {
        c.subject = sequence(&[&rdn(&[sequence(&[&oid("2.5.4.11"), &der(tlv::UTF8_STRING, &[&[0xff]])])])]);
    }),
    ("subject.string", leaf, |c| c.subject_and("2.5.4.5", tlv::UTF8_STRING, "42")),
    ("subject.string", leaf, |c| c.subject_and("0.9.2342.19200300.100.1.25", tlv::UTF8_STRING, "com")),
    ("subject.string", leaf, |c| c.subject_and("1.2.840.113549.1.9.1", tlv::UTF8_STRING, "a@example.com")),
    ("subject.old-string", leaf, |c| c.subject_and("2.5.4.10", 0x14, "Old")),
    ("extension.once", leaf, |c| c.extensions.push((EKU, None, sequence(&[&oid(SERVER_AUTH)])))),
    ("extension.once", leaf, |c| {
        for _ in 0..2 {
            c.extensions.push(("1.3.6.1.4.1.99999.1", None, alloc::vec![5, 0]));
        }
    }),
    ("extension.shape", leaf, |c| c.set(EKU, None, [5, 0])),
    ("extension.shape", leaf, |c| c.set(EKU, None, [&sequence(&[&oid(SERVER_AUTH)])[..], &[0]].concat())),
    ("extension.shape", leaf, |c| c.set(CDP, None, sequence(&[&[5, 0]]))),
    ("extension.shape", leaf, |c| c.set(AIA, None, sequence(&[&sequence(&[&oid(SERVER_AUTH)])]))),
    ("extension.default", leaf, |c| c.critical(CDP, Some(false))),
    ("extension.unknown-critical", leaf, |c| c.set("1.3.6.1.4.1.99999.1", Some(true), [5, 0])),
    ("subject-key-identifier.present", authority, |c| c.drop(SKI)),
    ("subject-key-identifier.not-critical", leaf, |c| c.critical(SKI, Some(true))),
    ("subject-key-identifier.octets", leaf, |c| c.set(SKI, None, [4, 0])),
    ("authority-key-identifier.present", leaf, |c| c.drop(AKI)),
    ("authority-key-identifier.present", authority, |c| c.drop(AKI)),
    ("authority-key-identifier.present", leaf, |c| c.set(AKI, None, sequence(&[]))),
    ("authority-key-identifier.not-critical", leaf, |c| c.critical(AKI, Some(true))),
    ("authority-key-identifier.pair", leaf, |c| {
        c.set(AKI, None, sequence(&[&der(0x80, &[&[2; 20]]), &der(0x82, &[&[1]])]));
    }),
    ("key-usage.authority", authority, |c| {
        c.drop(KEY_USAGE);
    }),
    ("key-usage.critical", leaf, |c| c.critical(KEY_USAGE, None)),
    ("key-usage.some", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 1, 0])),
    ("key-usage.form", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 2, 6, 0x80])),
    ("key-usage.form", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 3, 7, 0x80, 0])),
    ("key-usage.form", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 3, 5, 0x88, 0xa0])),
    ("key-usage.end-entity", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 2, 2, 0x84])),
    ("key-usage.only", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 2, 0, 0x81])),
    ("key-usage.rsa", leaf, |c| {
        c.key = rsa_key(256, 1, &[3]);
        c.set(KEY_USAGE, Some(true), [3, 2, 3, 0x88]);
    }),
    ("key-usage.ec", leaf, |c| c.set(KEY_USAGE, Some(true), [3, 2, 5, 0xa0])),
    ("key-usage.edwards", leaf, |c| {
        c.key = key(&[&oid("1.3.101.112")], &[1; 32]);
        c.set(KEY_USAGE, Some(true), [3, 2, 3, 0x88]);
    }),
    ("key-usage.ml-dsa", leaf, |c| {
        c.key = key(&[&oid("2.16.840.1.101.3.4.3.17")], &[1; 1312]);
        c.set(KEY_USAGE, Some(true), [3, 2, 5, 0xa0]);
    }),
    ("extended-key-usage.some", leaf, |c| c.set(EKU, None, sequence(&[]))),
    ("extended-key-usage.any-critical", leaf, |c| c.set(EKU, Some(true), sequence(&[&oid("2.5.29.37.0")]))),
    ("extended-key-usage.once", leaf, |c| {
        c.set(EKU, None, sequence(&[&oid(SERVER_AUTH), &oid(SERVER_AUTH)]))
    }),
    ("alternative-name.present", leaf, |c| {
        c.set(SAN, None, sequence(&[]));
        c.subject = name(&[(CN, tlv::UTF8_STRING, "nobody")]);
    }),
    ("alternative-name.critical", leaf, |c| c.critical(SAN, Some(true))),
    ("alternative-name.critical", leaf, |c| c.subject = sequence(&[])),
    ("alternative-name.once", leaf, |c| c.san(dns("www.example.com"))),
    ("dns.syntax", leaf, |c| c.san(dns("a_b.example.com"))),
    ("dns.syntax", leaf, |c| c.san(dns("-a.example.com"))),
    ("dns.syntax", leaf, |c| c.san(dns("a..example.com"))),
    ("dns.syntax", leaf, |c| c.san(dns("example.com."))),
    ("dns.syntax", leaf, |c| c.san(dns(""))),
    ("dns.syntax", leaf, |c| c.san(dns(" "))),
    ("dns.syntax", leaf, |c| c.san(dns("bücher.example"))),
    ("dns.syntax", leaf, |c| c.san(dns(&"a".repeat(64)))),
    ("dns.syntax", leaf, |c| c.san(dns(&["abc.".repeat(63), "ab".into()].concat()))),
    ("dns.wildcard", leaf, |c| c.san(dns("*"))),
    ("dns.wildcard", leaf, |c| c.san(dns("a.*.example.com"))),
    ("dns.wildcard", leaf, |c| c.san(dns("w*.example.com"))),
    ("dns.wildcard", leaf, |c| c.san(dns("*.*.example.com"))),
    ("dns.ip-address", leaf, |c| c.san(dns("10.0.0.1"))),
    ("dns.a-label", leaf, |c| c.san(dns("xn--99999999.example.com"))),
    ("email.syntax", leaf, |c| c.san(der(0x81, &[b"example.com"]))),
    ("email.syntax", leaf, |c| c.san(der(0x81, &[b"@example.com"]))),
    ("email.syntax", leaf, |c| c.san(der(0x81, &[b"a..b@example.com"]))),
    ("email.syntax", leaf, |c| c.san(der(0x81, &["ü@example.com".as_bytes()]))),
    ("email.syntax", leaf, |c| c.san(der(0x81, &[b"Mr A <a@example.com>"]))),
    ("uri.syntax", leaf, |c| c.san(uri("/relative"))),
    ("uri.syntax", leaf, |c| c.san(uri("https:///path"))),
    ("uri.syntax", leaf, |c| c.san(uri("https://user@:80/"))),
    ("uri.syntax", leaf, |c| c.san(uri("https://example.com/a b"))),
    ("uri.syntax", leaf, |c| c.san(uri("https://example.com/%4"))),
    ("uri.syntax", leaf, |c| c.san(uri("https://bücher.example/"))),
    ("uri.syntax", leaf, |c| c.san(uri("1http://example.com/"))),
    ("ip.octets", leaf, |c| c.san(der(0x87, &[&[10, 0, 0]]))),
    ("ip.octets", leaf, |c| c.san(der(0x87, &[&[10, 0, 0, 0, 255, 0, 0, 0]]))),
    ("other-name.shape", leaf, |c| c.san(der(0xa0, &[&oid("1.2.3")]))),
    ("other-name.shape", leaf, |c| c.san(der(0xa4, &[&[5, 0]]))),
    ("other-name.shape", leaf, |c| c.san(der(0x88, &[&[0x80]]))),
    ("issuer-alternative-name.not-critical", leaf, |c| c.set(IAN, Some(true), list(&[dns("a.example")]))),
    ("issuer-alternative-name.not-critical", leaf, |c| c.set(IAN, None, sequence(&[]))),
    ("common-name.alternative", leaf, |c| c.subject = name(&[(CN, tlv::UTF8_STRING, "api.example.com")])),
    ("common-name.alternative", leaf, |c| c.subject = name(&[(CN, tlv::UTF8_STRING, "10.0.0.2")])),
    ("basic-constraints.critical", authority, |c| c.critical(BASIC, None)),
    ("basic-constraints.default", leaf, |c| c.set(BASIC, Some(true), sequence(&[&[1, 1, 0]]))),
    ("basic-constraints.path-length", leaf, |c| c.set(BASIC, Some(true), sequence(&[&[2, 1, 0]]))),
    ("basic-constraints.path-length", authority, |c| {
        c.set(BASIC, Some(true), sequence(&[&[1, 1, 0xff], &[2, 1, 0xff]]));
    }),
    ("name-constraints.critical", authority, |c| c.critical(NAME_CONSTRAINTS, None)),
    ("name-constraints.authority", leaf, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x82, b"example.com"));
    }),
    ("name-constraints.some", authority, |c| c.set(NAME_CONSTRAINTS, Some(true), sequence(&[]))),
    ("name-constraints.some", authority, |c| c.set(NAME_CONSTRAINTS, Some(true), sequence(&[&[0xa0, 0]]))),
    ("name-constraints.distance", authority, |c| {
        let tree = sequence(&[&dns("example.com"), &der(0x80, &[&[0]])]);
        c.set(NAME_CONSTRAINTS, Some(true), sequence(&[&der(0xa0, &[&tree])]));
    }),
    ("name-constraints.ip", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x87, &[10, 0, 0, 0]))
    }),
    ("name-constraints.ip", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x87, &[10, 0, 0, 0, 255, 0, 255, 0]));
    }),
    ("name-constraints.ip", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x87, &[10, 0, 0, 0, 253, 0, 0, 0]));
    }),
    ("name-constraints.dns-dot", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x82, b".example.com"));
    }),
    ("name-constraints.dns", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x82, b"exa_mple.com"));
    }),
    ("name-constraints.dns", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x82, b"exa_mple.com"));
    }),
    ("name-constraints.uri", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x86, b"https://example.com"));
    }),
    ("name-constraints.uri", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x86, b"10.0.0.1"))
    }),
    ("name-constraints.email", authority, |c| {
        c.set(NAME_CONSTRAINTS, Some(true), permitted(0x81, b"@example.com"));
    }),
    ("policy-constraints.critical", authority, |c| c.critical(POLICY_CONSTRAINTS, None)),
    ("policy-constraints.critical", authority, |c| c.set(POLICY_CONSTRAINTS, Some(true), sequence(&[]))),
    ("policy-constraints.authority", leaf, |c| {
        c.set(POLICY_CONSTRAINTS, Some(true), sequence(&[&[0x80, 1, 0]]));
    }),
    ("inhibit-any-policy.critical", authority, |c| c.critical(INHIBIT_ANY, None)),
    ("inhibit-any-policy.critical", authority, |c| c.set(INHIBIT_ANY, Some(true), [2, 1, 0xff])),
    ("inhibit-any-policy.authority", leaf, |c| c.set(INHIBIT_ANY, Some(true), [2, 1, 0])),
    ("policies.some", leaf, |c| c.set(POLICIES, None, sequence(&[]))),
    ("policies.once", leaf, |c| {
        let policy = sequence(&[&oid("1.2.3")]);
        c.set(POLICIES, None, list(&[policy.clone(), policy]));
    }),
    ("policies.text-length", leaf, |c| {
        let notice = sequence(&[&der(tlv::UTF8_STRING, &["é".repeat(201).as_bytes()])]);
        c.set(POLICIES, None, list(&[policy_with("1.3.6.1.5.5.7.2.2", &notice)]));
    }),
    ("policies.text-string", leaf, |c| {
        let notice = sequence(&[&der(tlv::IA5_STRING, &[b"text"])]);
        c.set(POLICIES, None, list(&[policy_with("1.3.6.1.5.5.7.2.2", &notice)]));
    }),
    ("policies.cps", leaf, |c| {
        c.set(
            POLICIES,
            None,
            list(&[policy_with("1.3.6.1.5.5.7.2.1", &der(tlv::IA5_STRING, &[b"cps.html"]))]),
        );
    }),
    ("policies.cps", leaf, |c| {
        let text = der(tlv::UTF8_STRING, &[b"https://example.com/cps"]);
        c.set(POLICIES, None, list(&[policy_with("1.3.6.1.5.5.7.2.1", &text)]));
    }),
    ("policy-mappings.any", authority, |c| {
        c.set(MAPPINGS, Some(true), list(&[sequence(&[&oid("2.5.29.32.0"), &oid("1.2.4")])]));
    }),
    ("policy-mappings.any", authority, |c| c.set(MAPPINGS, Some(true), sequence(&[]))),
    ("policy-mappings.authority", leaf, |c| {
        c.set(MAPPINGS, Some(true), list(&[sequence(&[&oid("1.2.3"), &oid("1.2.4")])]));
    }),
    ("policy-mappings.critical", authority, |c| c.critical(MAPPINGS, None)),
    ("distribution-points.some", leaf, |c| c.set(CDP, None, sequence(&[]))),
    ("distribution-points.some", leaf, |c| c.set(CDP, None, list(&[sequence(&[&der(0x81, &[&[7, 0x80]])])]))),
    ("distribution-points.uri", leaf, |c| c.set(CDP, None, list(&[point("crl.pem")]))),
    ("distribution-points.uri", leaf, |c| c.set(FRESHEST, None, list(&[point("http:///crl")]))),
    ("distribution-points.uri", leaf, |c| c.set(CDP, None, list(&[point("urn:crl")]))),
    ("distribution-points.not-critical", leaf, |c| c.critical(CDP, Some(true))),
    ("freshest-crl.not-critical", leaf, |c| {
        c.set(FRESHEST, Some(true), list(&[point("http://a.example/d")]))
    }),
    ("access.some", leaf, |c| c.set(AIA, None, sequence(&[]))),
    ("access.not-critical", leaf, |c| c.critical(AIA, Some(true))),
    ("access.uri", leaf, |c| c.set(AIA, None, list(&[access("1.3.6.1.5.5.7.48.2", "ca.crt")]))),
    ("no-revocation.alone", leaf, |c| c.set(NO_REVOCATION, None, [5, 0])),
    ("no-revocation.alone", leaf, |c| {
        c.drop(CDP);
        c.set(NO_REVOCATION, None, [5, 0]);
    }),
    ("no-revocation.end-entity", authority, |c| c.set(NO_REVOCATION, None, [5, 0])),
    ("no-revocation.not-critical", leaf, |c| {
        c.drop(CDP);
        c.drop(AIA);
        c.set(NO_REVOCATION, Some(true), [5, 0]);
    }),
];

#[test]
fn sound_certificates_have_no_findings() {
    for (name, base, change) in SOUND {
        let mut parts = base();
        change(&mut parts);
        assert_eq!(lint::certificate(&parts.der()), [], "{name}");
    }
}

#[test]
fn each_lint_finds_what_breaks_it() {
    for (row, (lint, base, change)) in BROKEN.iter().enumerate() {
        let mut parts = base();
        change(&mut parts);
        assert_eq!(ids(&lint::certificate(&parts.der())), [*lint], "row {row}");
    }
}

#[test]
fn without_extensions_much_is_missing() {
    let mut parts = leaf();
    parts.extensions.clear();
    assert_eq!(
        ids(&lint::certificate(&parts.der())),
        ["extension.present", "authority-key-identifier.present"]
    );
}
