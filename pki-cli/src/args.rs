//! The tree of commands, and the way from a command line to one of them.
//!
//! A sub-command's flags are built only when its name stands on the line ([`Command::defer`]): building them all
//! costs more than issuing a certificate.

pub(crate) mod global;
pub(crate) mod list;

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Args, Command, FromArgMatches};

pub(crate) use global::Global;

use crate::answer::Shape;
use crate::fault::Fault;
use crate::session::Session;
use crate::{
    audit, cert, completions, config, crl, init, inspect, intermediate, issue, issuer, key, lint, mount,
    ocsp, publish, revoke, role, root, sign, tree, verify,
};

/// A command at the end of a branch: its flags, and what it does.
pub(crate) trait Act: Args {
    /// Refuses output flags that cannot work, before anything is done. A command whose answer is more than facts
    /// plans it for itself.
    fn check(&self, session: &Session) -> Result<(), Fault> {
        session.plan(Shape::FACTS).map(|_| ())
    }

    /// Does what it is for.
    fn run(self, session: &Session) -> Result<(), Fault>;
}

/// A command that only holds others.
pub(crate) trait Family {
    const ENTRIES: &'static [Entry];
}

/// One name in the tree.
pub(crate) struct Entry {
    name: &'static str,
    about: &'static str,
    augment: fn(Command) -> Command,
    kind: Kind,
}

enum Kind {
    Family(&'static [Entry]),
    Act(fn(&ArgMatches, &Session) -> Result<(), Fault>),
}

impl Entry {
    const fn family<F: Family>(name: &'static str, about: &'static str) -> Self {
        Self { name, about, augment: augment_family::<F>, kind: Kind::Family(F::ENTRIES) }
    }

    const fn act<A: Act>(name: &'static str, about: &'static str) -> Self {
        Self { name, about, augment: augment_act::<A>, kind: Kind::Act(run_act::<A>) }
    }

    fn command(&self) -> Command {
        Command::new(self.name).about(self.about).defer(self.augment)
    }
}

fn augment_family<F: Family>(command: Command) -> Command {
    with_global(command)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands(F::ENTRIES.iter().map(Entry::command))
}

fn augment_act<A: Act>(command: Command) -> Command {
    with_global(A::augment_args(command))
}

/// The global flags stand in each command by themselves: clap's own way copies them into every command of the
/// tree, also those that are not on the line.
fn with_global(command: Command) -> Command {
    Global::augment_args(command)
}

fn run_act<A: Act>(matches: &ArgMatches, session: &Session) -> Result<(), Fault> {
    let act = A::from_arg_matches(matches).map_err(|error| from_clap(&error))?;
    act.check(session)?;
    act.run(session)
}

/// The whole tree, for parsing, completions and manual pages.
pub(crate) fn command() -> Command {
    with_global(Command::new("pki"))
        .version(env!("CARGO_PKG_VERSION"))
        .about("A certificate authority: from a root to revocable certificates")
        .after_help(EXAMPLE)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands(TREE.iter().map(Entry::command))
}

/// Parses the line and does what it says.
pub(crate) fn run(line: impl IntoIterator<Item = OsString>) -> Result<(), Fault> {
    let matches = match command().try_get_matches_from(join_switches(line)) {
        Ok(matches) => matches,
        Err(error) => return answer_clap(&error),
    };
    let mut entries = TREE;
    let mut matches = &matches;
    let mut global = read_global(matches)?;
    while let Some((name, inner)) = matches.subcommand() {
        matches = inner;
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
            return Err(Fault::defect(format!("the command {name:?} has no place in the tree")));
        };
        global = read_global(matches)?.or(global);
        match entry.kind {
            Kind::Family(inner) => entries = inner,
            Kind::Act(run) => return run(matches, &Session::new(global)?),
        }
    }
    Err(Fault::defect("the line names no command"))
}

fn read_global(matches: &ArgMatches) -> Result<Global, Fault> {
    Global::from_arg_matches(matches).map_err(|error| from_clap(&error))
}

/// `--switch false` becomes `--switch=false`. A switch takes its value only after `=`, so that
/// `--force NAME` leaves NAME alone; for flags that take a value the two forms mean the same.
fn join_switches(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    let mut over = false;
    for word in line {
        if !over
            && (word == "true" || word == "false")
            && let Some(flag) = joined.last_mut().filter(|flag| is_bare_flag(flag))
        {
            flag.push("=");
            flag.push(word);
            continue;
        }
        over |= word == "--";
        joined.push(word);
    }
    joined
}

fn is_bare_flag(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| word.len() > 2 && word.starts_with("--") && !word.contains('='))
}

/// Help and version are answers; everything else is a fault in two lines.
fn answer_clap(error: &clap::Error) -> Result<(), Fault> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            crate::output::print(error.render().to_string().as_bytes())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            eprint!("{}", error.render());
            Err(Fault::usage("a command is missing", "name one of the commands above"))
        }
        _ => Err(from_clap(error)),
    }
}

