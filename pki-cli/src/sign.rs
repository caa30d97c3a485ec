//! `pki sign`: a certificate for a CSR, permitted by a role.

use std::path::PathBuf;

use clap::Args;
use pki_core::key::software::Verifier;

use crate::answer::{Delivery, Directory, Document, Shape};
use crate::args::Act;
use crate::explanation::{Asked, DryRun};
use crate::fault::{Exit, Fault};
use crate::issue::Policy;
use crate::layout::{self, Layout};
use crate::package::Package;
use crate::request::LeafRequest;
use crate::session::Session;
use crate::set::Swap;
use crate::{ca, csr, key};

/// Sign a CSR.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki sign web --csr www.csr --ttl 24h --out www.crt")]
pub(crate) struct Sign {
    /// Role that permits it
    role: String,
    /// File with the CSR, PEM or DER, `-` for standard input
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,
    #[command(flatten)]
    request: LeafRequest,
    /// Leave the root out of ca_chain and of bundles
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    remove_roots_from_chain: Option<bool>,
    /// Lay the files in --out DIR/ out for this server; the key is added by its owner
    #[arg(long = "for", value_name = "SERVER", help_heading = "Output")]
    preset: Option<Layout>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Act for Sign {
    fn check(&self, _: &Session) -> Result<(), Fault> {
        Ok(())
    }

    fn run(self, session: &Session) -> Result<(), Fault> {
        let Self { role, csr, request, remove_roots_from_chain, preset, dry_run } = self;
        if preset.is_some_and(Layout::holds_the_key) {
            return Err(layout::needs_the_key());
        }
        let shape = Shape {
            fields: &["certificate", "issuing_ca", "ca_chain", "serial_number", "not_before", "expiration"],
            document: Document::Public,
            directory: Directory::Set,
        };
        let plan = Delivery::plan_packed(&session.global, shape, Swap::Refuse, preset, Package::default())?;
        let request = request.parse(&session.requester())?;
        let house = session.open()?;
        let policy = Policy::load(&house, session, &role)?;
        let csr = csr::read(&csr, &Verifier).map_err(|fault| match fault.exit() {
            Exit::Refused if dry_run.view().is_none() => {
                let version = Some(policy.record.version());
                house.refuse("pki/sign", &policy.mount, version, None, fault)
            }
            _ => fault,
        })?;
        let mut request = request.sign(csr);
        request.key_history = key::weak::history(
            &house,
            &policy.mount,
            request.csr.public_key(),
            policy.role.config().key_reuse,
        )?;
        let asked = Asked::Sign(request.clone());
        if let Some(eyes) = dry_run.view() {
            let issuer = policy.issuer(&house)?;
            return asked.explain(&house, &policy, &issuer.chain).deliver(session, &policy, eyes);
        }
        let refused = |refusal| policy.refused(&house, "pki/sign", &refusal, &asked);
        let permitted =
            policy.role.permit_csr(request, &ca::limits(&policy.mount), session.now).map_err(refused)?;
        let loaded = policy.issuer(&house)?.unlock(&house)?;
        let signed = policy.sign(&house, &loaded, permitted, "pki/sign", &asked)?;
        let answer = signed.answer(&house, &loaded, remove_roots_from_chain.unwrap_or(false));
        let staged = plan.stage(&answer)?;
        signed.commit(&house, &policy, "pki/sign")?;
        staged.publish().map_err(|fault| signed.undelivered(fault, &policy))
    }
}
