//! `pki role`: named policies, who may have which certificates.

pub(crate) mod fields;

use clap::Args;
use pki_store::mount::Mount;
use pki_store::role::RoleRecord;
use pki_store::{Expected, Op, RoleId, Store, StoreError, block_on};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, list};
use crate::args::Act;
use crate::fault::Fault;
use crate::name::check_name;
use crate::random::OsRandom;
use crate::session::{House, Session};
use crate::table::Table;

use self::fields::Fields;

/// Write a whole role: fields that are not named get their defaults.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki role write web --allowed-domains example.org --allow-subdomains --max-ttl 720h")]
pub(crate) struct Write {
    /// Name of the role
    name: String,
    #[command(flatten)]
    fields: Fields,
}

/// Change the named fields of a role; the others stay.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki role patch web --allow-bare-domains")]
pub(crate) struct Patch {
    /// Name of the role
    name: String,
    #[command(flatten)]
    fields: Fields,
}

/// Print a role as it is stored.
#[derive(Args, Debug)]
pub(crate) struct Read {
    /// Name of the role
    name: String,
}

/// List the roles of a mount.
#[derive(Args, Debug)]
pub(crate) struct List {}

/// Delete a role; certificates that it permitted stay.
#[derive(Args, Debug)]
pub(crate) struct Delete {
    /// Name of the role
    name: String,
}

impl Act for Write {
    fn run(self, session: &Session) -> Result<(), Fault> {
        Ok(())
    }
}
impl Act for Patch {
    fn run(self, session: &Session) -> Result<(), Fault> {
        Ok(())
    }
}
impl Act for Read {
    fn run(self, session: &Session) -> Result<(), Fault> {
        Ok(())
    }
}
impl Act for List {
    fn run(self, session: &Session) -> Result<(), Fault> {
        Ok(())
    }
}
impl Act for Delete {
    fn run(self, session: &Session) -> Result<(), Fault> {
        Ok(())
    }
}