fn from_clap(error: &clap::Error) -> Fault {
    let text = error.render().to_string();
    // The first paragraph says what is wrong, over several lines where it lists flags.
    let fault = text
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let suggestion =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
            .into_iter()
            .find_map(|kind| match error.get(kind) {
                Some(ContextValue::String(one)) => Some(one.clone()),
                Some(ContextValue::Strings(several)) => several.first().cloned(),
                _ => None,
            });
    let help = text
        .lines()
        .find_map(|line| line.strip_prefix("Usage: "))
        .map(|usage| {
            let words = usage.split_whitespace().take_while(|word| !word.starts_with(['-', '[', '<']));
            format!("`{} --help`", words.collect::<Vec<_>>().join(" "))
        })
        .unwrap_or_else(|| "`pki --help`".to_owned());
    let remedy = match suggestion {
        Some(suggestion) => format!("did you mean {suggestion:?}? {help} lists what there is"),
        None => format!("{help} lists what there is"),
    };
    Fault::usage(fault, remedy)
}

const EXAMPLE: &str = "\
Example:
  pki init --no-seal
  pki root generate --common-name demo-root --out root.crt
  pki role write web --allowed-domains example.org --allow-subdomains --max-ttl 72h
  pki issue web --common-name www.example.org --out tls/

Environment: PKI_STORE, PKI_MOUNT, PKI_PASSPHRASE_FILE.
Exit codes: 0 done, 1 a rule says no, 2 usage, 3 not there, 4 store unusable, 5 defect.";

static TREE: &[Entry] = &[
    Entry::act::<init::Init>("init", "Create a store"),
    Entry::family::<Mount>("mount", "Named sets of issuers, keys, roles and configuration"),
    Entry::family::<Root>("root", "Root CAs"),
    Entry::family::<Intermediate>("intermediate", "Intermediate CAs"),
    Entry::family::<Issuer>("issuer", "CA certificates of a mount"),
    Entry::family::<Key>("key", "Private keys of a mount"),
    Entry::family::<Config>("config", "What a mount writes into certificates"),
    Entry::family::<Role>("role", "Who may have which certificates"),
    Entry::act::<issue::Issue>("issue", "Issue a certificate with a new key"),
    Entry::act::<sign::Sign>("sign", "Sign a CSR"),
    Entry::act::<revoke::Revoke>("revoke", "Revoke a certificate"),
    Entry::family::<Cert>("cert", "Certificates that were issued"),
    Entry::family::<Crl>("crl", "What is revoked, signed"),
    Entry::family::<Ocsp>("ocsp", "What a certificate is, by OCSP"),
    Entry::act::<publish::Publish>("publish", "Write CA certificates and CRLs for a web server"),
    Entry::act::<lint::Lint>("lint", "Ask a certificate, CRL or CSR every clause of the standards"),
    Entry::act::<verify::Verify>("verify", "Check a certificate against its issuers"),
    Entry::act::<inspect::Inspect>("inspect", "Print what a certificate, CSR, CRL or key says"),
    Entry::act::<tree::Tree>("tree", "Draw the hierarchy"),
    Entry::family::<Audit>("audit", "Who did what, and what was refused"),
    Entry::act::<completions::Completions>("completions", "Print completions for a shell"),
    Entry::act::<completions::Man>("man", "Write manual pages"),
];

struct Mount;

impl Family for Mount {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<mount::Enable>("enable", "Create a mount"),
        Entry::act::<mount::Tune>("tune", "Change a mount's limits"),
        Entry::act::<mount::List>("list", "List the mounts"),
        Entry::act::<mount::Disable>("disable", "End a mount"),
    ];
}

struct Root;

impl Family for Root {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<root::Generate>("generate", "Make a root: key, certificate, first CRL"),
        Entry::act::<root::Rotate>("rotate", "Make the next root beside the one that is there"),
        Entry::act::<root::Replace>("replace", "Make the next root the default"),
        Entry::act::<root::CrossSign>("cross-sign", "Sign another certificate for a CA that has one"),
        Entry::act::<root::SignIntermediate>("sign-intermediate", "Certify an intermediate: sign its CSR"),
    ];
}

struct Intermediate;

impl Family for Intermediate {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<intermediate::Generate>("generate", "Make a key and a CSR for it"),
        Entry::act::<intermediate::CrossSign>("cross-sign", "Make a CSR for a key that a CA has already"),
        Entry::act::<intermediate::SetSigned>("set-signed", "Bring back the signed certificate"),
    ];
}

struct Issuer;

