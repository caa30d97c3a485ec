//! The shape of a certificate: key usage, extended key usage, basic constraints.

use alloc::vec::Vec;
use core::fmt;

use const_oid::ObjectIdentifier;

use crate::name::NameConstraints;
use crate::oid::{self, Oid};

/// What a key may be used for (RFC 5280 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUsage {
    /// Bit 0: signatures on anything but certificates and CRLs, such as a TLS handshake.
    DigitalSignature,
    /// Bit 1: signatures that a third party shall be able to hold against the signer; once "nonRepudiation".
    ContentCommitment,
    /// Bit 2: encryption of keys, as RSA key transport does.
    KeyEncipherment,
    /// Bit 3: encryption of data without a key in between.
    DataEncipherment,
    /// Bit 4: key agreement, such as Diffie-Hellman.
    KeyAgreement,
    /// Bit 5: signatures on certificates.
    CertSign,
    /// Bit 6: signatures on CRLs.
    CrlSign,
    /// Bit 7: with key agreement, encryption only.
    EncipherOnly,
    /// Bit 8: with key agreement, decryption only.
    DecipherOnly,
}

impl KeyUsage {
    /// Every usage, in the order of the bits.
    pub const ALL: [Self; 9] = [
        Self::DigitalSignature,
        Self::ContentCommitment,
        Self::KeyEncipherment,
        Self::DataEncipherment,
        Self::KeyAgreement,
        Self::CertSign,
        Self::CrlSign,
        Self::EncipherOnly,
        Self::DecipherOnly,
    ];

    /// The name that roles use, which is Vault's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DigitalSignature => "DigitalSignature",
            Self::ContentCommitment => "ContentCommitment",
            Self::KeyEncipherment => "KeyEncipherment",
            Self::DataEncipherment => "DataEncipherment",
            Self::KeyAgreement => "KeyAgreement",
            Self::CertSign => "CertSign",
            Self::CrlSign => "CRLSign",
            Self::EncipherOnly => "EncipherOnly",
            Self::DecipherOnly => "DecipherOnly",
        }
    }

    /// The usage of this name, in any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        // The standards' own names for two of them (RFC 5280 4.2.1.3).
        let name = match name {
            _ if name.eq_ignore_ascii_case("KeyCertSign") => "CertSign",
            _ if name.eq_ignore_ascii_case("NonRepudiation") => "ContentCommitment",
            name => name,
        };
        Self::ALL.into_iter().find(|usage| usage.name().eq_ignore_ascii_case(name))
    }

    const fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

/// A set of key usages.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KeyUsages(u16);

impl KeyUsages {
    /// No usage.
    pub const NONE: Self = Self(0);

    /// Whether `usage` is in the set.
    pub const fn contains(self, usage: KeyUsage) -> bool {
        self.0 & usage.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The usages in the order of their bits.
    pub fn iter(self) -> impl Iterator<Item = KeyUsage> {
        KeyUsage::ALL.into_iter().filter(move |usage| self.contains(*usage))
    }

    /// The set with `usage` in it.
    #[must_use]
    pub const fn with(self, usage: KeyUsage) -> Self {
        Self(self.0 | usage.bit())
    }

    /// The usages that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The usages of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The content of the DER BIT STRING, with its count of unused bits (X.690 11.2.2: no trailing zero bits).
    pub(crate) fn bit_string(self) -> Vec<u8> {
        let [high, low] = self.0.reverse_bits().to_be_bytes();
        if low != 0 {
            alloc::vec![low.trailing_zeros() as u8, high, low]
        } else if high != 0 {
            alloc::vec![high.trailing_zeros() as u8, high]
        } else {
            alloc::vec![0]
        }
    }

    pub(crate) fn from_bit_string(octets: &[u8]) -> Self {
        let [high, low] = match octets {
            [] => [0, 0],
            [high] => [*high, 0],
            [high, low, ..] => [*high, *low],
        };
        Self(u16::from_be_bytes([high, low]).reverse_bits() & 0x1ff)
    }
}

impl FromIterator<KeyUsage> for KeyUsages {
    fn from_iter<I: IntoIterator<Item = KeyUsage>>(usages: I) -> Self {
        usages.into_iter().fold(Self::NONE, Self::with)
    }
}

/// The names with commas between them.
impl fmt::Display for KeyUsages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, usage) in self.iter().enumerate() {
            f.write_str(if position > 0 { ", " } else { "" })?;
            f.write_str(usage.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyUsages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUsages({self})")
    }
}

