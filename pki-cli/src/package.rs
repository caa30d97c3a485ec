//! What a certificate is packed into beside PEM and DER: a key under a passphrase, a PKCS#12 file, a Secret of Kubernetes.

use std::path::PathBuf;

use base64ct::{Base64, Encoding};
use clap::Args;
use pki_core::certificate::Certificate;
use pki_core::key::software::SoftwareKey;
use pki_core::key::{KeyType, PassphraseOrigin, PrivateKeyDer, PrivateKeyFormat, SigningKey};
use pki_core::pem;
use pki_core::pkcs12::{self, Pkcs12Error, Pkcs12Profile, Protection};
use zeroize::Zeroizing;

use crate::answer::{ChainMember, Encoded};
use crate::args::global::Format;
use crate::fault::Fault;
use crate::random::OsRandom;
use crate::session::{Session, read_passphrase};

/// The flags that say more about an output format.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Packaging {
    /// File with the passphrase for the key or the PKCS#12 file; without it, a terminal asks
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    key_passphrase_file: Option<PathBuf>,
    /// Name of the key or certificate in a PKCS#12 file [default: its common name]
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    friendly_name: Option<String>,
    /// Name of the Secret, for --format kubernetes
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    secret_name: Option<String>,
    /// Namespace of the Secret, for --format kubernetes
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    namespace: Option<String>,
}

/// How a private key that is handed out is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum KeyFormat {
    /// PKCS#1 for RSA, SEC 1 for EC, PKCS#8 for the rest.
    #[default]
    Traditional,
    Pkcs8,
    Pkcs1,
    Sec1,
    EncryptedPkcs8,
}

impl std::str::FromStr for KeyFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            // Vault's words for the default.
            "" | "der" | "pem" => Ok(Self::Traditional),
            "pkcs8" => Ok(Self::Pkcs8),
            "pkcs1" => Ok(Self::Pkcs1),
            "sec1" => Ok(Self::Sec1),
            "encrypted_pkcs8" | "encrypted-pkcs8" => Ok(Self::EncryptedPkcs8),
            _ => Err(
                "it is pkcs8, encrypted_pkcs8, pkcs1 (RSA), sec1 (EC), or der for the key type's own format"
                    .to_owned(),
            ),
        }
    }
}

/// The flags, checked, with the passphrase. Without `Debug`: it is a secret.
#[derive(Clone, Default)]
pub(crate) struct Package {
    passphrase: Option<Zeroizing<Vec<u8>>>,
    key_format: KeyFormat,
    friendly_name: Option<String>,
    secret_name: Option<String>,
    namespace: Option<String>,
}

impl Packaging {
    /// Checks the flags against the format, and gets the passphrase if one is needed: before anything is signed.
    pub(crate) fn resolve(self, session: &Session, key_format: Option<KeyFormat>) -> Result<Package, Fault> {
        let Self { key_passphrase_file, friendly_name, secret_name, namespace } = self;
        let format = session.global.format.unwrap_or_default();
        let is_store = matches!(format, Format::Pkcs12 | Format::Pkcs12Legacy);
        let key_format = match (key_format, &key_passphrase_file) {
            (None | Some(KeyFormat::Pkcs8), Some(_)) if !is_store => KeyFormat::EncryptedPkcs8,
            (Some(KeyFormat::Traditional | KeyFormat::Pkcs1 | KeyFormat::Sec1), Some(_)) if !is_store => {
                return Err(Fault::usage(
                    "a passphrase protects a key in PKCS#8 only",
                    "use --private-key-format encrypted_pkcs8",
                ));
            }
            (asked, _) => asked.unwrap_or_default(),
        };
        let passphrase = if is_store || key_format == KeyFormat::EncryptedPkcs8 {
            Some(match key_passphrase_file {
                Some(file) => read_passphrase(&file)?,
                None => ask()?,
            })
        } else {
            None
        };
        if is_store && let Some(passphrase) = &passphrase {
            protection(passphrase, PassphraseOrigin::Person, Pkcs12Profile::Modern)?;
        }
        let secret_name = match (format, secret_name) {
            (Format::Kubernetes, None) => {
                return Err(Fault::usage(
                    "a Secret of Kubernetes has a name, and none is given",
                    "add --secret-name NAME",
                ));
            }
            (Format::Kubernetes, Some(name)) => Some(subdomain("--secret-name", name, 253)?),
            (_, Some(_)) => return Err(only_for_secrets("--secret-name")),
            (_, None) => None,
        };
        let namespace = match (format, namespace) {
            (Format::Kubernetes, Some(name)) if !name.contains('.') => {
                Some(subdomain("--namespace", name, 63)?)
            }
            (Format::Kubernetes, Some(name)) => return Err(not_a_subdomain("--namespace", &name)),
            (_, Some(_)) => return Err(only_for_secrets("--namespace")),
            (_, None) => None,
        };
        Ok(Package { passphrase, key_format, friendly_name, secret_name, namespace })
    }
}

