//! The files of a certificate in a directory: our own set, or the one that a certain server wants.

use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use pki_core::key::PassphraseOrigin;
use pki_core::pem;
use pki_core::pkcs12::Pkcs12Profile;
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::global::Format;
use crate::fault::Fault;
use crate::output::Readers;
use crate::package::{self, Contents, Package};

/// Which files, under which names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `cert.pem`, `key.pem`, `chain.pem`, `fullchain.pem`.
    #[default]
    Plain,
    /// The same with `keystore.p12` in the place of the key.
    Pkcs12(Pkcs12Profile),
    Nginx,
    Haproxy,
    Envoy,
    Postgres,
    Kafka,
}

const PRESETS: [Layout; 5] = [Layout::Nginx, Layout::Haproxy, Layout::Envoy, Layout::Postgres, Layout::Kafka];

impl ValueEnum for Layout {
    fn value_variants<'a>() -> &'a [Self] {
        &PRESETS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        self.preset().map(PossibleValue::new)
    }
}

/// A file of a set. Without `Debug`: it may be a key.
pub(crate) struct SetFile {
    pub(crate) name: &'static str,
    pub(crate) contents: Zeroizing<Vec<u8>>,
    pub(crate) readers: Readers,
}

impl Layout {
    const fn preset(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain | Self::Pkcs12(_) => return None,
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Postgres => "postgres",
            Self::Kafka => "kafka",
        })
    }

    /// Every name that the set may have.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["cert.pem", "key.pem", "chain.pem", "fullchain.pem"],
            Self::Pkcs12(_) => &["cert.pem", "keystore.p12", "chain.pem", "fullchain.pem"],
            Self::Nginx => &["fullchain.pem", "key.pem", "ca.pem", "nginx.conf"],
            Self::Haproxy => &["haproxy.pem", "ca.pem"],
            Self::Envoy => &["certificate_chain.pem", "private_key.pem", "trusted_ca.pem", "sds.yaml"],
            Self::Postgres => &["server.crt", "server.key", "root.crt"],
            Self::Kafka => &["cert.pem", "keystore.p12", "truststore.p12", "password", "kafka.properties"],
        }
    }

    /// The file whose first certificate is the one that was issued.
    pub(crate) const fn certificate(self) -> &'static str {
        match self {
            Self::Plain | Self::Pkcs12(_) | Self::Kafka => "cert.pem",
            Self::Nginx => "fullchain.pem",
            Self::Haproxy => "haproxy.pem",
            Self::Envoy => "certificate_chain.pem",
            Self::Postgres => "server.crt",
        }
    }

    /// The file with the private key in PEM; `None` where it is in a PKCS#12 file.
    pub(crate) const fn key(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Nginx => Some("key.pem"),
            Self::Pkcs12(_) | Self::Kafka => None,
            Self::Haproxy => Some("haproxy.pem"),
            Self::Envoy => Some("private_key.pem"),
            Self::Postgres => Some("server.key"),
        }
    }

    /// Whether a file of the set holds the key beside the certificate, so that there is no set without it.
    pub(crate) const fn holds_the_key(self) -> bool {
        matches!(self, Self::Haproxy | Self::Kafka | Self::Pkcs12(_))
    }

    /// The layout that the line asks for: `--for`, or the format.
    pub(crate) fn of(asked: Option<Self>, format: Format, package: &Package) -> Result<Self, Fault> {
        match (asked, format) {
            (None, Format::Pkcs12) => Ok(Self::Pkcs12(Pkcs12Profile::Modern)),
            (None, Format::Pkcs12Legacy) => Ok(Self::Pkcs12(Pkcs12Profile::Legacy)),
            (None, _) => Ok(Self::Plain),
            (Some(_), Format::Text | Format::Json) if !package.is_encrypted() => {
                asked.ok_or_else(|| Fault::defect("a preset is no preset"))
            }
            (Some(_), Format::Text | Format::Json) => Err(Fault::usage(
                "the server of a preset reads its key without a passphrase",
                "leave the passphrase out, or --for",
            )),
            (Some(_), other) => Err(Fault::usage(
                format!("a preset has its own formats, and --format {} is another", other.name()),
                "leave out --format, or --for",
            )),
        }
    }

    /// The files, those with a secret first, the certificate last. `directory` is where they will be.
    pub(crate) fn files(
        self,
        contents: Contents<'_>,
        package: &Package,
        directory: &Path,
    ) -> Result<Vec<SetFile>, Fault> {
        let certificate = pem::encode(contents.certificate.label, &contents.certificate.der);
        let full_chain = contents.full_chain();
        let chain = full_chain.strip_prefix(&certificate).unwrap_or_default().to_owned();
        let anchor =
            contents.anchor().map(|root| pem::encode(pem::CERTIFICATE, &root.der)).unwrap_or_default();
        let key = contents.key.map(|pem| Zeroizing::new(pem.as_bytes().to_vec()));
        let mut files = Vec::new();
        let mut secret = |name, contents: Option<Zeroizing<Vec<u8>>>| {
            files.extend(contents.map(|contents| SetFile { name, contents, readers: Readers::Owner }));
        };
        let mut public: Vec<(&'static str, String)> = Vec::new();
        match self {
            Self::Plain | Self::Pkcs12(_) => {
                match self {
                    Self::Pkcs12(profile) => secret("keystore.p12", Some(package.pkcs12(contents, profile)?)),
                    _ => secret("key.pem", key),
                }
                if !chain.is_empty() {
                    public.push(("chain.pem", chain));
                }
                public.extend([("fullchain.pem", full_chain), ("cert.pem", certificate)]);
            }
            Self::Nginx => {
                secret("key.pem", key);
                public.extend([
                    ("ca.pem", anchor),
                    ("nginx.conf", self.usage(directory)),
                    ("fullchain.pem", full_chain),
                ]);
            }
            Self::Haproxy => {
                public.push(("ca.pem", anchor));
                // The certificate, its chain, the key: the order that HAProxy documents.
                let key = key.ok_or_else(needs_the_key)?;
                let mut all = Zeroizing::new(Vec::with_capacity(full_chain.len() + key.len()));
                all.extend_from_slice(full_chain.as_bytes());
                all.extend_from_slice(&key);
                secret("haproxy.pem", Some(all));
            }
            Self::Envoy => {
                secret("private_key.pem", key);
                public.extend([
                    ("trusted_ca.pem", anchor),
                    ("sds.yaml", sds(directory)),
                    ("certificate_chain.pem", full_chain),
                ]);
            }
            Self::Postgres => {
                secret("server.key", key);
                public.extend([("root.crt", anchor), ("server.crt", full_chain)]);
            }
            Self::Kafka => {
                key.ok_or_else(needs_the_key)?;
                let password = password()?;
                let protection = package::protection(
                    password.as_bytes(),
                    PassphraseOrigin::Machine,
                    Pkcs12Profile::Modern,
                )?;
                let trusted = contents.anchor().map(|root| package::read(&root.der)).transpose()?;
                let trusted: Vec<_> = trusted.into_iter().collect();
                let trust = package::trust(&trusted, None, &protection).map_err(package::unwritten)?;
                secret("keystore.p12", Some(package.store(contents, &protection)?));
                secret("password", Some(Zeroizing::new(password.as_bytes().to_vec())));
                let properties = properties(directory, &password);
                secret("kafka.properties", Some(Zeroizing::new(properties.as_bytes().to_vec())));
                files.push(SetFile {
                    name: "truststore.p12",
                    contents: Zeroizing::new(trust),
                    readers: Readers::Everyone,
                });
                public.push(("cert.pem", certificate));
            }
        }
        files.extend(public.into_iter().map(|(name, text)| SetFile {
            name,
            contents: Zeroizing::new(text.into_bytes()),
            readers: Readers::Everyone,
        }));
        Ok(files)
    }

    /// What the server's configuration says to use the files.
    pub(crate) fn usage(self, directory: &Path) -> String {
        let at = |name: &str| directory.join(name).display().to_string();
        match self {
            Self::Plain | Self::Pkcs12(_) => String::new(),
            Self::Nginx => format!(
                "ssl_certificate {};\nssl_certificate_key {};\n# To ask clients for certificates:\n\
                 # ssl_client_certificate {};\n# ssl_verify_client on;\n",
                quoted(&at("fullchain.pem")),
                quoted(&at("key.pem")),
                quoted(&at("ca.pem"))
            ),
            Self::Haproxy => format!(
                "bind :443 ssl crt {}\n# To ask clients for certificates: ca-file {} verify required\n",
                at("haproxy.pem"),
                at("ca.pem")
            ),
            Self::Envoy => format!(
                "tls_certificate_sds_secret_configs: [{{name: server_cert, sds_config: {{path_config_source: {{path: {}}}}}}}]\n",
                quoted(&at("sds.yaml"))
            ),
            Self::Postgres => format!(
                "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'\n\
                 # clients: sslmode=verify-full sslrootcert={}; the key belongs to the server's account: chown postgres\n",
                at("server.crt"),
                at("server.key"),
                at("root.crt"),
                at("root.crt")
            ),
            Self::Kafka => format!("# {} has these lines, with the password\n", at("kafka.properties")),
        }
    }
}