/// What purposes a certificate serves (RFC 5280 4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExtendedKeyUsage {
    /// Any purpose at all.
    Any,
    /// TLS server.
    ServerAuth,
    /// TLS client.
    ClientAuth,
    /// Signing of programs.
    CodeSigning,
    /// S/MIME.
    EmailProtection,
    /// IPsec host.
    IpsecEndSystem,
    /// IPsec tunnel.
    IpsecTunnel,
    /// IPsec user.
    IpsecUser,
    /// Time stamps (RFC 3161).
    TimeStamping,
    /// OCSP answers on behalf of an authority.
    OcspSigning,
    /// Microsoft's server gated cryptography, of historical interest.
    MicrosoftServerGatedCrypto,
    /// Netscape's server gated cryptography, of historical interest.
    NetscapeServerGatedCrypto,
    /// Another purpose.
    Other(Oid),
}

impl ExtendedKeyUsage {
    /// The purposes that have names, in the order in which certificates list them.
    pub const NAMED: [Self; 12] = [
        Self::Any,
        Self::ServerAuth,
        Self::ClientAuth,
        Self::CodeSigning,
        Self::EmailProtection,
        Self::IpsecEndSystem,
        Self::IpsecTunnel,
        Self::IpsecUser,
        Self::TimeStamping,
        Self::OcspSigning,
        Self::MicrosoftServerGatedCrypto,
        Self::NetscapeServerGatedCrypto,
    ];

    /// The purpose's name as roles spell it; `None` for one that has only an identifier.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Any => "Any",
            Self::ServerAuth => "ServerAuth",
            Self::ClientAuth => "ClientAuth",
            Self::CodeSigning => "CodeSigning",
            Self::EmailProtection => "EmailProtection",
            Self::IpsecEndSystem => "IPSECEndSystem",
            Self::IpsecTunnel => "IPSECTunnel",
            Self::IpsecUser => "IPSECUser",
            Self::TimeStamping => "TimeStamping",
            Self::OcspSigning => "OCSPSigning",
            Self::MicrosoftServerGatedCrypto => "MicrosoftServerGatedCrypto",
            Self::NetscapeServerGatedCrypto => "NetscapeServerGatedCrypto",
            Self::Other(_) => return None,
        })
    }

    /// The purpose of this name, in any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        Self::NAMED.into_iter().find(|usage| usage.name().is_some_and(|n| n.eq_ignore_ascii_case(name)))
    }

    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Any => oid::ANY_EXTENDED_KEY_USAGE,
            Self::ServerAuth => oid::SERVER_AUTH,
            Self::ClientAuth => oid::CLIENT_AUTH,
            Self::CodeSigning => oid::CODE_SIGNING,
            Self::EmailProtection => oid::EMAIL_PROTECTION,
            Self::IpsecEndSystem => oid::IPSEC_END_SYSTEM,
            Self::IpsecTunnel => oid::IPSEC_TUNNEL,
            Self::IpsecUser => oid::IPSEC_USER,
            Self::TimeStamping => oid::TIME_STAMPING,
            Self::OcspSigning => oid::OCSP_SIGNING,
            Self::MicrosoftServerGatedCrypto => oid::MICROSOFT_SERVER_GATED_CRYPTO,
            Self::NetscapeServerGatedCrypto => oid::NETSCAPE_SERVER_GATED_CRYPTO,
            Self::Other(Oid(oid)) => oid,
        }
    }

    /// The purpose of this identifier.
    pub fn from_identifier(id: Oid) -> Self {
        Self::from_oid(id.0)
    }

    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Self {
        Self::NAMED.into_iter().find(|usage| usage.oid() == oid).unwrap_or(Self::Other(Oid(oid)))
    }
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self) {
            (Some(name), _) => f.write_str(name),
            (None, usage) => usage.oid().fmt(f),
        }
    }
}

