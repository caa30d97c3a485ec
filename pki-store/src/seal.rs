//! The seal: how the key of all keys is kept.
//!
//! A random root key wraps the data keys, which lie in the database; `seal.toml` holds the root key wrapped by
//! what the operator has. Changing a passphrase changes that one file and no record.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use pki_core::random::SecureRandom;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::envelope::{unwrap, wrap};
use crate::error::StoreError;
use crate::fields::Fields;
use crate::id::StoreId;
use crate::mac::derive;

/// The seal's file in the store's directory.
pub const SEAL_FILE: &str = "seal.toml";

/// How a new store is to be sealed.
#[non_exhaustive]
pub enum NewSeal {
    /// Not at all: private keys lie in clear in a file that only its owner can read.
    None,
    /// By a passphrase.
    Passphrase {
        /// The passphrase.
        passphrase: Zeroizing<Vec<u8>>,
        /// What guessing it costs.
        kdf: KdfParameters,
    },
    /// By a file of 32 random octets, raw or in hexadecimal; made, 0600, if it is not there.
    KeyFile(PathBuf),
}

/// What opens a sealed store.
#[non_exhaustive]
pub enum Unseal {
    /// Nothing: for a store without a seal, and for one sealed by a key file that is where it was.
    Nothing,
    /// The passphrase.
    Passphrase(Zeroizing<Vec<u8>>),
    /// The key file, if it is not where it was.
    KeyFile(PathBuf),
}

/// The kind of a store's seal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealKind {
    /// No seal.
    None,
    /// A passphrase.
    Passphrase,
    /// A key file.
    KeyFile(PathBuf),
}

impl SealKind {
    /// The kind of seal of the store in this directory: whether to ask for a passphrase.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is no store or its `seal.toml` cannot be read.
    pub fn of(directory: &Path) -> Result<Self, StoreError> {
        let seal = Seal::read(directory)?;
        Ok(match seal.wrapping {
            Wrapping::None => Self::None,
            Wrapping::Passphrase { .. } => Self::Passphrase,
            Wrapping::KeyFile { path, .. } => Self::KeyFile(path),
        })
    }
}

/// Argon2id (RFC 9106) parameters.
///
/// Bounded below, so that an edited file cannot make guessing cheap, and above, so that it cannot take the
/// machine down; and authenticated, since they are associated data of the wrapped key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KdfParameters {
    /// Memory, 19 456 (what OWASP calls the least) to 4 194 304 KiB.
    pub memory_kib: u32,
    /// Passes over it, 2 to 64.
    pub passes: u32,
    /// Lanes, 1 to 16.
    pub lanes: u32,
}

impl Default for KdfParameters {
    /// 64 MiB, three passes, one lane: about 0.2 s.
    fn default() -> Self {
        Self { memory_kib: 65_536, passes: 3, lanes: 1 }
    }
}

impl KdfParameters {
    fn params(self) -> Result<Params, String> {
        let within = |name: &str, value: u32, least: u32, most: u32| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("{name} = {value} is not between {least} and {most}"))
            }
        };
        within("memory_kib", self.memory_kib, 19_456, 4_194_304)?;
        within("passes", self.passes, 2, 64)?;
        within("lanes", self.lanes, 1, 16)?;
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|error| error.to_string())
    }
}

/// `seal.toml`, read.
pub(crate) struct Seal {
    pub(crate) store: StoreId,
    wrapping: Wrapping,
}

enum Wrapping {
    None,
    Passphrase { kdf: KdfParameters, salt: [u8; 16], wrapped: Vec<u8> },
    KeyFile { path: PathBuf, wrapped: Vec<u8> },
}

/// The key that wraps the data keys; `None` in a store without a seal.
pub(crate) type RootKey = Option<Zeroizing<[u8; 32]>>;

