//! An issuer of the store, with its key and its chain: ready to sign.
//!
//! What is read grows with the length of its chain, not with the number of issuers.

use std::cell::OnceCell;

use pki_core::certificate::Certificate;
use pki_core::extension::Endpoints;
use pki_core::hierarchy::{self, IssuerChain};
use pki_core::issue::Prepared;
use pki_core::issuer::{Issuer, IssuerCertificate, IssuerError};
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{KeyIdentifier, PublicKey};
use pki_core::name::{DistinguishedName, Uri};
use pki_core::pem;
use pki_store::issuer::{IssuerMatch, IssuerRecord};
use pki_store::mount::{Mount, MountKind};
use pki_store::{MountId, Store, block_on};

use super::settings::{IssuerUsage, Settings};
use crate::answer::ChainMember;
use crate::config;
use crate::fault::Fault;
use crate::key;
use crate::session::House;

/// An issuer and the certificates above it, without its key: what judges a request.
pub(crate) struct KnownIssuer {
    pub(crate) record: IssuerRecord,
    pub(crate) settings: Settings,
    pub(crate) chain: IssuerChain,
    /// The chain to hand out, where somebody said so; itself first.
    manual_chain: Vec<Certificate>,
}

/// An issuer that can sign.
pub(crate) struct LoadedIssuer {
    pub(crate) record: IssuerRecord,
    pub(crate) settings: Settings,
    pub(crate) issuer: Issuer<SoftwareKey>,
    manual_chain: Vec<Certificate>,
}

impl KnownIssuer {
    /// The issuer that a reference names, to issue certificates.
    pub(crate) fn open(house: &House, mount: &Mount, reference: &str) -> Result<Self, Fault> {
        let record = super::find(house, mount, reference)?;
        Self::join(house, mount, record, IssuerUsage::IssuingCertificates)
    }

    /// Joins a record with the certificates above it.
    fn join(house: &House, mount: &Mount, record: IssuerRecord, usage: IssuerUsage) -> Result<Self, Fault> {
        let label = super::label(&record);
        if record.key.is_none() {
            return Err(Fault::refused(
                format!("the issuer {label} has no private key here, so it signs nothing"),
                format!("import its key (`pki --mount {} key import`), or name another issuer", mount.name),
            ));
        }
        let certificate = certificate(&record)?;
        let issuer = IssuerCertificate::new(certificate.clone()).map_err(|error| broken(&record, &error))?;
        let settings = Settings::of(&record, &issuer)?;
        settings.check(&record, &mount.name, usage)?;
        let end = certificate.validity().not_after();
        if usage == IssuerUsage::IssuingCertificates && end < house.now {
            return Err(Fault::refused(
                format!("the issuer {label} ended at {end} [issuer.validity]"),
                format!("name another issuer (`pki --mount {} issuer list`), or make one", mount.name),
            ));
        }
        let manual_chain = manual_chain(house, &record)?;
        let mut chain = IssuerChain::new(issuer).with_leaf_not_after(settings.leaf_not_after()?);
        for (position, above) in paths(house, mount.id, &certificate, &manual_chain)?.into_iter().enumerate()
        {
            let above = above.into_iter().map(IssuerCertificate::new).collect::<Result<Vec<_>, _>>();
            chain = above
                .and_then(|above| if position == 0 { chain.with_path(above) } else { chain.or_path(above) })
                .map_err(|error| broken(&record, &error))?;
        }
        Ok(Self { record, settings, chain, manual_chain })
    }

    /// Joins it with its key.
    pub(crate) fn unlock(self, house: &House) -> Result<LoadedIssuer, Fault> {
        let Self { record, settings, chain, manual_chain } = self;
        let key = match record.key {
            Some(key) => block_on(house.store.key(key))?,
            None => None,
        };
        let key = key.ok_or_else(|| {
            Fault::unusable("the issuer's key is not in the store", "restore a backup of the store")
        })?;
        let key = key::open(house, &key)?;
        let mut issuer = Issuer::of(chain, key).map_err(|error| broken(&record, &error))?;
        if let Some(algorithm) = settings.crl_algorithm()? {
            issuer = issuer.with_crl_algorithm(algorithm).map_err(|error| broken(&record, &error))?;
        }
        Ok(LoadedIssuer { record, settings, issuer, manual_chain })
    }
}

fn broken(record: &IssuerRecord, error: &IssuerError) -> Fault {
    Fault::refused(
        format!("the issuer {} cannot sign: {error}", super::label(record)),
        "name another issuer: `pki issuer list`",
    )
}

impl LoadedIssuer {
    /// The issuer that a reference names, with its key, to issue certificates.
    pub(crate) fn open(house: &House, mount: &Mount, reference: &str) -> Result<Self, Fault> {
        KnownIssuer::open(house, mount, reference)?.unlock(house)
    }

    /// An issuer with its key, to sign CRLs.
    pub(crate) fn for_crls(house: &House, mount: &Mount, record: IssuerRecord) -> Result<Self, Fault> {
        KnownIssuer::join(house, mount, record, IssuerUsage::CrlSigning)?.unlock(house)
    }

    /// An issuer with its key, to answer OCSP requests.
    pub(crate) fn for_ocsp(house: &House, mount: &Mount, record: IssuerRecord) -> Result<Self, Fault> {
        KnownIssuer::join(house, mount, record, IssuerUsage::OcspSigning)?.unlock(house)
    }

    /// The chain to hand out with a certificate: the issuer's own certificate and those above it, the root last, along
    /// the path that accepted it; or the chain that was set.
    pub(crate) fn chain_members(&self, prepared: &Prepared) -> Vec<ChainMember> {
        if self.manual_chain.is_empty() {
            return self
                .issuer
                .chain_for(prepared)
                .map(|member| chain_member(member.certificate()))
                .collect();
        }
        self.manual_chain.iter().map(chain_member).collect()
    }
}

