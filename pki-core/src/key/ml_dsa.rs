//! ML-DSA (FIPS 204) as X.509 has it (RFC 9881): the parameter sets, and the three forms of a private key.

use der::{Tag, TagNumber};

use super::algorithm::KeyAlgorithm;
use super::element::Elements;

/// A parameter set of FIPS 204 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ParameterSet {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl ParameterSet {
    const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    /// The complete AlgorithmIdentifier, of keys and of signatures alike (RFC 9881 2).
    pub(crate) const fn algorithm_der(self) -> &'static [u8] {
        match self {
            Self::MlDsa44 => b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11",
            Self::MlDsa65 => b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12",
            Self::MlDsa87 => b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13",
        }
    }

    /// The parameter set of this OBJECT IDENTIFIER's content.
    pub(crate) fn from_oid(content: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.algorithm_der().get(4..) == Some(content))
    }

    pub(crate) const fn key_algorithm(self) -> KeyAlgorithm {
        match self {
            Self::MlDsa44 => KeyAlgorithm::MlDsa44,
            Self::MlDsa65 => KeyAlgorithm::MlDsa65,
            Self::MlDsa87 => KeyAlgorithm::MlDsa87,
        }
    }

    /// Octets of a public key (FIPS 204 table 2).
    pub(crate) const fn public_octets(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    /// Octets of a signature (FIPS 204 table 2).
    pub(crate) const fn signature_octets(self) -> usize {
        match self {
            Self::MlDsa44 => 2420,
            Self::MlDsa65 => 3309,
            Self::MlDsa87 => 4627,
        }
    }

    /// Octets of an expanded private key (FIPS 204 table 2).
    const fn expanded_octets(self) -> usize {
        match self {
            Self::MlDsa44 => 2560,
            Self::MlDsa65 => 4032,
            Self::MlDsa87 => 4896,
        }
    }
}

/// The CHOICE of RFC 9881 6.
#[derive(Clone, Copy)]
pub(crate) enum MlDsaPrivateKey<'a> {
    Seed(&'a [u8]),
    Expanded(&'a [u8]),
    Both { seed: &'a [u8], expanded: &'a [u8] },
}

impl<'a> MlDsaPrivateKey<'a> {
    /// Reads what stands in the privateKey OCTET STRING.
    pub(crate) fn from_der(set: ParameterSet, der: &'a [u8]) -> Option<Self> {
        let seed_of = |octets: &'a [u8]| (octets.len() == SEED_OCTETS).then_some(octets);
        let expanded_of = |octets: &'a [u8]| (octets.len() == set.expanded_octets()).then_some(octets);
        let mut elements = Elements::new(der)?;
        let implicit_0 = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };
        let key = if let Some(seed) = elements.next_if(implicit_0) {
            Self::Seed(seed_of(seed)?)
        } else if let Some(expanded) = elements.next_if(Tag::OctetString) {
            Self::Expanded(expanded_of(expanded)?)
        } else {
            let mut both = Elements::new(elements.next(Tag::Sequence)?)?;
            let seed = seed_of(both.next(Tag::OctetString)?)?;
            let expanded = expanded_of(both.next(Tag::OctetString)?)?;
            both.finish()?;
            Self::Both { seed, expanded }
        };
        elements.finish()?;
        Some(key)
    }
}

/// Whether the short vectors of an expanded private key have coefficients that FIPS 204 allows (algorithm 25: input from
/// elsewhere has to be checked). Arithmetic with others may overflow.
#[cfg(feature = "rustcrypto")]
pub(crate) fn has_short_vectors(set: ParameterSet, expanded: &[u8]) -> bool {
    // FIPS 204 algorithm 24: rho, K, tr, then s1 and s2 in polynomials of 256 coefficients.
    let (polynomials, bits, largest) = match set {
        ParameterSet::MlDsa44 => (4 + 4, 3_usize, 4),
        ParameterSet::MlDsa65 => (5 + 6, 4, 8),
        ParameterSet::MlDsa87 => (7 + 8, 3, 4),
    };
    let start = 32 + 32 + 64;
    let Some(packed) = expanded.get(start..start + polynomials * 32 * bits) else { return false };
    // Eight coefficients fill `bits` octets, the lowest bits first.
    packed.chunks_exact(bits).all(|group| {
        let group = group.iter().rev().fold(0_u32, |group, octet| group << 8 | u32::from(*octet));
        (0..8).all(|position| group >> (position * bits) & ((1 << bits) - 1) <= largest)
    })
}

