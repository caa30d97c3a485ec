//! PEM: the textual form of certificates, requests, CRLs and keys (RFC 7468).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64, Encoding};
use zeroize::{Zeroize, Zeroizing};

/// The label of a certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The label of a certification request (PKCS#10).
pub const CERTIFICATE_REQUEST: &str = "CERTIFICATE REQUEST";
/// The label that old programs write for a certification request.
pub const NEW_CERTIFICATE_REQUEST: &str = "NEW CERTIFICATE REQUEST";
/// The label of a certificate revocation list.
pub const X509_CRL: &str = "X509 CRL";
/// The label of a SubjectPublicKeyInfo.
pub const PUBLIC_KEY: &str = "PUBLIC KEY";
/// The label of a private key in PKCS#8.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";
/// The label of an encrypted private key in PKCS#8.
pub const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";
/// The label of an RSA private key in PKCS#1.
pub const RSA_PRIVATE_KEY: &str = "RSA PRIVATE KEY";
/// The label of an EC private key in SEC 1.
pub const EC_PRIVATE_KEY: &str = "EC PRIVATE KEY";
/// The label of the curve that `openssl ecparam -genkey` writes before its key.
pub const EC_PARAMETERS: &str = "EC PARAMETERS";

/// One block between `-----BEGIN` and `-----END`.
#[derive(Clone, PartialEq, Eq)]
pub struct PemBlock {
    /// What the block says it is, such as [`CERTIFICATE`].
    pub label: String,
    /// What it contains; it may be a private key.
    pub der: Zeroizing<Vec<u8>>,
}

/// Says how long the content is, not what it is: it may be a private key.
impl fmt::Debug for PemBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PemBlock").field("label", &self.label).field("octets", &self.der.len()).finish()
    }
}

/// Writes one block: 64 columns, LF, a final newline.
///
/// The text of a private key is a secret: wrap it in [`Zeroizing`].
pub fn encode(label: &str, der: &[u8]) -> String {
    // The exact length at once, so that no copy of a secret is left behind by growth.
    let digits = der.len().div_ceil(3) * 4;
    let newlines = digits.div_ceil(COLUMNS);
    let mut text = String::with_capacity(digits + newlines + 2 * label.len() + 32);
    text.push_str(BEGIN);
    text.push_str(label);
    text.push_str(DASHES);
    text.push('\n');
    let mut line = [0_u8; COLUMNS];
    for octets in der.chunks(COLUMNS / 4 * 3) {
        // 48 octets are 64 digits: the buffer is never too small.
        text.push_str(Base64::encode(octets, &mut line).unwrap_or_default());
        text.push('\n');
    }
    line.zeroize();
    text.push_str(END);
    text.push_str(label);
    text.push_str(DASHES);
    text.push('\n');
    text
}

/// Reads every block of `text`, in order.
///
/// Text before, between and after the blocks is allowed (RFC 7468 2), and lines may be of any length and end in
/// LF or CRLF. The caller bounds the size of `text`.
///
/// # Errors
///
/// [`PemError`] for a block that has no end, another end, headers, or content that is not base64; and when there
/// is no block at all.
pub fn parse(text: &str) -> Result<Vec<PemBlock>, PemError> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    // One buffer for all blocks, never grown: no copy of a secret is left behind, and many small blocks cost no
    // more than one large one.
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    while let Some(line) = lines.next() {
        let Some(label) = label(line, BEGIN) else { continue };
        blocks.push(block(label, &mut lines, &mut digits)?);
    }
    if blocks.is_empty() {
        return Err(PemError::NoBlock);
    }
    Ok(blocks)
}

/// The rest of a block that began with `label`.
fn block<'a>(
    label_begun: &str,
    lines: &mut impl Iterator<Item = &'a str>,
    digits: &mut Vec<u8>,
) -> Result<PemBlock, PemError> {
    digits.clear();
    for line in lines {
        if let Some(ended) = label(line, END) {
            if ended != label_begun {
                return Err(PemError::OtherEnd { begun: label_begun.to_string(), ended: ended.to_string() });
            }
            return Ok(PemBlock {
                label: label_begun.to_string(),
                der: decode(digits).ok_or_else(|| PemError::NotBase64 { label: label_begun.to_string() })?,
            });
        }
        if line.starts_with(BEGIN) {
            break;
        }
        // RFC 1421 headers, such as "Proc-Type: 4,ENCRYPTED"; ':' is no base64 digit.
        if line.contains(':') {
            return Err(PemError::Headers { label: label_begun.to_string() });
        }
        digits.extend(line.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    }
    Err(PemError::NoEnd { label: label_begun.to_string() })
}

fn decode(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut der = Zeroizing::new(alloc::vec![0_u8; digits.len() / 4 * 3]);
    let length = Base64::decode(digits, &mut der).ok()?.len();
    der.truncate(length);
    Some(der)
}

/// The label of a `-----BEGIN` or `-----END` line.
fn label<'a>(line: &'a str, boundary: &str) -> Option<&'a str> {
    line.trim_end().strip_prefix(boundary)?.strip_suffix(DASHES)
}