impl Seal {
    /// A new seal and its root key. `directory` is only for messages.
    pub(crate) fn create(
        new: NewSeal,
        store: StoreId,
        directory: &Path,
        rng: &mut dyn SecureRandom,
    ) -> Result<(Self, RootKey), StoreError> {
        let root = match &new {
            NewSeal::None => {
                return Ok((Self { store, wrapping: Wrapping::None }, None));
            }
            _ => random_key(rng)?,
        };
        let wrapping = match new {
            NewSeal::None => Wrapping::None,
            NewSeal::Passphrase { passphrase, kdf } => {
                let mut salt = [0_u8; 16];
                rng.fill(&mut salt)?;
                let key = passphrase_key(&passphrase, kdf, &salt)
                    .map_err(|fault| StoreError::Seal { path: directory.join(SEAL_FILE), fault })?;
                let wrapped = wrap(&key, &associated(store, Some((kdf, &salt))), &root, rng)?;
                Wrapping::Passphrase { kdf, salt, wrapped }
            }
            NewSeal::KeyFile(path) => {
                let path = std::path::absolute(&path).map_err(|source| StoreError::Io {
                    act: "resolve",
                    path: path.clone(),
                    source,
                })?;
                if fs::symlink_metadata(&path).is_err() {
                    make_key_file(&path, rng)?;
                }
                let wrapped = wrap(&*file_key(&path, store)?, &associated(store, None), &root, rng)?;
                Wrapping::KeyFile { path, wrapped }
            }
        };
        Ok((Self { store, wrapping }, Some(root)))
    }

    /// Opens the seal.
    pub(crate) fn open(&self, unseal: &Unseal, directory: &Path) -> Result<RootKey, StoreError> {
        match (&self.wrapping, unseal) {
            (Wrapping::None, _) => Ok(None),
            (Wrapping::Passphrase { kdf, salt, wrapped }, Unseal::Passphrase(passphrase)) => {
                let key = passphrase_key(passphrase, *kdf, salt)
                    .map_err(|fault| StoreError::Seal { path: directory.join(SEAL_FILE), fault })?;
                unwrap(&key, &associated(self.store, Some((*kdf, salt))), wrapped)
                    .map(Some)
                    .ok_or_else(|| StoreError::WrongPassphrase { path: directory.into() })
            }
            (Wrapping::Passphrase { .. }, _) => Err(StoreError::PassphraseNeeded { path: directory.into() }),
            (Wrapping::KeyFile { path, wrapped }, _) => {
                let path = match unseal {
                    Unseal::KeyFile(given) => given,
                    _ => path,
                };
                unwrap(&*file_key(path, self.store)?, &associated(self.store, None), wrapped)
                    .map(Some)
                    .ok_or_else(|| StoreError::WrongKeyFile {
                        path: path.clone(),
                        fault: "it is another store's key",
                    })
            }
        }
    }

    /// Reads `seal.toml`.
    pub(crate) fn read(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(SEAL_FILE);
        let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound if !directory.exists() => StoreError::NotFound { path: directory.into() },
            io::ErrorKind::NotFound if is_empty(directory) => StoreError::NotFound { path: directory.into() },
            io::ErrorKind::NotFound => {
                StoreError::NotAStore { path: directory.into(), fault: "it has no seal.toml" }
            }
            io::ErrorKind::NotADirectory => {
                StoreError::NotAStore { path: directory.into(), fault: "it is no directory" }
            }
            io::ErrorKind::PermissionDenied => StoreError::Permission { path: path.clone() },
            _ => StoreError::Io { act: "read", path: path.clone(), source },
        })?;
        Self::parse(&text).map_err(|fault| StoreError::Seal { path, fault })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: SealToml = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if file.format != 1 {
            return Err(format!("format {} is not known to this version", file.format));
        }
        let store = file.store.parse().map_err(|error| format!("store: {error}"))?;
        let wrapped = || -> Result<Vec<u8>, String> {
            file.wrapped.as_deref().and_then(from_hex).ok_or_else(|| "wrapped is not hexadecimal".into())
        };
        let wrapping = match file.kind.as_str() {
            "none" => Wrapping::None,
            "passphrase" => Wrapping::Passphrase {
                kdf: file.argon2id.ok_or("argon2id is missing")?,
                salt: file
                    .salt
                    .as_deref()
                    .and_then(from_hex)
                    .and_then(|salt| salt.try_into().ok())
                    .ok_or("salt is not 16 octets in hexadecimal")?,
                wrapped: wrapped()?,
            },
            "key-file" => Wrapping::KeyFile {
                path: file.key_file.ok_or("key_file is missing")?.into(),
                wrapped: wrapped()?,
            },
            other => return Err(format!("kind {other:?} is not known to this version")),
        };
        Ok(Self { store, wrapping })
    }

    /// The text of `seal.toml`.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = format!(
            "# How this store's root key is kept. Without this file a sealed store is lost.\nformat = 1\nstore = \"{}\"\n",
            self.store
        );
        match &self.wrapping {
            Wrapping::None => text.push_str("kind = \"none\"\n"),
            Wrapping::Passphrase { kdf, salt, wrapped } => {
                let KdfParameters { memory_kib, passes, lanes } = kdf;
                text.push_str(&format!(
                    "kind = \"passphrase\"\nsalt = \"{}\"\nwrapped = \"{}\"\n\n[argon2id]\nmemory_kib = {memory_kib}\npasses = {passes}\nlanes = {lanes}\n",
                    to_hex(salt),
                    to_hex(wrapped)
                ));
            }
            Wrapping::KeyFile { path, wrapped } => {
                text.push_str(&format!(
                    "kind = \"key-file\"\nkey_file = {}\nwrapped = \"{}\"\n",
                    toml_string(&path.to_string_lossy()),
                    to_hex(wrapped)
                ));
            }
        }
        text
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealToml {
    format: u32,
    store: String,
    kind: String,
    argon2id: Option<KdfParameters>,
    salt: Option<String>,
    key_file: Option<String>,
    wrapped: Option<String>,
}

