//! Answers: what a command prints or writes, in the format that was asked for.
//!
//! A command says first which [`Shape`] its answer will have; then [`Delivery::plan`] refuses what cannot work (an
//! output file that exists, a format without a meaning here) before anything is signed. [`Delivery::stage`] puts
//! secrets and room on the disk before the commit, [`Staged::publish`] gives the files their names after it.

use std::path::{Path, PathBuf};

use pki_core::pem;
use pki_core::pkcs12::Pkcs12Profile;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::args::Global;
use crate::args::global::Format;
use crate::fault::Fault;
use crate::layout::Layout;
use crate::output::{self, Existing, Readers, StagedFile};
use crate::package::{Contents, Package};
use crate::set::{self, CertificateSet, StagedSet, Swap};

/// What an answer can be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The JSON keys it has at least, for `--field`; empty where they are only known afterwards.
    pub(crate) fields: &'static [&'static str],
    /// Whether there is one thing that PEM and DER can hold.
    pub(crate) document: Document,
    /// Whether it may be a set of files in a directory.
    pub(crate) directory: Directory,
}

/// Whether an answer holds one thing with an encoding of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    None,
    /// A certificate, CSR or CRL.
    Public,
    /// A CA's certificate with those above it, which others trust.
    Authority,
    /// A certificate or CSR and the private key that was made for it.
    WithKey,
}

/// Whether `--out dir/` has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Directory {
    Refuse,
    Set,
}

impl Shape {
    /// Facts only: text or JSON.
    pub(crate) const FACTS: Self =
        Self { fields: &[], document: Document::None, directory: Directory::Refuse };
}

