//! `pki role explain`: what every rule says about a request.

use std::path::PathBuf;

use clap::Args;
use pki_core::key::KeyType;
use pki_core::key::software::Verifier;

use crate::args::Act;
use crate::csr;
use crate::explanation::{Asked, Eyes};
use crate::fault::Fault;
use crate::issue::{self, Policy};
use crate::key;
use crate::request::LeafRequest;
use crate::session::Session;

/// Ask every rule about a request and print its answer; no key is touched and nothing is written.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  pki role explain web --common-name www.example.org --alt-names example.org --ttl 90d
  pki role explain web --csr www.csr --view requester --format json")]
pub(crate) struct Explain {
    /// Name of the role
    name: String,
    /// The request is for this CSR, as with `pki sign`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_type", "key_bits"])]
    csr: Option<PathBuf>,
    #[command(flatten)]
    request: LeafRequest,
    /// Type of the key, where the role allows any
    #[arg(long, value_name = "TYPE", help_heading = "Key")]
    key_type: Option<KeyType>,
    /// Size of the key, where the role allows any; 0 is the type's default
    #[arg(long, value_name = "NUMBER", help_heading = "Key")]
    key_bits: Option<u32>,
    /// Whose eyes the answer is for
    #[arg(long, value_enum, default_value = "operator", value_name = "WHO")]
    view: Eyes,
}

impl Act for Explain {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let Self { name, csr, request, key_type, key_bits, view } = self;
        let request = request.parse(&session.requester())?;
        let mut asked = match csr {
            Some(file) => Asked::Sign(request.sign(csr::read(&file, &Verifier)?)),
            None => Asked::Issue(request.issue(issue::asked_key(key_type, key_bits)?)),
        };
        let house = session.open()?;
        let policy = Policy::load(&house, session, &name)?;
        if let Asked::Sign(request) = &mut asked {
            let reuse = policy.role.config().key_reuse;
            request.key_history = key::weak::history(&house, &policy.mount, request.csr.public_key(), reuse)?;
        }
        let issuer = policy.issuer(&house)?;
        asked.explain(&house, &policy, &issuer.chain).deliver(session, &policy, view)
    }
}