pub(crate) fn needs_the_key() -> Fault {
    Fault::usage(
        "this preset has a file with certificate and key, and a CSR's key is with its requester",
        "use `pki issue`, which makes the key, or leave --for out",
    )
}

/// nginx, YAML and JSON read a text in double quotes alike, as long as these two are escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A file that Envoy watches, of envoy.extensions.transport_sockets.tls.v3.Secret: JSON, which is YAML too.
fn sds(directory: &Path) -> String {
    let at = |name: &str| json!({ "filename": directory.join(name).display().to_string() });
    let kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
    // The directory itself is exchanged for a new one, so that the one above is where something moves.
    let watched = json!({ "path": directory.parent().unwrap_or(directory).display().to_string() });
    let secrets = json!({ "resources": [
        {
            "@type": kind,
            "name": "server_cert",
            "tls_certificate": {
                "certificate_chain": at("certificate_chain.pem"),
                "private_key": at("private_key.pem"),
                "watched_directory": watched,
            },
        },
        {
            "@type": kind,
            "name": "validation_context",
            "validation_context": { "trusted_ca": at("trusted_ca.pem"), "watched_directory": watched },
        },
    ]});
    format!("{secrets:#}\n")
}

/// 256 random bits in hexadecimal digits.
fn password() -> Result<Zeroizing<String>, Fault> {
    let mut octets = Zeroizing::new([0_u8; 32]);
    getrandom::fill(octets.as_mut_slice())
        .map_err(|_| Fault::unusable("the system's source of randomness failed", "try again"))?;
    let mut text = Zeroizing::new(String::with_capacity(64));
    for octet in octets.iter() {
        for digit in [octet >> 4, octet & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    Ok(text)
}

fn properties(directory: &Path, password: &str) -> Zeroizing<String> {
    // In Java's properties a backslash escapes.
    let at = |name: &str| directory.join(name).display().to_string().replace('\\', "\\\\");
    Zeroizing::new(format!(
        "ssl.keystore.type=PKCS12\nssl.keystore.location={}\nssl.keystore.password={password}\n\
         ssl.key.password={password}\nssl.truststore.type=PKCS12\nssl.truststore.location={}\n\
         ssl.truststore.password={password}\n",
        at("keystore.p12"),
        at("truststore.p12")
    ))
}
