//! `pki init`: a store, with the mounts `pki` and `database`.

use std::path::PathBuf;

use clap::Args;
use pki_store::SqliteStore;
use pki_store::seal::{KdfParameters, NewSeal};
use pki_store::sqlite::Options;

use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::random::OsRandom;
use crate::session::{Session, read_passphrase};

/// Create a store.
///
/// A store keeps private keys, so say how they are sealed: by a passphrase (--passphrase-file, or asked for on a
/// terminal), by a key file (--key-file, made if it is not there), or not at all (--no-seal: whoever reads the
/// store's directory has the keys).
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki --store ./demo init --no-seal")]
pub(crate) struct Init {
    /// Leave private keys in clear in a directory that only this account can read
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    no_seal: Option<bool>,
}

impl Act for Init {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let path = session.store_path()?;
        let (seal, sealed_by) = self.seal(session)?;
        SqliteStore::init(&path, seal, Options::default(), &mut OsRandom, session.now)?;
        let mut answer = Answer::new();
        answer
            .set("initialized", true)
            .ours("store", path.display().to_string())
            .ours("seal", sealed_by)
            .ours("mounts", vec!["database", "pki"])
            .fact("store", path.display().to_string())
            .fact("seal", sealed_by)
            .fact("mounts", "pki, database");
        if sealed_by == "none" {
            answer.warn("without a seal, whoever reads the store's directory has its private keys");
        }
        session.deliver(&answer)
    }
}

impl Init {
    fn seal(&self, session: &Session) -> Result<(NewSeal, &'static str), Fault> {
        let no_seal = self.no_seal.unwrap_or(false);
        let key_file: Option<PathBuf> = session.global.key_file.clone();
        let explicit = session.global.passphrase_file.clone();
        match (no_seal, explicit, key_file) {
            (true, None, None) => Ok((NewSeal::None, "none")),
            (false, None, Some(file)) => Ok((NewSeal::KeyFile(file), "key file")),
            (false, Some(file), None) => Ok((passphrase(read_passphrase(&file)?), "passphrase")),
            (false, None, None) => match session.passphrase_file() {
                Some(file) => Ok((passphrase(read_passphrase(&file)?), "passphrase")),
                None => Self::ask(),
            },
            _ => Err(Fault::usage(
                "a store has one seal, and the line names several",
                "keep one of --no-seal, --passphrase-file, --key-file",
            )),
        }
    }

    fn ask() -> Result<(NewSeal, &'static str), Fault> {
        let unsaid = || {
            Fault::usage(
                "the line does not say how private keys are to be sealed",
                "add --passphrase-file FILE, --key-file FILE, or --no-seal",
            )
        };
        let first = crate::terminal::passphrase("New passphrase: ")?.ok_or_else(unsaid)?;
        let second = crate::terminal::passphrase("Again: ")?.ok_or_else(unsaid)?;
        if first != second {
            return Err(Fault::usage("the two passphrases differ", "run `pki init` again"));
        }
        Ok((passphrase(first), "passphrase"))
    }
}

fn passphrase(passphrase: zeroize::Zeroizing<Vec<u8>>) -> NewSeal {
    NewSeal::Passphrase { passphrase, kdf: KdfParameters::default() }
}
