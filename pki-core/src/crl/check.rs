//! A list against an authority's log of revocations: what is there, what is missing, what nobody explains.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::{CertificateRevocationList, CrlNumber, CrlPeriod, CrlScope, Extent};
use crate::issuer::IssuerCertificate;
use crate::key::{VerifyError, VerifySignature};
use crate::name::DistinguishedName;
use crate::revocation::{LoggedRevocation, Retention, RevokedCertificate};
use crate::serial::SerialNumber;
use crate::time::UnixTime;

/// What a list is held against.
#[derive(Clone, Copy, Debug)]
pub struct CrlCheck<'a> {
    /// The authority, by one of its certificates.
    pub issuer: &'a IssuerCertificate,
    /// What the list should cover.
    pub scope: &'a CrlScope,
    /// The list that is published and has every entry, if the one at hand is to follow it.
    pub published: Option<CrlPeriod>,
    /// How long entries stay.
    pub retention: Retention,
    /// When it is asked.
    pub now: UnixTime,
}

impl CrlCheck<'_> {
    /// Every difference between the list and what it should be. `log` are the revocations in its scope: all of them for a
    /// complete list, those since its base for a delta. An empty answer is the proof that list and log say the same.
    pub fn differences(
        &self,
        list: &CertificateRevocationList,
        log: impl IntoIterator<Item = LoggedRevocation>,
        verifier: &dyn VerifySignature,
    ) -> Vec<CrlDifference> {
        let mut differences = Vec::new();
        self.authority(list, verifier, &mut differences);
        self.scope(list, &mut differences);
        self.dates(list, &mut differences);
        self.entries(list, log, &mut differences);
        differences
    }

    /// RFC 5280 5.1.2.3, 5.2.1, 6.3.3 (f), (g): whose list it is.
    fn authority(
        &self,
        list: &CertificateRevocationList,
        verifier: &dyn VerifySignature,
        found: &mut Vec<CrlDifference>,
    ) {
        if list.issuer().der() != self.issuer.subject().der() {
            found.push(CrlDifference::IssuerName { listed: list.issuer().clone() });
        }
        if !self.issuer.may_sign_crls() {
            found.push(CrlDifference::NoCrlSign);
        }
        let identifier = list.authority_key_identifier();
        if identifier.is_none_or(|identifier| identifier != *self.issuer.key_identifier()) {
            found.push(CrlDifference::KeyIdentifier);
        }
        if let Err(error) = list.verify_signature(self.issuer.certificate().public_key(), verifier) {
            found.push(CrlDifference::Signature(error));
        }
    }

    /// RFC 5280 5.2.4, 5.2.5. Where deltas are is the list's own to say.
    fn scope(&self, list: &CertificateRevocationList, found: &mut Vec<CrlDifference>) {
        let same = list.scope().is_some_and(|listed| {
            let extents_agree = match (&listed.extent, &self.scope.extent) {
                (Extent::Complete { .. }, Extent::Complete { .. }) => true,
                (listed, wanted) => listed == wanted,
            };
            extents_agree && listed.coverage == self.scope.coverage
        });
        if !same {
            found.push(CrlDifference::Scope);
        }
    }

    /// RFC 5280 5.1.2.4, 5.1.2.5, 5.2.3.
    fn dates(&self, list: &CertificateRevocationList, found: &mut Vec<CrlDifference>) {
        let this_update = list.this_update();
        match list.next_update() {
            None => found.push(CrlDifference::NoNextUpdate),
            Some(next_update) if next_update < self.now => {
                found.push(CrlDifference::Lapsed { next_update });
            }
            Some(_) => {}
        }
        if this_update > self.now {
            found.push(CrlDifference::NotYet { this_update });
        }
        match (list.number(), self.published) {
            (None, _) => found.push(CrlDifference::NoNumber),
            (Some(number), Some(published)) => {
                if number <= published.number {
                    found.push(CrlDifference::Number { number, published: published.number });
                }
                if this_update < published.this_update {
                    found.push(CrlDifference::ThisUpdate { this_update, published: published.this_update });
                }
            }
            (Some(_), None) => {}
        }
    }

    /// RFC 5280 3.3, 5.1.2.6, 5.3.
    fn entries(
        &self,
        list: &CertificateRevocationList,
        log: impl IntoIterator<Item = LoggedRevocation>,
        found: &mut Vec<CrlDifference>,
    ) {
        let mut logged: BTreeMap<SerialNumber, LoggedRevocation> =
            log.into_iter().map(|revocation| (revocation.certificate.serial, revocation)).collect();
        for listed in list.entries().flatten() {
            let serial = listed.serial;
            match logged.remove(&serial).map(|revocation| revocation.certificate) {
                None => found.push(CrlDifference::Unexplained { serial }),
                Some(logged) if logged != listed => found.push(CrlDifference::Entry { logged, listed }),
                Some(_) => {}
            }
        }
        // What was listed before, past its certificate's end, may be gone; nothing else may.
        let listed = self.published.map(|published| published.this_update);
        for revocation in logged.into_values() {
            if revocation.release(self.retention, listed, list.this_update()).is_none() {
                found.push(CrlDifference::Missing { serial: revocation.certificate.serial });
            }
        }
    }
}

