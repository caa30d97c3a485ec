//! `pki publish`: what may be published, into a directory that a web server serves.
//!
//! Per authority, named by its key identifier: `ID.crt` and `ID.pem` (the CA certificate), `ID.chain.pem` (it and
//! those above it), `ID.crl` and `ID.crl.pem` (the current CRL),
//! `ID.delta.crl` (the current delta to it, if there is one).

use std::path::{Path, PathBuf};

use clap::Args;
use pki_core::pem;
use pki_store::crl::CrlScope;
use pki_store::mount::MountKind;
use pki_store::{Store, block_on};

use crate::answer::Answer;
use crate::args::Act;
use crate::fault::Fault;
use crate::issuer::{self, load};
use crate::output::{self, Existing, Readers};
use crate::session::{House, Session};
use crate::{crl, input};

/// Write CA certificates, chains and CRLs into a directory, each file at once, readable for everyone.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki crl rotate && pki publish /srv/www/pki")]
pub(crate) struct Publish {
    /// Directory to write into; made if it is not there
    directory: PathBuf,
}

impl Act for Publish {
    fn run(self, session: &Session) -> Result<(), Fault> {
        let house = session.open()?;
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| output::unwritable(&self.directory, &error))?;
        let mounts = match session.named_mount() {
            Some(_) => vec![house.pki_mount(session)?],
            None => block_on(house.store.mounts())?,
        };
        let mut answer = Answer::new();
        let mut written = Vec::new();
        for mount in mounts.iter().filter(|mount| mount.kind == MountKind::Pki) {
            let siblings = block_on(house.store.issuers(mount.id))?;
            for record in &siblings {
                let certificate = load::certificate(record)?;
                let chain = load::chain(&house, mount.id, &certificate)?;
                let name = certificate
                    .subject_key_identifier()
                    .unwrap_or_else(|| certificate.public_key().key_identifier())
                    .to_string()
                    .replace(':', "");
                let mut chain_pem = certificate.to_pem();
                for member in &chain {
                    chain_pem.push_str(&member.to_pem());
                }
                self.write(&format!("{name}.crt"), certificate.der(), &mut written)?;
                self.write(&format!("{name}.pem"), certificate.to_pem().as_bytes(), &mut written)?;
                self.write(&format!("{name}.chain.pem"), chain_pem.as_bytes(), &mut written)?;
                self.write_crl(&house, record, &name, &mut written, &mut answer)?;
            }
        }
        if written.is_empty() {
            answer.warn("there is no issuer yet, so there is nothing to publish");
        }
        let text: String = written.iter().map(|path| format!("{path}\n")).collect();
        answer.ours("files", written).text(text);
        session.deliver(&answer)
    }
}

impl Publish {
    fn write_crl(
        &self,
        house: &House,
        record: &pki_store::issuer::IssuerRecord,
        name: &str,
        written: &mut Vec<String>,
        answer: &mut Answer,
    ) -> Result<(), Fault> {
        let Some(crl) = block_on(house.store.crl(record.authority, CrlScope::Full))? else {
            if record.key.is_some() {
                answer.warn(format!("the issuer {} has no CRL yet: `pki crl rotate`", issuer::label(record)));
            }
            return Ok(());
        };
        if crl::unpublished(house, &crl)? {
            answer.warn(format!(
                "the CRL of {} lacks newer revocations: `pki crl rotate` first",
                issuer::label(record)
            ));
        }
        self.write(&format!("{name}.crl"), &crl.der, written)?;
        self.write(&format!("{name}.crl.pem"), pem::encode(pem::X509_CRL, &crl.der).as_bytes(), written)?;
        // A delta to an older CRL than the one beside it says nothing.
        match block_on(house.store.crl(record.authority, CrlScope::Delta))? {
            Some(delta) if delta.number > crl.number => {
                self.write(&format!("{name}.delta.crl"), &delta.der, written)
            }
            _ => Ok(()),
        }
    }

    /// One file; two certificates of one authority share their CRL, and the newer certificate wins.
    fn write(&self, name: &str, contents: &[u8], written: &mut Vec<String>) -> Result<(), Fault> {
        let path: &Path = &self.directory.join(name);
        if path.is_dir() {
            return Err(Fault::usage(
                format!("{} is a directory", input::name(path)),
                "name another directory to publish into",
            ));
        }
        output::write_file(path, contents, Readers::Published, Existing::Replace)?;
        let shown = path.display().to_string();
        if !written.contains(&shown) {
            written.push(shown);
        }
        Ok(())
    }
}