/// 32 fresh random octets.
pub(crate) fn random_key(rng: &mut dyn SecureRandom) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    rng.fill(key.as_mut())?;
    Ok(key)
}

/// What the wrapping of the root key is bound to.
fn associated(store: StoreId, kdf: Option<(KdfParameters, &[u8; 16])>) -> Vec<u8> {
    let mut fields = Fields::default();
    fields.text("pki-store root key, format 1").octets(store.as_bytes());
    fields.option(kdf, |fields, (kdf, salt)| {
        let KdfParameters { memory_kib, passes, lanes } = kdf;
        fields
            .text("argon2id")
            .number(memory_kib.into())
            .number(passes.into())
            .number(lanes.into())
            .octets(salt);
    });
    fields.into_bytes()
}

fn passphrase_key(
    passphrase: &[u8],
    kdf: KdfParameters,
    salt: &[u8; 16],
) -> Result<Zeroizing<[u8; 32]>, String> {
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, kdf.params()?)
        .hash_password_into(passphrase, salt, key.as_mut())
        .map_err(|error| error.to_string())?;
    Ok(key)
}

/// The wrapping key of a key file.
fn file_key(path: &Path, store: StoreId) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let wrong = |fault| StoreError::WrongKeyFile { path: path.into(), fault };
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => wrong("it is not there"),
        io::ErrorKind::PermissionDenied => StoreError::Permission { path: path.into() },
        _ => StoreError::Io { act: "read", path: path.into(), source },
    })?;
    // Read with room to spare: 64 digits and a newline, or a file that is too long.
    let mut content = Zeroizing::new(Vec::with_capacity(256));
    file.take(128).read_to_end(&mut content).map_err(|source| StoreError::Io {
        act: "read",
        path: path.into(),
        source,
    })?;
    let raw = match <[u8; 32]>::try_from(content.as_slice()) {
        Ok(raw) => Zeroizing::new(raw),
        Err(_) => core::str::from_utf8(&content)
            .ok()
            .and_then(|text| from_hex(text.trim_end()))
            .map(Zeroizing::new)
            .and_then(|octets| <[u8; 32]>::try_from(octets.as_slice()).ok())
            .map(Zeroizing::new)
            .ok_or_else(|| wrong("it is not 32 octets, raw or in hexadecimal"))?,
    };
    Ok(derive(&raw, &format!("pki-store key file {store}")))
}

fn make_key_file(path: &Path, rng: &mut dyn SecureRandom) -> Result<(), StoreError> {
    let key = random_key(rng)?;
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::PermissionDenied => StoreError::Permission { path: path.into() },
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path: path.into() },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path: path.into() },
        _ => StoreError::Io { act: "write", path: path.into(), source },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let text = Zeroizing::new(format!("{}\n", to_hex(key.as_ref())));
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}

fn to_hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        for digit in [octet >> 4, octet & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = Zeroizing::new(digits?);
    if digits.len() % 2 != 0 {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect())
}

