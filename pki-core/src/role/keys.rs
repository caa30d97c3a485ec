//! Which keys a role certifies.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Complaints, KeyReuse, RoleConfig, RoleKeyType};
use crate::explain::{Inquiry, No, Remedy, RuleId, Warning};
use crate::key::weak::{self, Certified, KeyHistory};
use crate::key::{KeyAlgorithm, KeyType, PublicKey, RsaPadding, RsaScheme};

/// The least size of an RSA key: the floor of every current verifier (Baseline Requirements 6.1.5).
const MIN_RSA_BITS: u32 = 2048;
/// The greatest size of an RSA key here. Larger ones slow every handshake down, and many verifiers refuse them.
const MAX_RSA_BITS: u32 = 4096;

/// What RSA issuers sign with under a role.
pub(super) fn rsa_scheme(config: &RoleConfig) -> RsaScheme {
    let padding = if config.use_pss { RsaPadding::Pss } else { RsaPadding::Pkcs1 };
    // A digest that there is not is refused when the role is written.
    RsaScheme::from_bits(padding, config.signature_bits).unwrap_or(RsaScheme { padding, hash: None })
}

/// The type and size of a role's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyPolicy {
    /// `None`: any type.
    key_type: Option<KeyType>,
    /// The size to generate, and the least size of a CSR's key.
    bits: u32,
    /// Whether a key may be certified again.
    reuse: KeyReuse,
}

impl KeyPolicy {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Option<Self> {
        if !matches!(config.signature_bits, 0 | 256 | 384 | 512) {
            complaints.add(
                "signature_bits",
                alloc::format!("{} is not the size of a digest that we sign with", config.signature_bits),
                "256, 384, 512, or 0 for the default",
            );
        }
        match (config.key_type, config.signature_bits) {
            (RoleKeyType::Rsa, 0) => config.signature_bits = 256,
            // Vault stores zero where the key cannot be RSA or EC, whatever was given.
            (RoleKeyType::Ed25519 | RoleKeyType::MlDsa | RoleKeyType::Any, _) => config.signature_bits = 0,
            _ => {}
        }
        let reuse = config.key_reuse;
        let Some(key_type) = config.key_type.key_type() else {
            config.key_bits = 0;
            return Some(Self { key_type: None, bits: 0, reuse });
        };
        match KeyAlgorithm::new(key_type, config.key_bits) {
            Ok(algorithm) => {
                config.key_bits = if key_type == KeyType::Ed25519 { 0 } else { algorithm.bits() };
                Some(Self { key_type: Some(key_type), bits: algorithm.bits(), reuse })
            }
            Err(error) => {
                complaints.add(
                    "key_bits",
                    error,
                    "rsa 2048, 3072 or 4096; ec 256, 384 or 521; ml-dsa 44, 65 or 87; 0 for the default",
                );
                None
            }
        }
    }

    /// The key to generate.
    pub(super) fn generate(
        self,
        asked: Option<(KeyType, u32)>,
        warnings: &mut Vec<Warning>,
        inquiry: &mut Inquiry,
    ) -> Result<KeyAlgorithm, No> {
        let value = || asked.map_or_else(String::new, |(key_type, bits)| alloc::format!("{key_type} {bits}"));
        let ask_type = || self.type_to_generate(asked, warnings);
        let (key_type, bits) =
            inquiry.ask_because(RuleId::KEY_TYPE, value, ask_type, |(key_type, _)| key_type.to_string())?;
        let value = || alloc::format!("{key_type} {bits}");
        inquiry.ask_because(
            RuleId::KEY_BITS,
            value,
            || bits_to_generate(key_type, bits),
            |key| key.bits().to_string(),
        )
    }

    fn type_to_generate(
        self,
        asked: Option<(KeyType, u32)>,
        warnings: &mut Vec<Warning>,
    ) -> Result<(KeyType, u32), No> {
        match (self.key_type, asked) {
            (Some(key_type), asked) => {
                if asked.is_some_and(|(t, b)| t != key_type || (b != 0 && b != self.bits)) {
                    warnings.push(Warning::KeyAskedIgnored);
                }
                Ok((key_type, self.bits))
            }
            (None, Some(asked)) => Ok(asked),
            (None, None) => Err(No {
                rule: RuleId::KEY_TYPE,
                value: "any".to_string(),
                reason: "the role takes keys of any type, so the request has to say which one to generate"
                    .to_string(),
                remedy: Remedy::Either {
                    role: "--key-type ec".to_string(),
                    request: "say which key: --key-type ec --key-bits 256".to_string(),
                },
            }),
        }
    }