/// An answer, complete before it is printed. Without `Debug`: it may hold a private key.
#[derive(Default)]
pub(crate) struct Answer {
    json: Map<String, Value>,
    ours: Map<String, Value>,
    secret: Option<(&'static str, Zeroizing<String>)>,
    facts: Vec<(&'static str, String)>,
    text: Option<String>,
    encoded: Option<Encoded>,
    warnings: Vec<String>,
}

/// The thing that PEM and DER hold, and what belongs to it.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// Its PEM label.
    pub(crate) label: &'static str,
    pub(crate) der: Vec<u8>,
    /// Its issuers, nearest first, the root last.
    pub(crate) issuers: Vec<ChainMember>,
}

/// A certificate of a chain.
#[derive(Clone, Debug)]
pub(crate) struct ChainMember {
    pub(crate) der: Vec<u8>,
    /// Self-issued: the end of the chain.
    pub(crate) is_root: bool,
}

impl Answer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A key of Vault's, with Vault's type.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.json.insert(key.to_owned(), value.into());
        self
    }

    /// What is ours, under the key `pki`.
    pub(crate) fn ours(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.ours.insert(key.to_owned(), value.into());
        self
    }

    /// A line for people.
    pub(crate) fn fact(&mut self, label: &'static str, value: impl Into<String>) -> &mut Self {
        self.facts.push((label, value.into()));
        self
    }

    /// Text for people instead of lines of facts.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.text = Some(text.into());
        self
    }

    /// The document for PEM and DER.
    pub(crate) fn encoded(&mut self, encoded: Encoded) -> &mut Self {
        self.encoded = Some(encoded);
        self
    }

    /// A private key, PEM, under a key of Vault's.
    pub(crate) fn secret(&mut self, key: &'static str, pem: Zeroizing<String>) -> &mut Self {
        self.secret = Some((key, pem));
        self
    }

    pub(crate) fn warn(&mut self, warning: impl Into<String>) -> &mut Self {
        self.warnings.push(warning.into());
        self
    }

    /// The whole answer as JSON.
    pub(crate) fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.json_text(Secret::Shown)
    }

    fn json_text(&self, secret: Secret) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let unencodable = |_| Fault::defect("an answer does not encode as JSON");
        // Room for everything at once: a buffer that grows leaves pieces of the secret behind.
        let mut octets = Zeroizing::new(Vec::with_capacity(2 * self.room()));
        let mut serializer = serde_json::Serializer::pretty(&mut *octets);
        let mut map = serializer.serialize_map(None).map_err(unencodable)?;
        for (key, value) in &self.json {
            map.serialize_entry(key, value).map_err(unencodable)?;
        }
        if let (Some((key, pem)), Secret::Shown) = (&self.secret, secret) {
            map.serialize_entry(key, pem.trim_end()).map_err(unencodable)?;
        }
        if !self.warnings.is_empty() {
            map.serialize_entry("warnings", &self.warnings).map_err(unencodable)?;
        }
        if !self.ours.is_empty() {
            map.serialize_entry("pki", &self.ours).map_err(unencodable)?;
        }
        SerializeMap::end(map).map_err(unencodable)?;
        octets.push(b'\n');
        Ok(octets)
    }

    /// At least as many octets as any form of the answer has: what is written holds each certificate once or, in
    /// JSON, twice, and a buffer that need not grow leaves no pieces of a secret behind.
    fn room(&self) -> usize {
        let certificates = self.encoded.as_ref().map_or(0, |encoded| {
            let issuers: usize = encoded.issuers.iter().map(|issuer| issuer.der.len() + 64).sum();
            (encoded.der.len() + 64 + issuers) * 3 / 2
        });
        let secret = self.secret.as_ref().map_or(0, |(_, pem)| pem.len());
        let text: usize = self.facts.iter().map(|(_, value)| value.len() + 64).sum();
        let written = self.text.as_ref().map_or(0, String::len);
        certificates * 2 + secret * 2 + text + written + 2_048
    }

    /// One value: a string as it is, a list of strings a line each, anything else as JSON.
    fn field(&self, key: &str, secret: Secret) -> Result<Zeroizing<Vec<u8>>, Fault> {
        if let (Some((name, pem)), Secret::Shown) = (&self.secret, secret)
            && *name == key
        {
            return Ok(Zeroizing::new(format!("{}\n", pem.trim_end()).into_bytes()));
        }
        let ours = key.strip_prefix("pki.").and_then(|key| self.ours.get(key));
        let Some(value) = self.json.get(key).or(ours) else {
            let warnings = Value::from(self.warnings.clone());
            if key == "warnings" {
                return Ok(Zeroizing::new(plain(&warnings).into_bytes()));
            }
            let known: Vec<&str> = self.json.keys().map(String::as_str).collect();
            return Err(Fault::usage(
                format!("the answer has no field {key:?}"),
                format!("ask for one of {}", known.join(", ")),
            ));
        };
        Ok(Zeroizing::new(plain(value).into_bytes()))
    }

    fn plain_text(&self, secret: Secret) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(self.room()));
        octets.extend_from_slice(self.summary().as_bytes());
        if let Some(encoded) = &self.encoded {
            octets.extend_from_slice(heading(encoded.label).as_bytes());
            octets.extend_from_slice(pem::encode(encoded.label, &encoded.der).as_bytes());
            if !encoded.issuers.is_empty() {
                octets.extend_from_slice(b"\nchain:\n");
                for issuer in &encoded.issuers {
                    octets.extend_from_slice(pem::encode(pem::CERTIFICATE, &issuer.der).as_bytes());
                }
            }
        }
        if let (Some((_, pem)), Secret::Shown) = (&self.secret, secret) {
            octets.extend_from_slice(b"\nprivate key:\n");
            octets.extend_from_slice(pem.as_bytes());
        }
        octets
    }

    /// What people read, without the document itself.
    fn summary(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let width = self.facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        self.facts
            .iter()
            .map(|(label, value)| {
                let line = format!("{label:width$}  {}", crate::table::printable(value));
                format!("{}\n", line.trim_end())
            })
            .collect()
    }

    fn pem(&self, secret: Secret, parts: Parts) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let encoded = self
            .encoded
            .as_ref()
            .ok_or_else(|| Fault::defect("an answer without a document was asked for as PEM"))?;
        let key = match (&self.secret, secret) {
            (Some((_, pem)), Secret::Shown) => Some(pem),
            _ => None,
        };
        let mut octets = Zeroizing::new(Vec::with_capacity(self.room()));
        if let (Some(key), Parts::Bundle) = (key, parts) {
            octets.extend_from_slice(key.as_bytes());
        }
        octets.extend_from_slice(pem::encode(encoded.label, &encoded.der).as_bytes());
        if parts == Parts::Bundle {
            for issuer in &encoded.issuers {
                octets.extend_from_slice(pem::encode(pem::CERTIFICATE, &issuer.der).as_bytes());
            }
        }
        if let (Some(key), Parts::One) = (key, parts) {
            octets.extend_from_slice(key.as_bytes());
        }
        Ok(octets)
    }

    /// The certificate with what belongs to it.
    fn contents(&self) -> Result<Contents<'_>, Fault> {
        let certificate = self
            .encoded
            .as_ref()
            .ok_or_else(|| Fault::defect("an answer without a certificate was asked for as one"))?;
        Ok(Contents { certificate, key: self.secret.as_ref().map(|(_, pem)| pem) })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Secret {
    Shown,
    Kept,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    One,
    Bundle,
}

/// Where an answer goes and how; what cannot work was refused.
pub(crate) struct Delivery {
    format: Format,
    layout: Layout,
    package: Package,
    field: Option<String>,
    target: Target,
    existing: Existing,
}