/// A TOML basic string.
fn toml_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use pki_core::random::RandomError;

    struct Counting(u8);

    impl SecureRandom for Counting {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            for octet in out {
                self.0 = self.0.wrapping_add(1);
                *octet = self.0;
            }
            Ok(())
        }
    }

    const CHEAP: KdfParameters = KdfParameters { memory_kib: 19_456, passes: 2, lanes: 1 };

    fn by_passphrase() -> (Seal, RootKey) {
        let new = NewSeal::Passphrase { passphrase: Zeroizing::new(b"correct horse".to_vec()), kdf: CHEAP };
        Seal::create(new, StoreId::from_bytes([1; 16]), Path::new("s"), &mut Counting(0)).unwrap()
    }

    fn open(seal: &Seal, passphrase: &[u8]) -> Result<RootKey, StoreError> {
        seal.open(&Unseal::Passphrase(Zeroizing::new(passphrase.to_vec())), Path::new("s"))
    }

    #[test]
    fn a_passphrase_opens_what_it_sealed() {
        let (seal, root) = by_passphrase();
        let seal = Seal::parse(&seal.to_toml()).unwrap();
        assert_eq!(open(&seal, b"correct horse").unwrap(), root);
        assert!(matches!(open(&seal, b"battery staple"), Err(StoreError::WrongPassphrase { .. })));
        let nothing = seal.open(&Unseal::Nothing, Path::new("s"));
        assert!(matches!(nothing, Err(StoreError::PassphraseNeeded { .. })));
    }

    #[test]
    fn edited_parameters_do_not_open() {
        let text = by_passphrase().0.to_toml();
        for (from, to) in [("passes = 2", "passes = 3"), ("memory_kib = 19456", "memory_kib = 19464")] {
            let seal = Seal::parse(&text.replace(from, to)).unwrap();
            assert!(open(&seal, b"correct horse").is_err(), "{to}");
        }
    }

    #[test]
    fn parameters_out_of_bounds_are_refused_before_they_cost_anything() {
        let text = by_passphrase().0.to_toml();
        for (from, to) in [
            ("memory_kib = 19456", "memory_kib = 64"),
            ("memory_kib = 19456", "memory_kib = 4000000000"),
            ("passes = 2", "passes = 1"),
            ("passes = 2", "passes = 100000"),
            ("lanes = 1", "lanes = 0"),
        ] {
            let seal = Seal::parse(&text.replace(from, to)).unwrap();
            assert!(matches!(open(&seal, b"correct horse"), Err(StoreError::Seal { .. })), "{to}");
        }
    }

    #[test]
    fn a_malformed_file_is_refused() {
        let text = by_passphrase().0.to_toml();
        for (from, to) in [
            ("format = 1", "format = 2"),
            ("format = 1", ""),
            ("\"passphrase\"", "\"shamir\""),
            ("salt = \"", "salt = \"0"),
            ("salt = ", "pepper = "),
            ("wrapped = \"", "wrapped = \"x"),
            ("[argon2id]", "[argon2d]"),
            ("store = \"0", "store = \""),
        ] {
            assert!(text.contains(from));
            assert!(Seal::parse(&text.replace(from, to)).is_err(), "{to}");
        }
        assert!(Seal::parse("").is_err());
    }

    #[test]
    fn a_key_file_is_made_private_and_opens() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a \"key\"");
        let store = StoreId::from_bytes([1; 16]);
        let new = NewSeal::KeyFile(path.clone());
        let (seal, root) = Seal::create(new, store, directory.path(), &mut Counting(0)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let seal = Seal::parse(&seal.to_toml()).unwrap();
        assert_eq!(seal.open(&Unseal::Nothing, directory.path()).unwrap(), root);
        let hexadecimal = fs::read_to_string(&path).unwrap();
        let raw = directory.path().join("raw");
        fs::write(&raw, from_hex(hexadecimal.trim()).unwrap()).unwrap();
        assert_eq!(seal.open(&Unseal::KeyFile(raw.clone()), directory.path()).unwrap(), root);

        for content in [&[0_u8; 32][..], b"", b"short", &[b'a'; 200]] {
            fs::write(&raw, content).unwrap();
            let answer = seal.open(&Unseal::KeyFile(raw.clone()), directory.path());
            assert!(matches!(answer, Err(StoreError::WrongKeyFile { .. })));
        }
        fs::remove_file(&path).unwrap();
        let answer = seal.open(&Unseal::Nothing, directory.path());
        assert!(matches!(answer, Err(StoreError::WrongKeyFile { .. })));
    }
}