pub(crate) fn chain_member(certificate: &Certificate) -> ChainMember {
    ChainMember { der: certificate.der().to_vec(), is_root: hierarchy::is_root(certificate) }
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

/// The certificates of the chain that was set; issuers that are gone are left out.
pub(crate) fn manual_chain(house: &House, record: &IssuerRecord) -> Result<Vec<Certificate>, Fault> {
    let mut chain = Vec::new();
    for id in &record.settings.manual_chain {
        if let Some(member) = block_on(house.store.issuer(*id))? {
            chain.push(certificate(&member)?);
        }
    }
    Ok(chain)
}

/// The certificates above `certificate` on the preferred path, the root last.
pub(crate) fn chain(
    house: &House,
    mount: MountId,
    certificate: &Certificate,
) -> Result<Vec<Certificate>, Fault> {
    Ok(paths(house, mount, certificate, &[])?.into_iter().next().unwrap_or_default())
}

/// Every path from `certificate` to a root: through `pool` if that holds anything, else through the issuers of the
/// store, those of the same mount first.
pub(crate) fn paths(
    house: &House,
    mount: MountId,
    certificate: &Certificate,
    pool: &[Certificate],
) -> Result<Vec<Vec<Certificate>>, Fault> {
    let mounts: OnceCell<Vec<Mount>> = OnceCell::new();
    let is_open = |id: MountId| -> Result<bool, Fault> {
        if id == mount {
            return Ok(true);
        }
        let mounts = match mounts.get() {
            Some(mounts) => mounts,
            None => {
                let read = block_on(house.store.mounts())?;
                mounts.get_or_init(|| read)
            }
        };
        Ok(mounts.iter().any(|other| other.id == id && other.kind == MountKind::Pki))
    };
    hierarchy::paths_of(certificate, &Verifier, |below: &Certificate| {
        if !pool.is_empty() {
            return Ok(pool.to_vec());
        }
        let mut parents = Vec::new();
        if let Some(identifier) = below.authority_key_identifier() {
            let wanted = IssuerMatch::KeyIdentifier(identifier.as_bytes().to_vec());
            parents = block_on(house.store.issuers_matching(&wanted))?;
        }
        // A certificate without key identifiers is found by its name.
        if parents.is_empty() {
            let wanted = IssuerMatch::Subject(below.issuer().der().to_vec());
            parents = block_on(house.store.issuers_matching(&wanted))?;
        }
        parents.sort_by_key(|parent| parent.mount != mount);
        let mut found = Vec::with_capacity(parents.len());
        for parent in parents {
            if is_open(parent.mount)? {
                found.push(self::certificate(&parent)?);
            }
        }
        Ok(found)
    })
}

/// What a CA's key is called in the certificates that it has, if the store knows one: what it signed says so, and a new
/// certificate for the key keeps it.
pub(crate) fn known_key_identifier(house: &House, key: &PublicKey) -> Result<Option<KeyIdentifier>, Fault> {
    let wanted = IssuerMatch::PublicKey(key.spki_der().to_vec());
    for record in block_on(house.store.issuers_matching(&wanted))? {
        if let Some(identifier) = certificate(&record)?.subject_key_identifier() {
            return Ok(Some(identifier));
        }
    }
    Ok(None)
}

/// The subject of the mount's issuer with this key, if there is one.
pub(crate) fn subject_of(
    house: &House,
    mount: &Mount,
    key: &PublicKey,
) -> Result<Option<DistinguishedName>, Fault> {
    let wanted = IssuerMatch::PublicKey(key.spki_der().to_vec());
    let known = block_on(house.store.issuers_matching(&wanted))?;
    let here = known.iter().find(|record| record.mount == mount.id);
    here.map(|record| Ok(certificate(record)?.subject().clone())).transpose()
}

/// Where certificates say their issuer, CRL and OCSP responder are: the issuer's own URLs, if it has any, else the
/// mount's.
pub(crate) fn endpoints(house: &House, mount: &Mount, issuer: Option<&Settings>) -> Result<Endpoints, Fault> {
    if let Some(own) = issuer.filter(|settings| settings.has_urls()) {
        return Ok(Endpoints {
            issuing_certificates: uris(&own.issuing_certificates)?,
            crl_distribution_points: uris(&own.crl_distribution_points)?,
            ocsp_servers: uris(&own.ocsp_servers)?,
        });
    }
    let (urls, _) = config::read(house, mount)?;
    let [issuing, crl, ocsp] = config::LISTS;
    Ok(Endpoints {
        issuing_certificates: config::uris(&urls, issuing)?,
        crl_distribution_points: config::uris(&urls, crl)?,
        ocsp_servers: config::uris(&urls, ocsp)?,
    })
}

fn uris(texts: &[String]) -> Result<Vec<Uri>, Fault> {
    texts
        .iter()
        .map(|text| {
            Uri::parse(text).map_err(|error| {
                Fault::unusable(
                    format!("the stored URL {text:?} does not parse: {error}"),
                    "write it again: `pki issuer update`",
                )
            })
        })
        .collect()
}

/// The members of a chain as PEM without final newlines, as Vault answers it.
pub(crate) fn ca_chain(members: &[ChainMember]) -> Vec<String> {
    members.iter().map(|member| pem_text(pem::CERTIFICATE, &member.der)).collect()
}

/// PEM as Vault puts it into JSON: without the final newline.
pub(crate) fn pem_text(label: &str, der: &[u8]) -> String {
    let mut text = pem::encode(label, der);
    text.truncate(text.trim_end().len());
    text
}
