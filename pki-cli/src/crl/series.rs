//! `pki crl series`: the next CRLs of an issuer that is offline most of the time, signed in one sitting.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use pki_core::crl::{CrlNumber, CrlPeriod, CrlScope as Scope, CrlSeries};
use pki_core::time::UnixTime;
use pki_store::crl::CrlScope;

use super::sign::{self, Entries};
use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::issuer;
use crate::issuer::load::LoadedIssuer;
use crate::output::{self, Existing, Readers};
use crate::period;
use crate::session::Session;
use crate::table::Table;

/// Sign the next CRLs ahead, each into a file NUMBER-DATE.crl of the directory that --out names; publish each on its date.
///
/// The first begins now and is the published one of the store too. A revocation voids those that are not published yet.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki crl series --count 24 --every 30d --overlap 3d --out crls/")]
pub(crate) struct Series {
    /// How many
    #[arg(long, value_name = "NUMBER")]
    count: NonZeroU32,
    /// How long after one the next one begins
    #[arg(long, value_parser = crate::duration::parse, value_name = "DURATION")]
    every: Duration,
    /// How long each is good beyond the beginning of the next one
    #[arg(long, default_value = "3d", value_parser = crate::duration::parse, value_name = "DURATION")]
    overlap: Duration,
    /// Issuer whose authority it is
    #[arg(long, default_value = "default", value_name = "REF")]
    issuer_ref: String,
}

impl Act for Series {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let series = CrlSeries::new(self.count, self.every, self.overlap)
            .map_err(|error| Fault::usage(error.to_string(), "change --every or --overlap"))?;
        if self.count.get() > MOST {
            return Err(Fault::usage(
                format!("{} CRLs are asked for, and at most {MOST} are signed ahead", self.count),
                "ask for fewer with --count: each is a promise that nothing will be revoked",
            ));
        }
        let directory = session
            .global
            .out
            .as_deref()
            .filter(|path| *path != Path::new("-"))
            .ok_or_else(|| Fault::usage("no directory is named for the CRLs", "name one: --out crls/"))?;
        let house = session.open()?;
        let mount = house.pki_mount(session)?;
        let record = issuer::find(&house, &mount, &self.issuer_ref)?;
        let loaded = LoadedIssuer::for_crls(&house, &mount, record)?;
        series
            .member(self.count.get() - 1, house.now)
            .map_err(|error| Fault::usage(error.to_string(), "ask for fewer, or nearer ones"))?;
        std::fs::create_dir_all(directory).map_err(|error| output::unwritable(directory, &error))?;

        let drafts = sign::begin(&house, &mount, &loaded, CrlScope::Full, self.count.get())?;
        let first = drafts.first().ok_or_else(|| Fault::defect("the store gave no CRL number"))?;
        let entries = Entries::read(&house, first, 0)?;
        let mut table = Table::new(&["file", "this update", "next update"]);
        let mut files = Vec::new();
        for (step, draft) in (0_u32..).zip(&drafts) {
            let (this_update, next_update) = series
                .member(step, first.this_update)
                .map_err(|error| Fault::usage(error.to_string(), "ask for fewer, or nearer ones"))?;
            let number = CrlNumber::from_u128(draft.number);
            let period = CrlPeriod { number, this_update, next_update };
            let der = entries.sign(&loaded.issuer, Scope::full(), period)?;
            let path = directory.join(format!("{}-{}.crl", draft.number, date(this_update)));
            output::write_file(&path, &der, Readers::Everyone, Existing::Refuse)?;
            table.row(vec![
                path.display().to_string(),
                this_update.to_string(),
                period::until(next_update, house.now),
            ]);
            files.push(serde_json::json!({
                "file": path.display().to_string(),
                "number": draft.number.to_string(),
                "this_update": this_update.as_secs(),
                "next_update": next_update.as_secs(),
            }));
            if step == 0 {
                sign::publish(&house, &mount, draft, next_update, der, entries.count)?;
            }
        }
        let mut answer = Answer::new();
        answer.ours("crls", files).ours("revoked", entries.count).text(table.render());
        answer.warn(
            "any revocation voids those that are not published yet: then sign a new series, which is numbered above all",
        );
        // The directory holds the lists, not this answer.
        let to_standard_output =
            Session { global: crate::args::Global { out: None, ..session.global.clone() }, now: session.now };
        to_standard_output.deliver(&answer)
    }
}

/// YYYYMMDD.
fn date(time: UnixTime) -> String {
    time.to_string().chars().take(10).filter(|c| *c != '-').collect()
}

/// Twenty years of months: more is no plan but an accident with --every.
const MOST: u32 = 240;