/// One difference between a list and what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrlDifference {
    /// An entry with another time, reason or invalidity date than the log has.
    Entry {
        /// What the log has.
        logged: RevokedCertificate,
        /// What the list has.
        listed: RevokedCertificate,
    },
    /// It is in the name of another issuer.
    IssuerName {
        /// Whose.
        listed: DistinguishedName,
    },
    /// Its authority key identifier is absent, or names another key.
    KeyIdentifier,
    /// It is past its nextUpdate.
    Lapsed {
        /// When that was.
        next_update: UnixTime,
    },
    /// A revocation of the log that it does not list.
    Missing {
        /// Which.
        serial: SerialNumber,
    },
    /// The issuer's key usage lacks cRLSign.
    NoCrlSign,
    /// It does not say when the next one comes.
    NoNextUpdate,
    /// It has no number.
    NoNumber,
    /// It speaks from a later time on.
    NotYet {
        /// Which.
        this_update: UnixTime,
    },
    /// Its number is not above the published one.
    Number {
        /// Its number.
        number: CrlNumber,
        /// The published one.
        published: CrlNumber,
    },
    /// It covers something else than it should.
    Scope,
    /// Its signature is not one of the authority's key.
    Signature(VerifyError),
    /// It begins before the published one.
    ThisUpdate {
        /// When it begins.
        this_update: UnixTime,
        /// When the published one does.
        published: UnixTime,
    },
    /// An entry that no revocation of the log explains.
    Unexplained {
        /// Which.
        serial: SerialNumber,
    },
}

impl fmt::Display for CrlDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry { logged, listed } => {
                write!(f, "{} is listed as ", logged.serial)?;
                describe(listed, f)?;
                f.write_str(" and logged as ")?;
                describe(logged, f)
            }
            Self::IssuerName { listed } => write!(f, "it is a CRL of \"{listed}\", of another authority"),
            Self::KeyIdentifier => {
                f.write_str("its authority key identifier is not the authority's (RFC 5280 5.2.1)")
            }
            Self::Lapsed { next_update } => write!(f, "it lapsed: its next update was {next_update}"),
            Self::Missing { serial } => write!(f, "{serial} was revoked and is not on it"),
            Self::NoCrlSign => f.write_str("the authority's key usage lacks cRLSign (RFC 5280 4.2.1.3)"),
            Self::NoNextUpdate => f.write_str("it has no next update (RFC 5280 5.1.2.5)"),
            Self::NoNumber => f.write_str("it has no number (RFC 5280 5.2.3)"),
            Self::NotYet { this_update } => write!(f, "it begins only at {this_update}"),
            Self::Number { number, published } => {
                write!(f, "its number {number} is not above the published {published}")
            }
            Self::Scope => {
                f.write_str("it covers something else than wanted: see its issuing distribution point")
            }
            Self::Signature(error) => write!(f, "its signature does not stand: {error}"),
            Self::ThisUpdate { this_update, published } => {
                write!(f, "its this update {this_update} is before the published one's, {published}")
            }
            Self::Unexplained { serial } => write!(f, "{serial} is on it and was never revoked here"),
        }
    }
}

fn describe(certificate: &RevokedCertificate, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "revoked {} ({}", certificate.revoked_at, certificate.reason)?;
    match certificate.invalidity_date {
        Some(date) => write!(f, ", invalid since {date})"),
        None => f.write_str(")"),
    }
}