/// How many intermediate certificates may follow below a CA (RFC 5280 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathLength {
    /// Any number.
    Unlimited,
    /// At most so many; zero means end entities only.
    AtMost(u8),
}

impl fmt::Display for PathLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::AtMost(length) => length.fmt(f),
        }
    }
}

/// Whether an end entity's certificate says that it is no CA's (RFC 5280 4.2.1.9 leaves it open).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoAuthority {
    /// It has no basic constraints.
    #[default]
    Unsaid,
    /// It has basic constraints that say CA:FALSE.
    Said,
}

/// The shape of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A certificate that signs certificates and CRLs.
    Authority {
        /// How many intermediates may follow below it.
        path_length: PathLength,
        /// Usages beside certSign and cRLSign.
        key_usages: KeyUsages,
        /// The purposes it is confined to; none means no restriction.
        extended_key_usages: Vec<ExtendedKeyUsage>,
        /// The names it is confined to.
        name_constraints: Option<NameConstraints>,
    },
    /// A certificate that signs no certificates.
    EndEntity {
        /// What its key may be used for; none leaves the extension out.
        key_usages: KeyUsages,
        /// The purposes it serves; none leaves the extension out.
        extended_key_usages: Vec<ExtendedKeyUsage>,
        /// Whether it says that it is no CA's.
        no_authority: NoAuthority,
    },
}

impl Profile {
    /// The key usages as the certificate will list them.
    pub fn key_usages(&self) -> KeyUsages {
        match self {
            // RFC 5280 4.2.1.3: a CA's certificate asserts keyCertSign; 5: a CRL issuer's asserts cRLSign.
            Self::Authority { key_usages, .. } => key_usages.with(KeyUsage::CertSign).with(KeyUsage::CrlSign),
            Self::EndEntity { key_usages, .. } => *key_usages,
        }
    }

    /// The purposes as the certificate will list them.
    pub fn extended_key_usages(&self) -> &[ExtendedKeyUsage] {
        match self {
            Self::Authority { extended_key_usages, .. } | Self::EndEntity { extended_key_usages, .. } => {
                extended_key_usages
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn key_usages_read_back(bits in 0_u16..0x200) {
            let usages = KeyUsages(bits);
            let content = usages.bit_string();
            prop_assert_eq!(KeyUsages::from_bit_string(&content[1..]), usages);
            prop_assert_eq!(usages.iter().collect::<KeyUsages>(), usages);
        }
    }

    #[test]
    fn key_usage_bits_are_rfc_5280s() {
        let ca: KeyUsages = [KeyUsage::CertSign, KeyUsage::CrlSign].into_iter().collect();
        assert_eq!(ca.bit_string(), [1, 0b0000_0110]);
        assert_eq!(KeyUsages::NONE.with(KeyUsage::DecipherOnly).bit_string(), [7, 0, 0x80]);
        assert_eq!(KeyUsages::NONE.with(KeyUsage::DigitalSignature).bit_string(), [7, 0x80]);
    }

    #[test]
    fn names_lead_back_to_usages() {
        for usage in KeyUsage::ALL {
            assert_eq!(KeyUsage::from_name(&usage.name().to_lowercase()), Some(usage));
        }
        for usage in ExtendedKeyUsage::NAMED {
            assert_eq!(ExtendedKeyUsage::from_name(usage.name().unwrap()), Some(usage));
            assert_eq!(ExtendedKeyUsage::from_oid(usage.oid()), usage);
        }
        assert_eq!(KeyUsage::from_name("keyCertSign"), Some(KeyUsage::CertSign));
        assert_eq!(KeyUsage::from_name("sign"), None);
    }
}
