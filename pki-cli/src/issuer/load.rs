//! An issuer of the store, with its key and its chain: ready to sign.

use pki_core::certificate::Certificate;
use pki_core::extension::Endpoints;
use pki_core::hierarchy::{self, IssuerChain};
use pki_core::issuer::{Issuer, IssuerCertificate, IssuerError};
use pki_core::key::software::SoftwareKey;
use pki_core::pem;
use pki_store::issuer::IssuerRecord;
use pki_store::mount::{Mount, MountKind};
use pki_store::{MountId, Store, block_on};

use crate::answer::ChainMember;
use crate::config;
use crate::fault::Fault;
use crate::key;
use crate::session::House;

/// An issuer and the certificates above it, without its key: what judges a request.
pub(crate) struct KnownIssuer {
    pub(crate) record: IssuerRecord,
    pub(crate) chain: IssuerChain,
}

/// An issuer that can sign.
pub(crate) struct LoadedIssuer {
    pub(crate) record: IssuerRecord,
    pub(crate) issuer: Issuer<SoftwareKey>,
}

impl KnownIssuer {
    /// The issuer that a reference names.
    pub(crate) fn open(house: &House, mount: &Mount, reference: &str) -> Result<Self, Fault> {
        let issuers = block_on(house.store.issuers(mount.id))?;
        let Some(record) = super::pick(&issuers, mount, reference) else {
            return Err(super::unknown(mount, &issuers, reference));
        };
        let record = record.clone();
        Self::join(house, mount, record, &issuers)
    }

    /// Joins a record with the certificates above it.
    fn join(
        house: &House,
        mount: &Mount,
        record: IssuerRecord,
        siblings: &[IssuerRecord],
    ) -> Result<Self, Fault> {
        let certificate = certificate(&record)?;
        if record.key.is_none() {
            return Err(Fault::refused(
                format!("the issuer {} has no private key here, so it signs nothing", super::label(&record)),
                format!("import its key (`pki --mount {} key import`), or name another issuer", mount.name),
            ));
        }
        let above = chain(house, mount.id, &certificate, siblings)?;
        let chain = above
            .into_iter()
            .map(IssuerCertificate::new)
            .collect::<Result<Vec<_>, _>>()
            .and_then(|above| IssuerChain::new(IssuerCertificate::new(certificate)?).with_path(above))
            .map_err(|error| broken(&record, &error))?;
        Ok(Self { record, chain })
    }

    /// Joins it with its key.
    pub(crate) fn unlock(self, house: &House) -> Result<LoadedIssuer, Fault> {
        let Self { record, chain } = self;
        let key = match record.key {
            Some(key) => block_on(house.store.key(key))?,
            None => None,
        };
        let key = key.ok_or_else(|| {
            Fault::unusable("the issuer's key is not in the store", "restore a backup of the store")
        })?;
        let key = key::open(house, &key)?;
        let issuer = Issuer::of(chain, key).map_err(|error| broken(&record, &error))?;
        Ok(LoadedIssuer { record, issuer })
    }
}

fn broken(record: &IssuerRecord, error: &IssuerError) -> Fault {
    Fault::refused(
        format!("the issuer {} cannot sign: {error}", super::label(record)),
        "name another issuer: `pki issuer list`",
    )
}

impl LoadedIssuer {
    /// The issuer that a reference names, with its key.
    pub(crate) fn open(house: &House, mount: &Mount, reference: &str) -> Result<Self, Fault> {
        KnownIssuer::open(house, mount, reference)?.unlock(house)
    }

    /// Joins a record with its key and the certificates above it.
    pub(crate) fn join(
        house: &House,
        mount: &Mount,
        record: IssuerRecord,
        siblings: &[IssuerRecord],
    ) -> Result<Self, Fault> {
        KnownIssuer::join(house, mount, record, siblings)?.unlock(house)
    }

    /// The issuer's certificate and those above it, the root last.
    pub(crate) fn chain_members(&self) -> Vec<ChainMember> {
        self.issuer
            .chain()
            .map(|member| ChainMember {
                der: member.certificate().der().to_vec(),
                is_root: hierarchy::is_root(member.certificate()),
            })
            .collect()
    }

    /// The same as PEM without final newlines, as Vault answers it.
    pub(crate) fn ca_chain(&self) -> Vec<String> {
        self.issuer.chain().map(|member| pem_text(pem::CERTIFICATE, member.certificate().der())).collect()
    }
}

/// The certificate of a stored issuer.
pub(crate) fn certificate(record: &IssuerRecord) -> Result<Certificate, Fault> {
    Certificate::from_der(&record.certificate).map_err(|error| {
        Fault::unusable(
            format!("the stored issuer {} does not read: {error}", super::label(record)),
            "restore a backup of the store",
        )
    })
}

/// The certificates above `certificate`: from its mount, else from anywhere in the store.
pub(crate) fn chain(
    house: &House,
    mount: MountId,
    certificate: &Certificate,
    siblings: &[IssuerRecord],
) -> Result<Vec<Certificate>, Fault> {
    if hierarchy::is_root(certificate) {
        return Ok(Vec::new());
    }
    let mut pool = siblings.iter().map(self::certificate).collect::<Result<Vec<_>, _>>()?;
    let chain: Vec<Certificate> = cloned(hierarchy::chain_of(certificate, &pool));
    if chain.last().is_some_and(hierarchy::is_root) {
        return Ok(chain);
    }
    for other in block_on(house.store.mounts())? {
        if other.id == mount || other.kind != MountKind::Pki {
            continue;
        }
        for record in block_on(house.store.issuers(other.id))? {
            pool.push(self::certificate(&record)?);
        }
    }
    Ok(cloned(hierarchy::chain_of(certificate, &pool)))
}

/// Where certificates of this mount say their issuer, CRL and OCSP responder are.
pub(crate) fn endpoints(house: &House, mount: &Mount) -> Result<Endpoints, Fault> {
    let (urls, _) = config::read(house, mount)?;
    let [issuing, crl, ocsp] = config::LISTS;
    Ok(Endpoints {
        issuing_certificates: config::uris(&urls, issuing)?,
        crl_distribution_points: config::uris(&urls, crl)?,
        ocsp_servers: config::uris(&urls, ocsp)?,
    })
}

/// PEM as Vault puts it into JSON: without the final newline.
pub(crate) fn pem_text(label: &str, der: &[u8]) -> String {
    let mut text = pem::encode(label, der);
    text.truncate(text.trim_end().len());
    text
}

fn cloned(chain: Vec<&Certificate>) -> Vec<Certificate> {
    chain.into_iter().cloned().collect()
}