#[derive(Clone, Debug)]
enum Target {
    StandardOutput { named: bool },
    File(PathBuf),
    Directory(PathBuf),
}

impl Delivery {
    /// Decides where the answer goes, and refuses what cannot work.
    pub(crate) fn plan(global: &Global, shape: Shape, swap: Swap) -> Result<Self, Fault> {
        Self::plan_packed(global, shape, swap, None, Package::default())
    }

    /// The same for an answer that can be packed, or laid out for a server.
    pub(crate) fn plan_packed(
        global: &Global,
        shape: Shape,
        swap: Swap,
        preset: Option<Layout>,
        package: Package,
    ) -> Result<Self, Fault> {
        let format = global.format.unwrap_or_default();
        let force = global.force.unwrap_or(false);
        let existing = if force { Existing::Replace } else { Existing::Refuse };
        match (format, shape.document) {
            (Format::Pem | Format::PemBundle | Format::Der, Document::None) => {
                return Err(Fault::usage(
                    format!("this answer holds no certificate, CSR or CRL to write as {}", format.name()),
                    "leave --format out, or use --format json",
                ));
            }
            (Format::Der, Document::WithKey) => {
                return Err(Fault::usage(
                    "DER has no room for the certificate and its key",
                    "use --format pem_bundle or --out dir/; `pki cert read SERIAL --format der` gives the certificate",
                ));
            }
            (Format::Pkcs12 | Format::Pkcs12Legacy, Document::Public | Document::None) => {
                return Err(Fault::usage(
                    "a PKCS#12 file holds a key or what is trusted, and this answer is neither",
                    "use --format pem_bundle; `openssl pkcs12 -export` joins it with a key",
                ));
            }
            (Format::Pkcs12 | Format::Pkcs12Legacy, _) if package.passphrase().is_none() => {
                return Err(Fault::usage(
                    "this command writes no PKCS#12 file",
                    "leave --format out, or use --format json or pem_bundle",
                ));
            }
            (Format::Kubernetes, document) if document != Document::WithKey => {
                return Err(Fault::usage(
                    "a Secret of Kubernetes holds a certificate and its key, and this answer has no key",
                    "use `pki issue`, which makes the key, or --format pem_bundle",
                ));
            }
            _ => {}
        }
        let layout = Layout::of(preset, format, &package)?;
        if let Some(field) = &global.field {
            let known = shape.fields.is_empty()
                || shape.fields.contains(&field.as_str())
                || field == "warnings"
                || field.starts_with("pki.");
            if !known {
                return Err(Fault::usage(
                    format!("the answer has no field {field:?}"),
                    format!("ask for one of {}", shape.fields.join(", ")),
                ));
            }
        }
        let target = match &global.out {
            None => Target::StandardOutput { named: false },
            Some(path) if path == Path::new("-") => Target::StandardOutput { named: true },
            Some(path) if names_directory(path) => {
                if shape.directory == Directory::Refuse {
                    return Err(Fault::usage(
                        format!(
                            "{:?} is a directory, and this answer is one file",
                            path.display().to_string()
                        ),
                        "name a file with --out",
                    ));
                }
                Target::Directory(path.clone())
            }
            Some(path) => Target::File(path.clone()),
        };
        if preset.is_some() && !matches!(target, Target::Directory(_)) {
            return Err(Fault::usage(
                "a preset is a set of files, and the line names no directory for them",
                "name it with --out DIR/",
            ));
        }
        let delivery = Self {
            format,
            layout,
            package,
            field: global.field.clone(),
            target,
            existing: if swap == Swap::Replace { Existing::Replace } else { existing },
        };
        match &delivery.target {
            Target::Directory(_) if matches!(format, Format::Der | Format::Kubernetes) => {
                return Err(Fault::usage(
                    format!("a set of files is PEM, and --format {} is one file", format.name()),
                    "name a file with --out, or leave --format out",
                ));
            }
            Target::StandardOutput { .. } => {}
            Target::File(path) => StagedFile::check(path, delivery.existing)?,
            Target::Directory(path) => set::check(path, layout.names(), delivery.swap())?,
        }
        Ok(delivery)
    }

    fn swap(&self) -> Swap {
        match self.existing {
            Existing::Refuse => Swap::Refuse,
            Existing::Replace => Swap::Replace,
        }
    }