/// A new passphrase is typed twice.
fn ask() -> Result<Zeroizing<Vec<u8>>, Fault> {
    let missing = || {
        Fault::usage(
            "the key is to be protected, and there is neither a passphrase nor a terminal to ask on",
            "add --key-passphrase-file FILE",
        )
    };
    let first = crate::terminal::passphrase("Passphrase for the key: ")?.ok_or_else(missing)?;
    let second = crate::terminal::passphrase("Again: ")?.ok_or_else(missing)?;
    if *first != *second {
        return Err(Fault::usage("the two passphrases differ", "try again"));
    }
    Ok(first)
}

/// RFC 1123 in lower case, as Kubernetes wants its names.
fn subdomain(flag: &str, name: String, longest: usize) -> Result<String, Fault> {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    };
    if name.len() <= longest && name.split('.').all(is_label) {
        return Ok(name);
    }
    Err(not_a_subdomain(flag, &name))
}

fn not_a_subdomain(flag: &str, name: &str) -> Fault {
    Fault::usage(
        format!("{flag} {name:?} is no name of Kubernetes"),
        "use lower-case letters, digits and inner hyphens, such as web-tls",
    )
}

fn only_for_secrets(flag: &str) -> Fault {
    Fault::usage(format!("{flag} names a Secret of Kubernetes"), "add --format kubernetes, or leave it out")
}

/// A certificate with what belongs to it.
#[derive(Clone, Copy)]
pub(crate) struct Contents<'a> {
    pub(crate) certificate: &'a Encoded,
    /// The private key in PEM.
    pub(crate) key: Option<&'a Zeroizing<String>>,
}

impl Contents<'_> {
    /// The certificate and its issuers without the root: what a server sends.
    pub(crate) fn full_chain(&self) -> String {
        let issuers = self.certificate.issuers.iter().filter(|issuer| !issuer.is_root);
        let chain: String = issuers.map(certificate_pem).collect();
        pem::encode(self.certificate.label, &self.certificate.der) + &chain
    }

    /// The end of the chain: what a peer is verified against.
    pub(crate) fn anchor(&self) -> Option<&ChainMember> {
        self.certificate.issuers.last()
    }
}

fn certificate_pem(member: &ChainMember) -> String {
    pem::encode(pem::CERTIFICATE, &member.der)
}

impl Package {
    /// The passphrase, where there is one.
    pub(crate) fn passphrase(&self) -> Option<&[u8]> {
        self.passphrase.as_deref().map(Vec::as_slice)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.key_format == KeyFormat::EncryptedPkcs8
    }

    /// The private key in PEM as it was asked for.
    pub(crate) fn key_pem(&self, key: &SoftwareKey) -> Result<Zeroizing<String>, Fault> {
        let private = key
            .to_private_key()
            .map_err(|error| Fault::defect(format!("a key that was just made does not encode: {error}")))?;
        let key_type = key.public_key().key_type();
        match (self.key_format, key_type) {
            (KeyFormat::EncryptedPkcs8, _) => {
                let passphrase = self.passphrase().unwrap_or_default();
                private
                    .to_encrypted_pem(passphrase, PassphraseOrigin::Person, &mut OsRandom)
                    .map(Zeroizing::new)
                    .map_err(|error| Fault::unusable(error.to_string(), "try again"))
            }
            (KeyFormat::Pkcs8, _) => Ok(private.to_pem(PrivateKeyFormat::Pkcs8)),
            (KeyFormat::Traditional, _)
            | (KeyFormat::Pkcs1, KeyType::Rsa)
            | (KeyFormat::Sec1, KeyType::Ec) => Ok(private.to_pem(PrivateKeyFormat::Traditional)),
            (KeyFormat::Pkcs1, other) => Err(other_format("PKCS#1 is for RSA keys", other)),
            (KeyFormat::Sec1, other) => Err(other_format("SEC 1 is for EC keys", other)),
        }
    }

    /// A PKCS#12 file: a key store where there is a key, else a trust store.
    pub(crate) fn pkcs12(
        &self,
        contents: Contents<'_>,
        profile: Pkcs12Profile,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let passphrase = self.passphrase().ok_or_else(|| {
            Fault::usage("this command writes no PKCS#12 file", "use --format pem_bundle, or json")
        })?;
        let protection = protection(passphrase, PassphraseOrigin::Person, profile)?;
        self.store(contents, &protection)
    }