/// Text that is not PEM (RFC 7468).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemError {
    /// A block with headers, as the old encryption of private keys has.
    Headers {
        /// The block's label.
        label: String,
    },
    /// No `-----BEGIN` line.
    NoBlock,
    /// A block without `-----END` line.
    NoEnd {
        /// The block's label.
        label: String,
    },
    /// Content that is not padded base64.
    NotBase64 {
        /// The block's label.
        label: String,
    },
    /// A block that ends with another label than it begins with.
    OtherEnd {
        /// The label of the `-----BEGIN` line.
        begun: String,
        /// The label of the `-----END` line.
        ended: String,
    },
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Headers { label } => write!(
                f,
                "the PEM block {label:?} has headers (RFC 1421); only blocks without headers are accepted (RFC 7468)"
            ),
            Self::NoBlock => {
                f.write_str("this is not PEM: there is no line such as -----BEGIN CERTIFICATE-----")
            }
            Self::NoEnd { label } => {
                write!(f, "the PEM block {label:?} is cut off: its line -----END {label}----- is missing")
            }
            Self::NotBase64 { label } => {
                write!(f, "the PEM block {label:?} is damaged: its content is not padded base64")
            }
            Self::OtherEnd { begun, ended } => {
                write!(f, "the PEM block {begun:?} is damaged: it ends as {ended:?}")
            }
        }
    }
}

impl core::error::Error for PemError {}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// RFC 7468 2: "generators MUST wrap the base64-encoded lines so that each line consists of exactly 64 characters
/// except for the final line".
const COLUMNS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(der in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = encode(CERTIFICATE, &der);
            prop_assert!(text.lines().all(|line| line.len() <= 64));
            prop_assert!(text.ends_with("-----END CERTIFICATE-----\n"));
            for text in [text.clone(), text.replace('\n', "\r\n"), format!("subject=x\n{text}\ntrailing: text")] {
                let blocks = parse(&text).unwrap();
                prop_assert_eq!(blocks.len(), 1);
                prop_assert_eq!(&blocks[0].label, CERTIFICATE);
                prop_assert_eq!(&*blocks[0].der, &der);
            }
        }

        #[test]
        fn random_text_never_panics(text in "(-----BEGIN [A-Z ]{0,5}-----|-----END [A-Z ]{0,5}-----|[A-Za-z0-9+/=: ]{0,9}|\r?\n){0,20}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn what_is_not_pem_is_refused() {
        let whole = encode(PRIVATE_KEY, &[7; 60]);
        let label = || PRIVATE_KEY.to_string();
        for (text, error) in [
            (String::new(), PemError::NoBlock),
            ("MIIB".into(), PemError::NoBlock),
            (whole.lines().take(2).collect::<Vec<_>>().join("\n"), PemError::NoEnd { label: label() }),
            (format!("-----BEGIN PRIVATE KEY-----\n{whole}"), PemError::NoEnd { label: label() }),
            (whole.replace("Bwc", "B-c"), PemError::NotBase64 { label: label() }),
            (whole.replacen("Bwc", "Bw", 1), PemError::NotBase64 { label: label() }),
            (
                whole.replace("END PRIVATE", "END PUBLIC"),
                PemError::OtherEnd { begun: label(), ended: PUBLIC_KEY.into() },
            ),
            (
                whole.replace("KEY-----\nB", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nB"),
                PemError::Headers { label: label() },
            ),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn many_small_blocks_are_read_in_linear_time() {
        let text = encode(CERTIFICATE, &[1]).repeat(20_000);
        assert_eq!(parse(&text).unwrap().len(), 20_000);
    }

    #[test]
    fn debug_shows_no_content() {
        let blocks = parse(&encode(PRIVATE_KEY, b"secret")).unwrap();
        assert_eq!(format!("{:?}", blocks[0]), "PemBlock { label: \"PRIVATE KEY\", octets: 6 }");
    }
}
