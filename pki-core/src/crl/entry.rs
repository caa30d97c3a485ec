//! Entries: the certificates that a list revokes (RFC 5280 5.1.2.6, 5.3).

use alloc::vec::Vec;

use der::{Reader, SliceReader, Tag};

use super::{CrlError, malformed};
use crate::extension;
use crate::oid::{self, Oid};
use crate::revocation::{RevocationReason, RevokedCertificate};
use crate::serial::SerialNumber;
use crate::tlv::{self, Tlv};

impl RevokedCertificate {
    /// The entry's DER (RFC 5280 5.1.2.6), which a store keeps so that building a list is copying.
    pub fn entry_der(&self) -> Vec<u8> {
        let mut der = Tlv::with_capacity(64);
        der.nest(tlv::SEQUENCE, |entry| {
            entry.value(tlv::INTEGER, self.serial.der_content()).time(self.revoked_at);
            // RFC 5280 5.3.1: the reason is left out rather than written as unspecified.
            if self.reason != RevocationReason::Unspecified {
                entry
                    .nest(tlv::SEQUENCE, |extensions| extension::reason_code(extensions, self.reason.code()));
            }
        });
        der.into_vec()
    }
}

pub(super) fn read_entry(reader: &mut SliceReader<'_>) -> Result<RevokedCertificate, CrlError> {
    let mut entry =
        SliceReader::new(tlv::content_of(reader, Tag::Sequence).map_err(malformed)?).map_err(malformed)?;
    let serial = tlv::content_of(&mut entry, Tag::Integer).map_err(malformed)?;
    let serial = SerialNumber::from_be_bytes(serial).map_err(|_| CrlError::Malformed)?;
    let revoked_at = tlv::read_time(&mut entry).map_err(malformed)?;
    let mut reason = RevocationReason::Unspecified;
    if !entry.is_finished() {
        for extension in extension::read_all(tlv::content_of(&mut entry, Tag::Sequence).map_err(malformed)?)
            .map_err(malformed)?
        {
            if extension.id == Oid(oid::REASON_CODE) {
                let code = tlv::read_all(&extension.value, |r| tlv::content_of(r, Tag::Enumerated))
                    .map_err(malformed)?;
                let code = match code {
                    [code] => RevocationReason::from_code(*code),
                    _ => None,
                };
                reason = code.ok_or(CrlError::Malformed)?;
            }
        }
    }
    entry.finish().map_err(malformed)?;
    Ok(RevokedCertificate { serial, revoked_at, reason })
}