impl Family for Issuer {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<issuer::List>("list", "List the issuers"),
        Entry::act::<issuer::Read>("read", "Print an issuer with its chain"),
        Entry::act::<issuer::update::Update>("update", "Change an issuer's name and settings"),
        Entry::act::<issuer::import::Import>("import", "Import CA certificates and keys"),
        Entry::act::<issuer::retire::Revoke>("revoke", "End what an issuer issues, and revoke it"),
        Entry::act::<issuer::retire::Delete>("delete", "Delete an issuer"),
        Entry::act::<issuer::Default>("default", "Print or set the default issuer"),
    ];
}

struct Key;

impl Family for Key {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<key::List>("list", "List the keys"),
        Entry::act::<key::Generate>("generate", "Generate a key for later"),
        Entry::act::<key::Import>("import", "Import a private key"),
        Entry::act::<key::Read>("read", "Print what a key is"),
        Entry::act::<key::Rename>("rename", "Name a key"),
        Entry::act::<key::Delete>("delete", "Delete a private key"),
    ];
}

struct Urls;

impl Family for Urls {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<config::Read>("read", "Print the URLs"),
        Entry::act::<config::Write>("write", "Change the URLs"),
    ];
}

struct WeakKeys;

impl Family for WeakKeys {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<key::weak::Import>("import", "Add a list of weak keys"),
        Entry::act::<key::weak::Read>("read", "Print how many there are"),
        Entry::act::<key::weak::Clear>("clear", "Empty the list"),
    ];
}

struct Config;

impl Family for Config {
    const ENTRIES: &'static [Entry] = &[
        Entry::family::<Urls>("urls", "Where issuer, CRL and OCSP responder are"),
        Entry::family::<WeakKeys>("weak-keys", "Keys that are never certified"),
    ];
}

struct Role;

impl Family for Role {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<role::Write>("write", "Write a whole role"),
        Entry::act::<role::Patch>("patch", "Change the named fields of a role"),
        Entry::act::<role::Read>("read", "Print a role"),
        Entry::act::<role::List>("list", "List the roles"),
        Entry::act::<role::Delete>("delete", "Delete a role"),
        Entry::act::<role::history::History>("history", "List the revisions of a role"),
        Entry::act::<role::history::Diff>("diff", "Show what differs between revisions or roles"),
        Entry::act::<role::history::Rollback>("rollback", "Write an older revision again"),
        Entry::act::<role::explain::Explain>("explain", "Say what every rule answers to a request"),
    ];
}

struct Cert;

impl Family for Cert {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<cert::List>("list", "List certificates"),
        Entry::act::<cert::Read>("read", "Print a certificate"),
    ];
}

struct Crl;

impl Family for Crl {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<crl::Show>("show", "Print the last CRL"),
        Entry::act::<crl::Rotate>("rotate", "Sign new CRLs"),
        Entry::act::<crl::status::Status>("status", "Say whether a CRL is about to lapse"),
        Entry::act::<crl::check::Check>("check", "Hold CRLs against the log of revocations"),
        Entry::act::<crl::series::Series>("series", "Sign the next CRLs of an offline issuer"),
    ];
}

struct Ocsp;

impl Family for Ocsp {
    const ENTRIES: &'static [Entry] = &[Entry::act::<ocsp::Respond>("respond", "Answer an OCSP request")];
}

struct Audit;

impl Family for Audit {
    const ENTRIES: &'static [Entry] = &[
        Entry::act::<audit::Show>("show", "Print the audit log"),
        Entry::act::<audit::Verify>("verify", "Check that the audit log was not edited"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_tree_is_sound() {
        fn leaves(entries: &'static [Entry], path: &[&str], found: &mut Vec<Vec<String>>) {
            for entry in entries {
                let path: Vec<&str> = path.iter().copied().chain([entry.name]).collect();
                match &entry.kind {
                    Kind::Family(inner) => leaves(inner, &path, found),
                    Kind::Act(_) => found.push(path.iter().map(|&word| word.to_owned()).collect()),
                }
            }
        }
        command().debug_assert();
        let mut found = Vec::new();
        leaves(TREE, &["pki"], &mut found);
        assert!(found.len() > 30);
        // Names that a deferred command shares with a global flag show only when its line is parsed.
        for mut line in found {
            line.push("--help".to_owned());
            let error = command().try_get_matches_from(&line).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{line:?}");
        }
    }

    #[test]
    fn a_switch_takes_its_value_either_way() {
        let join = |line: &[&str]| -> Vec<String> {
            join_switches(line.iter().map(OsString::from))
                .into_iter()
                .map(|word| word.into_string().unwrap())
                .collect()
        };
        assert_eq!(join(&["pki", "--a", "false", "x"]), ["pki", "--a=false", "x"]);
        assert_eq!(join(&["pki", "--a=true", "false"]), ["pki", "--a=true", "false"]);
        assert_eq!(join(&["pki", "--a", "x", "true"]), ["pki", "--a", "x", "true"]);
        assert_eq!(join(&["pki", "--", "true"]), ["pki", "--", "true"]);
        assert_eq!(join(&["pki", "--", "--a", "true"]), ["pki", "--", "--a", "true"]);
    }
}