    /// Whether a CSR's key may be certified.
    pub(super) fn certify(
        self,
        key: &PublicKey,
        history: KeyHistory,
        inquiry: &mut Inquiry,
    ) -> Result<(), No> {
        let value = || alloc::format!("{} {}", key.key_type(), key.bits());
        let of_type = inquiry.ask_because(
            RuleId::KEY_TYPE,
            value,
            || self.type_allowed(key),
            |()| self.key_type.map_or("any", KeyType::as_str).to_string(),
        );
        let long_enough = inquiry.ask_because(
            RuleId::KEY_BITS,
            value,
            || self.bits_allowed(key),
            |()| alloc::format!("at least {}", self.bits),
        );
        // The arithmetic is for keys that the role takes.
        of_type.and(long_enough)?;
        let sound = inquiry.ask(RuleId::KEY_WEAK, value, || Ok(weak::check(key, history.listed)?));
        let unused = inquiry.ask(RuleId::KEY_REUSE, value, || self.reuse_allowed(history.certified));
        sound.and(unused)
    }

    /// A key that stands in another certificate: whoever holds the one holds the other, and a key that is lost is lost
    /// for both.
    fn reuse_allowed(self, certified: Certified) -> Result<(), No> {
        let no = |value: String, reason: &str| {
            Err(No {
                rule: RuleId::KEY_REUSE,
                value,
                reason: reason.to_string(),
                remedy: Remedy::Either {
                    role: "--key-reuse permit".to_string(),
                    request: "make the CSR with a new key".to_string(),
                },
            })
        };
        match (self.reuse, certified) {
            (KeyReuse::Permit, _) | (KeyReuse::Refuse, Certified::Never) => Ok(()),
            (KeyReuse::Refuse, Certified::Before(serial)) => no(
                serial.to_string(),
                &alloc::format!(
                    "the role refuses keys that were certified before, and this one stands in the certificate {serial}"
                ),
            ),
            // What is not known is not permitted.
            (KeyReuse::Refuse, Certified::Unknown) => no(
                String::new(),
                "the role refuses keys that were certified before, and nobody looked for this one",
            ),
        }
    }

    fn type_allowed(self, key: &PublicKey) -> Result<(), No> {
        let key_type = key.key_type();
        let Some(wanted) = self.key_type.filter(|wanted| *wanted != key_type) else { return Ok(()) };
        let value = alloc::format!("{key_type} {}", key.bits());
        Err(No {
            rule: RuleId::KEY_TYPE,
            reason: alloc::format!("the role requires keys of type {wanted}, the CSR's key is {value}"),
            value,
            remedy: Remedy::Either {
                role: "--key-type any".to_string(),
                request: alloc::format!("make the CSR with a key of type {wanted}"),
            },
        })
    }

    fn bits_allowed(self, key: &PublicKey) -> Result<(), No> {
        let (key_type, bits) = (key.key_type(), key.bits());
        let value = alloc::format!("{key_type} {bits}");
        let least = if key_type == KeyType::Rsa { self.bits.max(MIN_RSA_BITS) } else { self.bits };
        // The role's size is one of its own type's; another type was refused already.
        let least = if self.key_type.is_some_and(|wanted| wanted != key_type) { 0 } else { least };
        if bits < least {
            let request = alloc::format!("make the CSR with a key of at least {least} bits");
            return Err(No {
                rule: RuleId::KEY_BITS,
                reason: alloc::format!(
                    "a key of at least {least} bits is required, the CSR's key is {value}"
                ),
                value,
                remedy: if key_type != KeyType::Rsa || bits >= MIN_RSA_BITS {
                    Remedy::Either { role: alloc::format!("--key-bits {bits}"), request }
                } else {
                    Remedy::Request(request)
                },
            });
        }
        if key_type == KeyType::Rsa && bits > MAX_RSA_BITS {
            return Err(No {
                rule: RuleId::KEY_BITS,
                reason: alloc::format!(
                    "the CSR's key is {value}; RSA keys over {MAX_RSA_BITS} bits are not certified"
                ),
                value,
                remedy: Remedy::Request(
                    "make the CSR with an RSA key of 2048 to 4096 bits, or with ec".to_string(),
                ),
            });
        }
        Ok(())
    }
}

fn bits_to_generate(key_type: KeyType, bits: u32) -> Result<KeyAlgorithm, No> {
    KeyAlgorithm::new(key_type, bits).map_err(|error| No {
        rule: RuleId::KEY_BITS,
        value: alloc::format!("{key_type} {bits}"),
        reason: error.to_string(),
        remedy: Remedy::Request(
            "use --key-bits 2048, 3072 or 4096 for rsa; 256, 384 or 521 for ec; 44, 65 or 87 for ml-dsa; none for ed25519".to_string(),
        ),
    })
}
