//! CSR files.

use std::path::Path;

use pki_core::csr::{CertificationRequest, CsrError};
use pki_core::key::{VerifyError, VerifySignature};

use crate::fault::Fault;
use crate::input::{self, Limit};

/// A CSR from a file, PEM or DER, with possession of its key proved.
///
/// # Errors
///
/// A refusal where possession is not proved or the key cannot be certified; usage for what does not parse.
pub(crate) fn read(file: &Path, verifier: &dyn VerifySignature) -> Result<CertificationRequest, Fault> {
    let octets = input::read(file, Limit::Csr)?;
    let request = match std::str::from_utf8(&octets) {
        Ok(text) if text.contains("-----BEGIN ") => CertificationRequest::from_pem(text, verifier),
        _ => CertificationRequest::from_der(&octets, verifier),
    };
    request.map_err(|error| {
        let fault = format!("{}: {error}", input::name(file));
        match error {
            CsrError::Signature(VerifyError::UnsupportedAlgorithm) => Fault::refused(
                fault,
                "sign the CSR with SHA-256 or better; with PSS: `openssl req -new -key KEY -sigopt rsa_padding_mode:pss \
                 -sigopt rsa_pss_saltlen:digest`",
            ),
            CsrError::Signature(_) => Fault::refused(
                fault,
                "make the CSR again with the key that it is for, such as `openssl req -new -key KEY`",
            ),
            CsrError::PublicKey(_) => Fault::refused(
                fault,
                "use a key that is certified: RSA of 2048 to 4096 bits (rsaEncryption), P-256, P-384, P-521, Ed25519, ML-DSA",
            ),
            CsrError::Blocks { count } if count > 1 => {
                Fault::usage(fault, "keep one CERTIFICATE REQUEST block in the file")
            }
            _ => Fault::usage(fault, "give one certification request (PKCS#10), PEM or DER"),
        }
    })
}

/// Whether a CSR that was read is refused by a rule, rather than unreadable.
pub(crate) const fn refuses(error: &CsrError) -> bool {
    matches!(error, CsrError::Signature(_) | CsrError::PublicKey(_))
}