    /// A PKCS#12 file under this protection.
    pub(crate) fn store(
        &self,
        contents: Contents<'_>,
        protection: &Protection<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let certificate = read(&contents.certificate.der)?;
        let issuers: Vec<Certificate> =
            contents.certificate.issuers.iter().map(|issuer| read(&issuer.der)).collect::<Result<_, _>>()?;
        let written = match contents.key {
            Some(pem) => {
                let key = PrivateKeyDer::from_pem(pem, self.passphrase())
                    .map_err(|error| Fault::defect(format!("our own key does not read: {error}")))?;
                let name = self.friendly_name.clone().unwrap_or_else(|| name_of(&certificate));
                pkcs12::key_store(&key, &certificate, &issuers, &name, protection, &mut OsRandom)
            }
            None => {
                let mut trusted = vec![certificate];
                trusted.extend(issuers);
                trust(&trusted, self.friendly_name.as_deref(), protection)
            }
        };
        written.map(Zeroizing::new).map_err(unwritten)
    }

    /// A Secret of the type kubernetes.io/tls. `tls.crt` is what a server sends, `ca.crt` what its clients trust.
    pub(crate) fn kubernetes(&self, contents: Contents<'_>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let key = contents.key.ok_or_else(|| Fault::defect("a Secret was asked for without a key"))?;
        let full_chain = contents.full_chain();
        let anchor = contents.anchor().map(certificate_pem).unwrap_or_default();
        let room = (full_chain.len() + anchor.len() + key.len()) * 2 + 1_024;
        let mut yaml = Zeroizing::new(String::with_capacity(room));
        yaml.push_str("apiVersion: v1\nkind: Secret\nmetadata:\n");
        // In quotes: a name such as 1e3, 0x10 or no would not be a string otherwise.
        for (key, value) in [("name", &self.secret_name), ("namespace", &self.namespace)] {
            if let Some(value) = value {
                yaml.push_str(&format!("  {key}: \"{value}\"\n"));
            }
        }
        yaml.push_str("type: kubernetes.io/tls\ndata:\n");
        for (key, value) in [("ca.crt", anchor.as_str()), ("tls.crt", &full_chain), ("tls.key", key)] {
            if value.is_empty() {
                continue;
            }
            let mut digits = Zeroizing::new(vec![0; value.len().div_ceil(3) * 4]);
            let encoded = Base64::encode(value.as_bytes(), &mut digits).unwrap_or_default();
            yaml.push_str("  ");
            yaml.push_str(key);
            yaml.push_str(": ");
            yaml.push_str(encoded);
            yaml.push('\n');
        }
        Ok(Zeroizing::new(yaml.as_bytes().to_vec()))
    }
}

/// A trust store with these certificates.
pub(crate) fn trust(
    certificates: &[Certificate],
    name: Option<&str>,
    protection: &Protection<'_>,
) -> Result<Vec<u8>, Pkcs12Error> {
    let named: Vec<(String, Certificate)> = certificates
        .iter()
        .map(|one| (name.map_or_else(|| name_of(one), ToOwned::to_owned), one.clone()))
        .collect();
    pkcs12::trust_store(&named, protection, &mut OsRandom)
}

/// How a certificate is called where no name was given.
fn name_of(certificate: &Certificate) -> String {
    let common_name = certificate.subject().common_name();
    common_name.unwrap_or_else(|| {
        let names = certificate.alternative_names().unwrap_or_default();
        names.first().map_or_else(|| certificate.serial().to_string(), |name| name.value())
    })
}

pub(crate) fn read(der: &[u8]) -> Result<Certificate, Fault> {
    Certificate::from_der(der)
        .map_err(|error| Fault::defect(format!("our own certificate does not read: {error}")))
}

pub(crate) fn protection(
    passphrase: &[u8],
    origin: PassphraseOrigin,
    profile: Pkcs12Profile,
) -> Result<Protection<'_>, Fault> {
    Protection::new(passphrase, origin, profile)
        .map_err(|error| Fault::usage(error.to_string(), "choose another passphrase"))
}

pub(crate) fn unwritten(error: Pkcs12Error) -> Fault {
    Fault::unusable(error.to_string(), "try again")
}

fn other_format(fault: &str, key_type: KeyType) -> Fault {
    Fault::usage(
        format!("{fault}, and this one is of type {key_type}"),
        "use --private-key-format pkcs8, which has room for every key",
    )
}
