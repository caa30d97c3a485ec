//! Why and when a certificate was revoked (RFC 5280 5.1.2.6, 5.3.1).

use core::fmt;

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
pub struct RevokedCertificate {
    /// The serial number of the certificate.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub revoked_at: UnixTime,
    /// Why.
    pub reason: RevocationReason,
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
}
