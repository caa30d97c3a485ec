//! Why and when a certificate was revoked (RFC 5280 5.1.2.6, 5.3.1).

use core::fmt;
use core::time::Duration;

use crate::serial::SerialNumber;
use crate::time::UnixTime;

/// The reasons of RFC 5280 5.3.1. Value 7 is not used there, and so not here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RevocationReason {
    /// 0: none was given. Not encoded: RFC 5280 5.3.1 wants the extension absent instead.
    #[default]
    Unspecified,
    /// 1: the subject's private key is known to, or suspected to be known to, somebody else.
    KeyCompromise,
    /// 2: the same, for a CA's key.
    CaCompromise,
    /// 3: the subject's name or other details have changed.
    AffiliationChanged,
    /// 4: another certificate replaces this one.
    Superseded,
    /// 5: the certificate is no longer needed.
    CessationOfOperation,
    /// 6: suspended; the only reason that can be taken back.
    CertificateHold,
    /// 8: on delta CRLs only: the entry leaves the list.
    RemoveFromCrl,
    /// 9: the subject may no longer do what the certificate says.
    PrivilegeWithdrawn,
    /// 10: the same as 2, for an attribute authority.
    AaCompromise,
}

impl RevocationReason {
    /// Every reason, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The CRLReason code (RFC 5280 5.3.1).
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The reason with this code; `None` for 7 and everything above 10.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The reason's name as commands and answers spell it: `key_compromise`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key_compromise",
            Self::CaCompromise => "ca_compromise",
            Self::AffiliationChanged => "affiliation_changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation_of_operation",
            Self::CertificateHold => "certificate_hold",
            Self::RemoveFromCrl => "remove_from_crl",
            Self::PrivilegeWithdrawn => "privilege_withdrawn",
            Self::AaCompromise => "aa_compromise",
        }
    }

    /// Reads a name in any of its usual spellings: `key_compromise`, `keyCompromise`, `key-compromise`.
    pub fn from_name(name: &str) -> Option<Self> {
        let letters = |text: &str| -> alloc::string::String {
            text.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = letters(name);
        Self::ALL.into_iter().find(|reason| letters(reason.name()) == wanted)
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A revoked certificate, as a CRL lists it (RFC 5280 5.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevokedCertificate {
    /// The serial number of the certificate.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub revoked_at: UnixTime,
    /// Why.
    pub reason: RevocationReason,
    /// Since when it is not to be trusted, where that is known (RFC 5280 5.3.2): often before it was revoked.
    pub invalidity_date: Option<UnixTime>,
}

impl RevokedCertificate {
    /// A certificate revoked at this time, for this reason.
    pub const fn new(serial: SerialNumber, revoked_at: UnixTime, reason: RevocationReason) -> Self {
        Self { serial, revoked_at, reason, invalidity_date: None }
    }

    /// The same, not to be trusted since `date`.
    #[must_use]
    pub const fn invalid_since(mut self, date: UnixTime) -> Self {
        self.invalidity_date = Some(date);
        self
    }
}

/// A revocation as an authority's log has it: what a list says, and the end of the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedRevocation {
    /// What a list says.
    pub certificate: RevokedCertificate,
    /// The certificate's notAfter; `None` for one that was never seen, which stays for ever.
    pub not_after: Option<UnixTime>,
}

impl LoggedRevocation {
    /// The proof that the entry may leave the lists, or `None` while it stays. `listed` is the thisUpdate of the newest
    /// published complete list with the entry on it.
    ///
    /// RFC 5280 3.3: an entry stays until it was on one list that was issued after the certificate's end; and the
    /// margin of `retention` longer.
    pub fn release(
        &self,
        retention: Retention,
        listed: Option<UnixTime>,
        now: UnixTime,
    ) -> Option<ReleasedEntry> {
        let not_after = self.not_after?;
        let retained_until = retention.until(not_after)?;
        let seen_past_its_end = listed.is_some_and(|this_update| this_update > not_after);
        (seen_past_its_end && now > retained_until)
            .then_some(ReleasedEntry { serial: self.certificate.serial, retained_until })
    }
}

/// How long entries stay on the lists of an authority past the end of their certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    margin: Duration,
}

impl Retention {
    /// So long.
    pub const fn new(margin: Duration) -> Self {
        Self { margin }
    }

    /// The last second of an entry whose certificate ends at `not_after`; `None` if it is past all time.
    pub fn until(self, not_after: UnixTime) -> Option<UnixTime> {
        not_after.checked_add(self.margin)
    }
}

/// Three days: Vault's `safety_buffer`, and the lifetime of a list by default, so that no verifier with a clock that is
/// wrong by less misses an entry.
impl Default for Retention {
    fn default() -> Self {
        Self::new(Duration::from_secs(72 * 3_600))
    }
}

/// The proof that an entry may leave the lists: made by [`LoggedRevocation::release`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleasedEntry {
    serial: SerialNumber,
    retained_until: UnixTime,
}

impl ReleasedEntry {
    /// Which certificate.
    pub const fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// Until when its entry had to stay.
    pub const fn retained_until(&self) -> UnixTime {
        self.retained_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back_to_their_reason() {
        for reason in RevocationReason::ALL {
            assert_eq!(RevocationReason::from_code(reason.code()), Some(reason));
            assert_eq!(RevocationReason::from_name(reason.name()), Some(reason));
        }
        assert_eq!(RevocationReason::from_name("keyCompromise"), Some(RevocationReason::KeyCompromise));
        assert_eq!(RevocationReason::from_code(7), None);
        assert_eq!(RevocationReason::from_code(11), None);
        assert_eq!(RevocationReason::from_name("because"), None);
    }

    #[test]
    fn entries_leave_after_their_margin_and_a_list_beyond_their_end() {
        let time = |seconds| UnixTime::from_secs(seconds).unwrap();
        let hour = 3_600;
        let (end, now) = (time(1_000_000), time(1_000_000 + 100 * hour));
        let retention = Retention::default();
        let long = Retention::new(Duration::from_secs(200 * hour));
        let beyond = Some(time(1_000_001));
        for (name, not_after, retention, listed, now, released) in [
            ("margin past, listed beyond the end", Some(end), retention, beyond, now, true),
            ("no list beyond the end", Some(end), retention, Some(end), now, false),
            ("on no list yet", Some(end), retention, None, now, false),
            ("within the margin", Some(end), retention, beyond, time(1_000_000 + 72 * hour), false),
            ("a longer margin", Some(end), long, beyond, now, false),
            ("no end known", None, retention, beyond, UnixTime::MAX, false),
            ("an end past all time", Some(UnixTime::MAX), retention, Some(now), UnixTime::MAX, false),
            ("not expired", Some(UnixTime::MAX), Retention::new(Duration::ZERO), Some(now), now, false),
        ] {
            let certificate = RevokedCertificate::new(
                SerialNumber::parse("0a").unwrap(),
                end,
                RevocationReason::Unspecified,
            );
            let proof = LoggedRevocation { certificate, not_after }.release(retention, listed, now);
            assert_eq!(proof.map(|proof| proof.serial()), released.then_some(certificate.serial), "{name}");
        }
    }
}
