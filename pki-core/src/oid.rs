//! Object identifiers.

use core::fmt;
use core::str::FromStr;

use const_oid::ObjectIdentifier;

/// An object identifier, such as `1.3.6.1.5.5.7.3.1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub(crate) ObjectIdentifier);

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.0)
    }
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        ObjectIdentifier::new(text).map(Self).map_err(|_| OidError)
    }
}

/// A text that is no object identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OidError;

impl fmt::Display for OidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object identifier is numbers with dots between them, such as 1.3.6.1.5.5.7.3.1")
    }
}

impl core::error::Error for OidError {}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($text);)*
    };
}

oids! {
    // Attributes of names (X.520; RFC 4519).
    COMMON_NAME = "2.5.4.3";
    SERIAL_NUMBER = "2.5.4.5";
    COUNTRY = "2.5.4.6";
    LOCALITY = "2.5.4.7";
    PROVINCE = "2.5.4.8";
    STREET_ADDRESS = "2.5.4.9";
    ORGANIZATION = "2.5.4.10";
    ORGANIZATIONAL_UNIT = "2.5.4.11";
    POSTAL_CODE = "2.5.4.17";
    USER_ID = "0.9.2342.19200300.100.1.1";
    DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25";
    EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

    // Extensions (RFC 5280 4.2, 5.2; RFC 9608).
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    KEY_USAGE = "2.5.29.15";
    SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
    ISSUER_ALTERNATIVE_NAME = "2.5.29.18";
    BASIC_CONSTRAINTS = "2.5.29.19";
    CRL_NUMBER = "2.5.29.20";
    REASON_CODE = "2.5.29.21";
    INVALIDITY_DATE = "2.5.29.24";
    DELTA_CRL_INDICATOR = "2.5.29.27";
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
    NAME_CONSTRAINTS = "2.5.29.30";
    CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    CERTIFICATE_POLICIES = "2.5.29.32";
    POLICY_MAPPINGS = "2.5.29.33";
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    ANY_POLICY = "2.5.29.32.0";
    POLICY_CONSTRAINTS = "2.5.29.36";
    EXTENDED_KEY_USAGE = "2.5.29.37";
    FRESHEST_CRL = "2.5.29.46";
    INHIBIT_ANY_POLICY = "2.5.29.54";
    NO_REV_AVAIL = "2.5.29.56";
    AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1";
    // RFC 6962 3.1, 3.3.
    CERTIFICATE_TRANSPARENCY_POISON = "1.3.6.1.4.1.11129.2.4.3";
    CERTIFICATE_TRANSPARENCY_TIMESTAMPS = "1.3.6.1.4.1.11129.2.4.2";

    // Access methods (RFC 5280 4.2.2.1).
    OCSP = "1.3.6.1.5.5.7.48.1";
    CA_ISSUERS = "1.3.6.1.5.5.7.48.2";

    // Qualifiers of policies (RFC 5280 4.2.1.4).
    PRACTICE_STATEMENT = "1.3.6.1.5.5.7.2.1";
    USER_NOTICE = "1.3.6.1.5.5.7.2.2";

    // OCSP (RFC 6960 4.2.1, 4.2.2.2.1, 4.4).
    OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1";
    OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";
    OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
    OCSP_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6";
    OCSP_EXTENDED_REVOKE = "1.3.6.1.5.5.7.48.1.9";

    // Hashes (RFC 8017 B.1).
    SHA1 = "1.3.14.3.2.26";
    SHA256 = "2.16.840.1.101.3.4.2.1";
    SHA384 = "2.16.840.1.101.3.4.2.2";
    SHA512 = "2.16.840.1.101.3.4.2.3";

    // Purposes of keys (RFC 5280 4.2.1.12).
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
    IPSEC_END_SYSTEM = "1.3.6.1.5.5.7.3.5";
    IPSEC_TUNNEL = "1.3.6.1.5.5.7.3.6";
    IPSEC_USER = "1.3.6.1.5.5.7.3.7";
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    MICROSOFT_SERVER_GATED_CRYPTO = "1.3.6.1.4.1.311.10.3.3";
    NETSCAPE_SERVER_GATED_CRYPTO = "2.16.840.1.113730.4.1";

    // PKCS#9 attributes of a CSR (RFC 2985).
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
}
