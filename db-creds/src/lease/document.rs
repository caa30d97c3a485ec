//! A lease as a store keeps it.

use std::sync::Arc;

use super::{
    Activation, Lease, LeaseId, LeaseState, LeaseSubject, LeaseTerms, Revocation, UserWithCertificate,
};
use crate::time::UnixTime;

/// A stored lease: format and every field. It holds no password.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseDocument {
    format: u32,
    id: LeaseId,
    user: Option<String>,
    certificate: Option<String>,
    terms: LeaseTerms,
    issued_at: UnixTime,
    expires_at: UnixTime,
    renewed_at: Option<UnixTime>,
    activation: Option<Activation>,
    state: StateDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StateDocument {
    Pending { holder: u64 },
    Active,
    Revoking(Revocation),
    Revoked { at: UnixTime },
    Frozen(Box<Self>),
}

impl LeaseDocument {
    /// The format that this version writes.
    pub const FORMAT: u32 = 1;

    /// Reads a document of any format up to the present one.
    ///
    /// # Errors
    ///
    /// [`LeaseDocumentError`] for a newer format, an unknown field, or something that is no document.
    pub fn from_json(json: &[u8]) -> Result<Self, LeaseDocumentError> {
        crate::document::read(json, Self::FORMAT, |document: &Self| document.format)
    }

    /// Writes the document.
    ///
    /// # Errors
    ///
    /// [`LeaseDocumentError::Malformed`], which no lease in memory leads to.
    pub fn to_json(&self) -> Result<String, LeaseDocumentError> {
        crate::document::write(self)
    }
}

impl From<&Lease> for LeaseDocument {
    fn from(lease: &Lease) -> Self {
        let Lease { id, subject, terms, issued_at, expires_at, renewed_at, activation, state } = lease;
        Self {
            format: Self::FORMAT,
            id: id.clone(),
            user: subject.user().map(Into::into),
            certificate: subject.certificate().map(Into::into),
            terms: terms.as_ref().clone(),
            issued_at: *issued_at,
            expires_at: *expires_at,
            renewed_at: *renewed_at,
            activation: *activation,
            state: state.into(),
        }
    }
}

impl TryFrom<LeaseDocument> for Lease {
    type Error = LeaseDocumentError;

    fn try_from(document: LeaseDocument) -> Result<Self, LeaseDocumentError> {
        let LeaseDocument {
            format: _,
            id,
            user,
            certificate,
            terms,
            issued_at,
            expires_at,
            renewed_at,
            activation,
            state,
        } = document;
        let subject = match (user, certificate) {
            (Some(user), None) => LeaseSubject::User(user.into()),
            (None, Some(serial)) => LeaseSubject::Certificate(serial.into()),
            (Some(user), Some(serial)) => {
                LeaseSubject::UserWithCertificate(Box::new(UserWithCertificate { user, serial }))
            }
            (None, None) => {
                return Err(LeaseDocumentError::Malformed {
                    problem: format!("{id} has neither a user nor a certificate"),
                });
            }
        };
        Ok(Self {
            id,
            subject,
            terms: Arc::new(terms),
            issued_at,
            expires_at,
            renewed_at,
            activation,
            state: state.into(),
        })
    }
}

impl From<&LeaseState> for StateDocument {
    fn from(state: &LeaseState) -> Self {
        match state {
            LeaseState::Pending { holder } => Self::Pending { holder: *holder },
            LeaseState::Active => Self::Active,
            LeaseState::Revoking(revocation) => Self::Revoking(revocation.as_ref().clone()),
            LeaseState::Revoked { at } => Self::Revoked { at: *at },
            LeaseState::Frozen(before) => Self::Frozen(Box::new(before.as_ref().into())),
        }
    }
}

impl From<StateDocument> for LeaseState {
    fn from(state: StateDocument) -> Self {
        match state {
            StateDocument::Pending { holder } => Self::Pending { holder },
            StateDocument::Active => Self::Active,
            StateDocument::Revoking(revocation) => Self::Revoking(Box::new(revocation)),
            StateDocument::Revoked { at } => Self::Revoked { at },
            StateDocument::Frozen(before) => Self::Frozen(Box::new((*before).into())),
        }
    }
}

impl serde::Serialize for UnixTime {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.as_secs())
    }
}

impl<'de> serde::Deserialize<'de> for UnixTime {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(from)?;
        Self::from_secs(seconds).ok_or_else(|| serde::de::Error::custom("a time after the year 9999"))
    }
}

pub use crate::document::DocumentError as LeaseDocumentError;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::RevocationCause;
    use crate::lease::tests::{active, at, pending};

    const FIXTURE: &str = include_str!("fixtures/lease-format-1.json");

    #[test]
    fn every_state_is_read_as_it_was_written() {
        let revoking = active(3).revoke(RevocationCause::Asked, at(2_000)).unwrap();
        let both = UserWithCertificate { user: "v-x".into(), serial: "01:02".into() };
        for lease in [
            pending(1),
            active(2),
            revoking.retry("down \"x\"".into(), at(2_002), at(2_000)).unwrap(),
            revoking.revoked(at(2_001)).unwrap(),
            revoking.freeze(),
            Lease { subject: LeaseSubject::Certificate("01:02".into()), ..active(6) },
            Lease { subject: LeaseSubject::UserWithCertificate(Box::new(both)), ..active(7) },
        ] {
            let json = LeaseDocument::from(&lease).to_json().unwrap();
            let read: Lease = LeaseDocument::from_json(json.as_bytes()).unwrap().try_into().unwrap();
            assert_eq!(read, lease);
        }
    }

    #[test]
    fn the_first_format_stays_readable() {
        let document = LeaseDocument::from_json(FIXTURE.as_bytes()).unwrap();
        assert_eq!(document.to_json().unwrap(), FIXTURE.trim_end());
        let lease: Lease = document.try_into().unwrap();
        assert_eq!(lease.subject.user(), Some("v-root-ro-3"));
    }

    #[test]
    fn what_is_no_lease_is_refused() {
        let wrong = |from: &str, to: &str| FIXTURE.replacen(from, to, 1);
        for (name, json, wanted) in [
            ("empty", String::new(), "EOF"),
            ("a newer format", wrong("\"format\":1", "\"format\":2,\"shape\":[]"), "format 2"),
            ("an unknown field", wrong("\"format\":1", "\"format\":1,\"colour\":3"), "colour"),
            ("an unknown state", wrong("\"revoking\"", "\"resting\""), "resting"),
            ("no field may be missing", wrong("\"issued_at\":1000,", ""), "issued_at"),
            ("an id of another kind", wrong("/creds/", "/config/"), "no lease id"),
            ("a time after all times", wrong("1000", "999999999999999"), "9999"),
        ] {
            let error = LeaseDocument::from_json(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(wanted), "{name}: {error}");
        }
        let nobody = wrong("\"v-root-ro-3\"", "null");
        let document = LeaseDocument::from_json(nobody.as_bytes()).unwrap();
        assert!(Lease::try_from(document).is_err());
    }
}
