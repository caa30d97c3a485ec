//! What every command has: the flags of the line, one reading of the clock, and the store once it is opened.

use std::path::{Path, PathBuf};

use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use pki_store::audit::{AuditEntry, AuditOutcome};
use pki_store::mount::{Mount, MountKind};
use pki_store::role::RoleVersion;
use pki_store::seal::Unseal;
use pki_store::sqlite::Options;
use pki_store::{Batch, BatchId, Committed, Op, SqliteStore, Store, StoreError, block_on};
use zeroize::Zeroizing;

use crate::answer::{Answer, Delivery, Shape};
use crate::args::Global;
use crate::fault::Fault;
use crate::input::{self, Limit};
use crate::random::OsRandom;
use crate::set::Swap;

/// One command's surroundings.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) global: Global,
    pub(crate) now: UnixTime,
}

impl Session {
    pub(crate) fn new(global: Global) -> Result<Self, Fault> {
        Ok(Self { global, now: crate::clock::now()? })
    }

    /// The store's directory: `--store`, `PKI_STORE`, or the user's data directory.
    pub(crate) fn store_path(&self) -> Result<PathBuf, Fault> {
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(path) = &self.global.store {
            return Ok(path.clone());
        }
        if let Some(path) = named("PKI_STORE") {
            return Ok(path.into());
        }
        if let Some(data) = named("XDG_DATA_HOME") {
            return Ok(Path::new(&data).join("pki"));
        }
        if let Some(home) = named("HOME") {
            return Ok(Path::new(&home).join(".local/share/pki"));
        }
        Err(Fault::usage(
            "no store is named, and there is no home directory to look in",
            "name it with --store or PKI_STORE",
        ))
    }

    /// Opens the store.
    pub(crate) fn open(&self) -> Result<House, Fault> {
        let path = self.store_path()?;
        Ok(House { store: self.open_store(&path)?, now: self.now, requester: self.requester() })
    }

    /// Most stores open by themselves; a passphrase is looked for when one is needed.
    fn open_store(&self, path: &Path) -> Result<SqliteStore, Fault> {
        let open = |unseal| SqliteStore::open(path, unseal, Options::default());
        if let Some(key_file) = &self.global.key_file {
            return Ok(open(Unseal::KeyFile(key_file.clone()))?);
        }
        let needed = match open(Unseal::Nothing) {
            Err(error @ StoreError::PassphraseNeeded { .. }) => error,
            result => return Ok(result?),
        };
        let passphrase = match self.passphrase_file() {
            Some(file) => Some(read_passphrase(&file)?),
            None => crate::terminal::passphrase("Passphrase: ")?,
        };
        match passphrase {
            Some(passphrase) => Ok(open(Unseal::Passphrase(passphrase))?),
            None => Err(needed.into()),
        }
    }

    /// `--passphrase-file`, else `PKI_PASSPHRASE_FILE`.
    pub(crate) fn passphrase_file(&self) -> Option<PathBuf> {
        self.global.passphrase_file.clone().or_else(|| {
            std::env::var_os("PKI_PASSPHRASE_FILE").filter(|value| !value.is_empty()).map(PathBuf::from)
        })
    }

    /// The mount to work on: `--mount`, `PKI_MOUNT`, or `pki`.
    pub(crate) fn mount_name(&self) -> String {
        self.named_mount().unwrap_or_else(|| "pki".to_owned())
    }

    /// The mount that the line or the environment names; `None` where a command looks at all of them.
    pub(crate) fn named_mount(&self) -> Option<String> {
        self.global.mount.clone().or_else(|| std::env::var("PKI_MOUNT").ok().filter(|name| !name.is_empty()))
    }

    /// Who asks: `--as`, or the account of the operating system.
    pub(crate) fn requester(&self) -> String {
        self.global.as_requester.clone().unwrap_or_else(account)
    }

    /// `pki`, with the mount where the line has to name it, for a remedy that can be copied.
    pub(crate) fn command(&self) -> String {
        match &self.global.mount {
            Some(mount) => format!("pki --mount {mount}"),
            None => "pki".to_owned(),
        }
    }

    /// Where the answer goes; refuses what cannot work.
    pub(crate) fn plan(&self, shape: Shape) -> Result<Delivery, Fault> {
        Delivery::plan(&self.global, shape, Swap::Refuse)
    }

    /// Gives an answer of facts.
    pub(crate) fn deliver(&self, answer: &Answer) -> Result<(), Fault> {
        self.plan(Shape::FACTS)?.deliver(answer)
    }
}

/// A passphrase from a file loses one trailing newline.
pub(crate) fn read_passphrase(file: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut passphrase = input::read(file, Limit::Secret)?;
    if passphrase.last() == Some(&b'\n') {
        passphrase.pop();
        if passphrase.last() == Some(&b'\r') {
            passphrase.pop();
        }
    }
    if passphrase.is_empty() {
        return Err(Fault::usage(
            format!("{} holds an empty passphrase", input::name(file)),
            "write a passphrase into it",
        ));
    }
    Ok(passphrase)
}

