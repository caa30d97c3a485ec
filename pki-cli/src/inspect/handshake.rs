//! What a TLS 1.3 handshake would carry of a chain (RFC 8446 4.4): the price of large keys and signatures.

use pki_core::certificate::Certificate;
use serde_json::{Value, json};

use super::{Lines, View};

/// The octets of a server's Certificate and CertificateVerify messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    certificates: usize,
    certificate_octets: usize,
    verify_octets: usize,
}

impl Handshake {
    /// Of the first certificate's chain, in the order of the file. A root is not sent: the client has it, or does not
    /// trust it.
    pub(super) fn of(chain: &[Certificate]) -> Option<Self> {
        let (leaf, above) = chain.split_first()?;
        let sent = above.iter().filter(|certificate| !certificate.is_self_issued());
        let lengths: Vec<usize> = std::iter::once(leaf).chain(sent).map(|sent| sent.der().len()).collect();
        Some(Self {
            certificates: lengths.len(),
            certificate_octets: MESSAGE_HEADER
                + CERTIFICATE_HEADER
                + lengths.iter().map(|length| length + ENTRY_HEADER).sum::<usize>(),
            verify_octets: MESSAGE_HEADER + VERIFY_HEADER + leaf.public_key().signature_octets(),
        })
    }

    pub(super) fn view(self) -> View {
        let mut text = Lines::new("TLS 1.3 handshake, with the first certificate as the server's");
        let plural = if self.certificates == 1 { "" } else { "s" };
        text.line(
            "certificate",
            &format!("{} octets for {} certificate{plural}", self.certificate_octets, self.certificates),
        );
        text.line("certificate verify", &format!("{} octets at most", self.verify_octets));
        text.line("together", &format!("{} octets", self.certificate_octets + self.verify_octets));
        View { text: text.text(), json: self.json() }
    }

    fn json(self) -> Value {
        json!({
            "certificates": self.certificates,
            "certificate_octets": self.certificate_octets,
            "certificate_verify_octets": self.verify_octets,
        })
    }
}

/// RFC 8446 4: type and length.
const MESSAGE_HEADER: usize = 4;
/// RFC 8446 4.4.2: an empty request context, and the length of the list.
const CERTIFICATE_HEADER: usize = 1 + 3;
/// RFC 8446 4.4.2: the length of a certificate, and an empty list of extensions.
const ENTRY_HEADER: usize = 3 + 2;
/// RFC 8446 4.4.3: the algorithm, and the length of the signature.
const VERIFY_HEADER: usize = 2 + 2;
