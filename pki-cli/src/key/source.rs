//! Where a CA's key comes from: generated, generated and exported, or one that is there.

use clap::{Args, ValueEnum};
use pki_core::key::software::SoftwareKey;
use pki_core::key::{KeyAlgorithm, KeyType};
use pki_store::Op;
use pki_store::key::{KeyRecord, NewKey};
use pki_store::mount::Mount;

use crate::fault::Fault;
use crate::key;
use crate::name::check_name;
use crate::random::OsRandom;
use crate::session::House;

/// Type and size of a new key.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyKind {
    /// rsa, ec, ed25519 or ml-dsa [default: rsa]
    #[arg(long, value_name = "TYPE", help_heading = "Key")]
    pub(crate) key_type: Option<KeyType>,
    /// Size of the key; 0 is the type's default: rsa 2048, ec 256, ml-dsa 65
    #[arg(long, value_name = "NUMBER", help_heading = "Key")]
    pub(crate) key_bits: Option<u32>,
}

impl KeyKind {
    /// The algorithm that they name together.
    pub(crate) fn algorithm(&self) -> Result<KeyAlgorithm, Fault> {
        let key_type = self.key_type.unwrap_or(KeyType::Rsa);
        KeyAlgorithm::new(key_type, self.key_bits.unwrap_or(0)).map_err(|error| {
            Fault::usage(
                error.to_string(),
                "use --key-type rsa with --key-bits 2048, 3072 or 4096; ec with 256, 384 or 521; ed25519; or ml-dsa with 44, 65 or 87",
            )
        })
    }
}

/// Whether a generated key is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exported {
    Internal,
    Exported,
}

/// Whether a CA's key is generated, printed too, or there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceType {
    Internal,
    Exported,
    Existing,
}

/// The key of a new CA.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeySource {
    /// internal: generate a key that stays in the store; exported: print it once too; existing: use --key-ref
    #[arg(long = "type", default_value = "internal", value_name = "TYPE", help_heading = "Key")]
    source: SourceType,
    #[command(flatten)]
    kind: KeyKind,
    /// Name of the generated key
    #[arg(long, value_name = "NAME", help_heading = "Key")]
    key_name: Option<String>,
    /// Key to use with --type existing: name, id or `default`
    #[arg(long, value_name = "REF", help_heading = "Key")]
    key_ref: Option<String>,
}

/// A key that is there.
pub(crate) struct CaKey {
    pub(crate) key: SoftwareKey,
    pub(crate) origin: Origin,
}

/// Whether it is in the store already.
pub(crate) enum Origin {
    New(Box<NewKey>),
    Stored(Box<KeyRecord>),
}

impl KeySource {
    /// A key that is there.
    pub(crate) const fn existing(key_ref: Option<String>) -> Self {
        let kind = KeyKind { key_type: None, key_bits: None };
        Self { source: SourceType::Existing, kind, key_name: None, key_ref }
    }

    pub(crate) fn is_exported(&self) -> bool {
        self.source == SourceType::Exported
    }

    pub(crate) fn is_existing(&self) -> bool {
        self.source == SourceType::Existing
    }

    /// Refuses flags that contradict each other, before a key is generated.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if let Some(name) = &self.key_name {
            check_name("a key", name)?;
        }
        if self.source == SourceType::Existing {
            if self.kind.key_type.is_some() || self.kind.key_bits.is_some() || self.key_name.is_some() {
                return Err(Fault::usage(
                    "--type existing uses a key as it is: --key-type, --key-bits and --key-name have no meaning",
                    "leave them out, or leave out --type existing",
                ));
            }
            return Ok(());
        }
        if self.key_ref.is_some() {
            return Err(Fault::usage(
                "--key-ref names a key that is there, but the line asks for a new one",
                "add --type existing",
            ));
        }
        self.kind.algorithm().map(|_| ())
    }

    /// The key; `pending_issuer_name` is kept with it until its certificate comes back.
    pub(crate) fn take(
        &self,
        house: &House,
        mount: &Mount,
        pending_issuer_name: Option<String>,
    ) -> Result<CaKey, Fault> {
        if self.source == SourceType::Existing {
            let reference = self.key_ref.as_deref().unwrap_or("default");
            let record = key::find(house, mount, reference)?;
            return Ok(CaKey { key: key::open(house, &record)?, origin: Origin::Stored(Box::new(record)) });
        }
        self.take_new(house, mount, pending_issuer_name)
    }

    /// The key, where a new one is generated only if `permit` agrees to its algorithm.
    pub(crate) fn take_after(
        &self,
        house: &House,
        mount: &Mount,
        permit: impl FnOnce(KeyAlgorithm) -> Result<(), Fault>,
    ) -> Result<CaKey, Fault> {
        if self.source != SourceType::Existing {
            permit(self.kind.algorithm()?)?;
        }
        self.take(house, mount, None)
    }

    fn take_new(
        &self,
        house: &House,
        mount: &Mount,
        pending_issuer_name: Option<String>,
    ) -> Result<CaKey, Fault> {
        let generated = generate(self.kind.algorithm()?)?;
        let new = key::new_key(house, mount, &generated, self.key_name.clone(), pending_issuer_name)?;
        Ok(CaKey { key: generated, origin: Origin::New(Box::new(new)) })
    }
}

impl CaKey {
    /// The operation that stores it, if it is new.
    pub(crate) fn op(&self) -> Option<Op> {
        match &self.origin {
            Origin::New(new) => Some(Op::CreateKey((**new).clone())),
            Origin::Stored(_) => None,
        }
    }

    pub(crate) fn id(&self) -> pki_store::KeyId {
        match &self.origin {
            Origin::New(new) => new.id,
            Origin::Stored(record) => record.id,
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match &self.origin {
            Origin::New(new) => new.name.as_deref(),
            Origin::Stored(record) => record.name.as_deref(),
        }
    }
}

/// A new key.
pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<SoftwareKey, Fault> {
    SoftwareKey::generate(algorithm, &mut OsRandom)
        .map_err(|error| Fault::unusable(error.to_string(), "try again"))
}