/// The name that belongs to our user id; the environment is not asked, anybody may set it.
fn account() -> String {
    let uid = rustix::process::getuid().as_raw();
    let known = std::fs::read_to_string("/etc/passwd").ok().and_then(|accounts| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
        })
    });
    known.unwrap_or_else(|| format!("uid:{uid}"))
}

/// An open store at one point in time, with the requester whose acts are recorded.
pub(crate) struct House {
    pub(crate) store: SqliteStore,
    pub(crate) now: UnixTime,
    pub(crate) requester: String,
}

impl House {
    /// The mount of this name.
    pub(crate) fn mount(&self, name: &str) -> Result<Mount, Fault> {
        match block_on(self.store.mount(name))? {
            Some(mount) => Ok(mount),
            None => {
                let mounts = block_on(self.store.mounts())?;
                let names: Vec<&str> = mounts.iter().map(|mount| mount.name.as_str()).collect();
                Err(Fault::missing(
                    format!("there is no mount {name:?}"),
                    format!(
                        "name one of {} with --mount, or make it: `pki mount enable {name}`",
                        names.join(", ")
                    ),
                ))
            }
        }
    }

    /// The mount that the line names, which must hold certificates.
    pub(crate) fn pki_mount(&self, session: &Session) -> Result<Mount, Fault> {
        let mount = self.mount(&session.mount_name())?;
        if mount.kind != MountKind::Pki {
            return Err(Fault::usage(
                format!("the mount {} holds {} things, not certificates", mount.name, mount.kind),
                "name a mount of type pki with --mount",
            ));
        }
        Ok(mount)
    }

    /// An audit row for something that was done.
    pub(crate) fn done(&self, operation: &str, mount: Option<&Mount>) -> AuditEntry {
        AuditEntry {
            at: self.now,
            requester: self.requester.clone(),
            operation: operation.to_owned(),
            mount: mount.map(|mount| mount.id),
            role: None,
            serial: None,
            outcome: AuditOutcome::Done,
            detail: String::new(),
        }
    }

    /// Commits operations and their audit row as a whole.
    pub(crate) fn commit(&self, ops: Vec<Op>, audit: AuditEntry) -> Result<Committed, Fault> {
        self.commit_batch(ops, vec![audit])
    }

    /// Commits the first step of an act whose last step is logged.
    pub(crate) fn commit_step(&self, ops: Vec<Op>) -> Result<Committed, Fault> {
        self.commit_batch(ops, Vec::new())
    }

    fn commit_batch(&self, ops: Vec<Op>, audit: Vec<AuditEntry>) -> Result<Committed, Fault> {
        let batch = Batch {
            id: BatchId::random(&mut OsRandom, self.now).map_err(StoreError::from)?,
            at: self.now,
            ops,
            audit,
        };
        Ok(block_on(self.store.commit(batch))?)
    }

    /// Records a refusal, and gives it back. That it was refused stays true if the record fails, which is said too.
    pub(crate) fn refuse<'a>(
        &self,
        operation: &str,
        mount: impl Into<Option<&'a Mount>>,
        role: Option<RoleVersion>,
        serial: Option<SerialNumber>,
        fault: Fault,
    ) -> Fault {
        let detail = serde_json::json!({ "fault": fault.fault() });
        self.refuse_with(operation, mount, role, serial, fault, &detail)
    }

    /// The same with a detail of its own, such as the decision trace.
    pub(crate) fn refuse_with<'a>(
        &self,
        operation: &str,
        mount: impl Into<Option<&'a Mount>>,
        role: Option<RoleVersion>,
        serial: Option<SerialNumber>,
        fault: Fault,
        detail: &serde_json::Value,
    ) -> Fault {
        let audit = AuditEntry {
            role,
            serial,
            outcome: AuditOutcome::Refused,
            detail: detail.to_string(),
            ..self.done(operation, mount.into())
        };
        match self.commit(Vec::new(), audit) {
            Ok(_) => fault,
            Err(unrecorded) => {
                crate::output::note(&format!("warning: the refusal is not recorded: {}", unrecorded.fault()));
                fault
            }
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        use pki_store::Conflict;
        let fault = match &error {
            StoreError::Io { source, .. } => format!("{error}: {}", input::reason(source)),
            _ => error.to_string(),
        };
        let remedy = match &error {
            StoreError::Io { .. } => "check the path, its disk, and who may write there",
            _ => error.remedy(),
        };
        match &error {
            StoreError::NotFound { .. } | StoreError::Conflict(Conflict::NotFound { .. }) => {
                Self::missing(fault, remedy)
            }
            StoreError::Exists { .. } => Self::usage(fault, remedy),
            StoreError::Conflict(_) => Self::refused(fault, remedy),
            _ => Self::unusable(fault, remedy),
        }
    }
}
