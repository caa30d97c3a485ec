//! The flags that stand anywhere on the line.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

// Flags of every command. Not a doc comment: clap would take it for the command's description.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Global {
    /// Directory of the store [default: $PKI_STORE, else $XDG_DATA_HOME/pki]
    #[arg(long, value_name = "DIR", help_heading = "Global options")]
    pub(crate) store: Option<PathBuf>,

    /// Mount to work on [default: $PKI_MOUNT, else pki]
    #[arg(long, value_name = "NAME", help_heading = "Global options")]
    pub(crate) mount: Option<String>,

    /// How the answer is written [default: text]
    #[arg(long, value_name = "FORMAT", help_heading = "Global options")]
    pub(crate) format: Option<Format>,

    /// Print one value of the answer, by its JSON key
    #[arg(long, value_name = "KEY", help_heading = "Global options")]
    pub(crate) field: Option<String>,

    /// Write the answer to a file, `-` for standard output, or a set of files into a directory (`dir/`)
    #[arg(long, value_name = "PATH", help_heading = "Global options")]
    pub(crate) out: Option<PathBuf>,

    /// Replace files that exist, atomically
    #[arg(long, help_heading = "Global options",
          num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) force: Option<bool>,

    /// Requester named in records [default: the account of the operating system]
    #[arg(long = "as", value_name = "NAME", help_heading = "Global options")]
    pub(crate) as_requester: Option<String>,

    /// File with the passphrase of a sealed store, `-` for standard input [default: $PKI_PASSPHRASE_FILE]
    #[arg(long, value_name = "FILE", help_heading = "Global options")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Key file of a store that was sealed with one [default: the file named at `pki init`]
    #[arg(long, value_name = "FILE", help_heading = "Global options")]
    pub(crate) key_file: Option<PathBuf>,
}

impl Global {
    /// These flags, and where they say nothing those that stood further left on the line.
    pub(crate) fn or(self, left: Self) -> Self {
        let Self { store, mount, format, field, out, force, as_requester, passphrase_file, key_file } = self;
        Self {
            store: store.or(left.store),
            mount: mount.or(left.mount),
            format: format.or(left.format),
            field: field.or(left.field),
            out: out.or(left.out),
            force: force.or(left.force),
            as_requester: as_requester.or(left.as_requester),
            passphrase_file: passphrase_file.or(left.passphrase_file),
            key_file: key_file.or(left.key_file),
        }
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Pem,
    PemBundle,
    Der,
    Pkcs12,
    Pkcs12Legacy,
    Kubernetes,
}

impl Format {
    /// The word on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Pem => "pem",
            Self::PemBundle => "pem_bundle",
            Self::Der => "der",
            Self::Pkcs12 => "pkcs12",
            Self::Pkcs12Legacy => "pkcs12_legacy",
            Self::Kubernetes => "kubernetes",
        }
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Text,
            Self::Json,
            Self::Pem,
            Self::PemBundle,
            Self::Der,
            Self::Pkcs12,
            Self::Pkcs12Legacy,
            Self::Kubernetes,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.name());
        Some(match self {
            Self::PemBundle => value.alias("pem-bundle"),
            Self::Pkcs12Legacy => value.alias("pkcs12-legacy"),
            _ => value,
        })
    }
}