/// FIPS 204 algorithm 1: xi.
const SEED_OCTETS: usize = 32;

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::element::{self, element};
    use super::*;

    fn octet_string(octets: &[u8]) -> Vec<u8> {
        element(element::OCTET_STRING, &[octets]).to_vec()
    }

    fn both(seed: &[u8], expanded: &[u8]) -> Vec<u8> {
        element(element::SEQUENCE, &[&octet_string(seed), &octet_string(expanded)]).to_vec()
    }

    #[test]
    fn a_private_key_has_three_forms() {
        for set in ParameterSet::ALL {
            let expanded = vec![7; set.expanded_octets()];
            let seed = element(0x80, &[&[9; 32]]).to_vec();
            assert!(matches!(MlDsaPrivateKey::from_der(set, &seed), Some(MlDsaPrivateKey::Seed([9, ..]))));
            let der = octet_string(&expanded);
            let read = MlDsaPrivateKey::from_der(set, &der);
            assert!(matches!(read, Some(MlDsaPrivateKey::Expanded([7, ..]))));
            let der = both(&[9; 32], &expanded);
            let read = MlDsaPrivateKey::from_der(set, &der);
            assert!(matches!(read, Some(MlDsaPrivateKey::Both { seed: [9, ..], expanded: [7, ..] })));
            for (name, der) in [
                ("nothing", vec![]),
                ("a short seed", element(0x80, &[&[9; 31]]).to_vec()),
                ("a long seed", element(0x80, &[&[9; 33]]).to_vec()),
                ("a seed under a constructed tag", element(0xa0, &[&octet_string(&[9; 32])]).to_vec()),
                ("a bare seed", vec![9; 32]),
                ("an expanded key of another set", octet_string(&expanded[1..])),
                (
                    "both without the expanded key",
                    element(element::SEQUENCE, &[&octet_string(&[9; 32])]).to_vec(),
                ),
                ("both with a short seed", both(&[9; 31], &expanded)),
                ("both in the other order", both(&expanded, &[9; 32])),
                ("something after the seed", [&seed[..], &[5, 0]].concat()),
                ("something in both", {
                    let parts = [octet_string(&[9; 32]), octet_string(&expanded), vec![5, 0]].concat();
                    element(element::SEQUENCE, &[&parts]).to_vec()
                }),
            ] {
                assert!(MlDsaPrivateKey::from_der(set, &der).is_none(), "{set:?}: {name}");
            }
        }
    }

    #[cfg(feature = "rustcrypto")]
    #[test]
    fn coefficients_out_of_range_are_seen_wherever_they_stand() {
        for (set, vectors) in
            [(ParameterSet::MlDsa44, 768), (ParameterSet::MlDsa65, 1408), (ParameterSet::MlDsa87, 1440)]
        {
            let zeros = vec![0; set.expanded_octets()];
            assert!(has_short_vectors(set, &zeros));
            for position in [128, 129, 130, 128 + vectors / 2, 128 + vectors - 1] {
                let mut expanded = zeros.clone();
                expanded[position] = 0xff;
                assert!(!has_short_vectors(set, &expanded), "{set:?} {position}");
            }
            // What is before and behind is not a coefficient of them.
            for position in [0, 127, 128 + vectors] {
                let mut expanded = zeros.clone();
                expanded[position] = 0xff;
                assert!(has_short_vectors(set, &expanded), "{set:?} {position}");
            }
            assert!(!has_short_vectors(set, &zeros[..128 + vectors - 1]), "{set:?}");
        }
    }
}