    /// The directory that the set goes into.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match &self.target {
            Target::Directory(path) => Some(path),
            _ => None,
        }
    }

    /// Puts the secret, and room for everything else, where it will be: before the commit.
    pub(crate) fn stage(&self, answer: &Answer) -> Result<Staged, Fault> {
        let place = match &self.target {
            Target::StandardOutput { named } => Place::StandardOutput(self.render(answer, *named)?),
            Target::File(path) => {
                let octets = self.render(answer, true)?;
                let secret = answer.secret.is_some();
                let readers = if secret { Readers::Owner } else { Readers::Everyone };
                let file = StagedFile::reserve(path, octets.len(), readers, self.existing)?;
                let said = match self.format {
                    Format::Text if self.field.is_none() => answer.summary(),
                    _ => String::new(),
                };
                Place::File { file, octets, said }
            }
            Target::Directory(path) => Place::Set {
                set: {
                    let there = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                    let files = self.layout.files(answer.contents()?, &self.package, &there)?;
                    let set = CertificateSet { names: self.layout.names(), files };
                    StagedSet::reserve(path, set, self.swap())?
                },
                said: match (&self.field, self.format) {
                    (Some(field), _) => answer.field(field, Secret::Kept)?,
                    (None, Format::Json) => answer.json_text(Secret::Kept)?,
                    (None, Format::Text) => {
                        let there = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                        let usage = self.layout.usage(&there);
                        let gap = if usage.is_empty() { "" } else { "\n" };
                        Zeroizing::new(format!("{}{gap}{usage}", answer.summary()).into_bytes())
                    }
                    (None, _) => Zeroizing::new(Vec::new()),
                },
            },
        };
        Ok(Staged { place, warnings: answer.warnings.clone() })
    }

    /// Writes an answer for which nothing was signed or recorded.
    pub(crate) fn deliver(&self, answer: &Answer) -> Result<(), Fault> {
        self.stage(answer)?.publish()
    }

    /// `alone`: a file, or standard output by name, holds the document without the lines for people.
    fn render(&self, answer: &Answer, alone: bool) -> Result<Zeroizing<Vec<u8>>, Fault> {
        if let Some(field) = &self.field {
            return answer.field(field, Secret::Shown);
        }
        match self.format {
            Format::Text if alone && answer.encoded.is_some() => answer.pem(Secret::Shown, Parts::One),
            Format::Text => Ok(answer.plain_text(Secret::Shown)),
            Format::Json => answer.json_text(Secret::Shown),
            Format::Pem => answer.pem(Secret::Shown, Parts::One),
            Format::PemBundle => answer.pem(Secret::Shown, Parts::Bundle),
            Format::Pkcs12 => self.package.pkcs12(answer.contents()?, Pkcs12Profile::Modern),
            Format::Pkcs12Legacy => self.package.pkcs12(answer.contents()?, Pkcs12Profile::Legacy),
            Format::Kubernetes => self.package.kubernetes(answer.contents()?),
            Format::Der => match &answer.encoded {
                Some(encoded) => Ok(Zeroizing::new(encoded.der.clone())),
                None => Err(Fault::defect("an answer without a document was asked for as DER")),
            },
        }
    }
}

/// An answer that is ready to be given.
#[must_use = "an answer that is not published is taken back"]
pub(crate) struct Staged {
    place: Place,
    warnings: Vec<String>,
}

enum Place {
    StandardOutput(Zeroizing<Vec<u8>>),
    File { file: StagedFile, octets: Zeroizing<Vec<u8>>, said: String },
    Set { set: StagedSet, said: Zeroizing<Vec<u8>> },
}

impl Staged {
    /// The same with the warnings of what happened after it was staged.
    pub(crate) fn with_warnings(mut self, later: Answer) -> Self {
        self.warnings.extend(later.warnings);
        self
    }

    /// Gives the answer: after the commit.
    pub(crate) fn publish(self) -> Result<(), Fault> {
        for warning in &self.warnings {
            output::note(&format!("warning: {warning}"));
        }
        match self.place {
            Place::StandardOutput(octets) => output::print(&octets),
            Place::File { file, octets, said } => {
                file.publish(&octets)?;
                output::print(said.as_bytes())
            }
            Place::Set { set, said } => {
                set.publish()?;
                output::print(&said)
            }
        }
    }
}

/// A list as Vault answers it: names, and what is known about each.
pub(crate) fn list(keys: Vec<String>, key_info: Map<String, Value>) -> Answer {
    let mut answer = Answer::new();
    answer.set("keys", keys);
    if !key_info.is_empty() {
        answer.set("key_info", key_info);
    }
    answer
}

fn names_directory(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => format!("{other}\n"),
    }
}

fn heading(label: &str) -> String {
    match label {
        "CERTIFICATE" => "\ncertificate:\n".to_owned(),
        "CERTIFICATE REQUEST" => "\ncsr:\n".to_owned(),
        "X509 CRL" => "\ncrl:\n".to_owned(),
        other => format!("\n{}:\n", other.to_lowercase()),
    }
}
