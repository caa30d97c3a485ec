//! Entries: the certificates that a list revokes (RFC 5280 5.1.2.6, 5.3).

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};

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
        self.encode(&mut der);
        der.into_vec()
    }

    pub(super) fn encode(&self, der: &mut Tlv) {
        let Self { serial, revoked_at, reason, invalidity_date } = self;
        der.nest(tlv::SEQUENCE, |entry| {
            entry.value(tlv::INTEGER, serial.der_content()).time(*revoked_at);
            // RFC 5280 5.3.1: the reason is left out rather than written as unspecified.
            let reason = Some(*reason).filter(|reason| *reason != RevocationReason::Unspecified);
            if reason.is_some() || invalidity_date.is_some() {
                entry.nest(tlv::SEQUENCE, |extensions| {
                    if let Some(reason) = reason {
                        extension::reason_code(extensions, reason.code());
                    }
                    if let Some(date) = invalidity_date {
                        extension::invalidity_date(extensions, *date);
                    }
                });
            }
        });
    }
}

/// Reads entries that follow one another, such as a store keeps them.
pub fn entries(der: &[u8]) -> impl Iterator<Item = Result<RevokedCertificate, CrlError>> + '_ {
    let mut reader = SliceReader::new(der).ok();
    core::iter::from_fn(move || {
        let open = reader.as_mut().filter(|reader| !reader.is_finished())?;
        let entry = read_entry(open);
        if entry.is_err() {
            reader = None;
        }
        Some(entry)
    })
}

fn read_entry(reader: &mut SliceReader<'_>) -> Result<RevokedCertificate, CrlError> {
    let content = tlv::content_of(reader, Tag::Sequence).map_err(malformed)?;
    let mut entry = SliceReader::new(content).map_err(malformed)?;
    let serial = tlv::content_of(&mut entry, Tag::Integer).map_err(malformed)?;
    let serial = SerialNumber::from_be_bytes(serial)
        .ok()
        // X.690 8.3.2: the shortest form.
        .filter(|read| read.der_content() == serial)
        .ok_or(CrlError::Malformed)?;
    let revoked_at = tlv::read_time(&mut entry).map_err(malformed)?;
    let mut revoked = RevokedCertificate::new(serial, revoked_at, RevocationReason::Unspecified);
    if !entry.is_finished() {
        let content = tlv::content_of(&mut entry, Tag::Sequence).map_err(malformed)?;
        read_extensions(content, &mut revoked)?;
    }
    entry.finish().map_err(malformed)?;
    Ok(revoked)
}

/// RFC 5280 5.3. Read in place: a list may have a million of them.
fn read_extensions(content: &[u8], revoked: &mut RevokedCertificate) -> Result<(), CrlError> {
    let mut reader = SliceReader::new(content).map_err(malformed)?;
    let (mut reason, mut invalidity) = (None, None);
    while !reader.is_finished() {
        let extension = tlv::content_of(&mut reader, Tag::Sequence).map_err(malformed)?;
        let mut fields = SliceReader::new(extension).map_err(malformed)?;
        let id = ObjectIdentifier::decode(&mut fields).map_err(malformed)?;
        let critical = Tag::peek(&fields).map_err(malformed)? == Tag::Boolean
            && bool::decode(&mut fields).map_err(malformed)?;
        let value = tlv::content_of(&mut fields, Tag::OctetString).map_err(malformed)?;
        fields.finish().map_err(malformed)?;
        match id {
            oid::REASON_CODE => {
                let code =
                    tlv::read_all(value, |r| tlv::content_of(r, Tag::Enumerated)).map_err(malformed)?;
                let [code] = code else { return Err(CrlError::Malformed) };
                let code = RevocationReason::from_code(*code).ok_or(CrlError::Malformed)?;
                if reason.replace(code).is_some() {
                    return Err(CrlError::Malformed);
                }
            }
            oid::INVALIDITY_DATE => {
                let date = tlv::read_all(value, tlv::read_generalized_time).map_err(malformed)?;
                if invalidity.replace(date).is_some() {
                    return Err(CrlError::Malformed);
                }
            }
            // RFC 5280 5.3: who does not understand a critical one must not use the list. The one there is names another
            // issuer, in an indirect CRL.
            id if critical => {
                return Err(CrlError::Extension {
                    id: Oid(id),
                    rule: "an entry has it marked critical, and it is not known here (RFC 5280 5.3)",
                });
            }
            _ => {}
        }
    }
    revoked.reason = reason.unwrap_or_default();
    revoked.invalidity_date = invalidity;
    Ok(())
}
