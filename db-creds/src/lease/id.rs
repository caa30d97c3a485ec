//! The name of a lease: `MOUNT/creds/ROLE/24 characters`.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::random::{self, BASE62, RandomError, SecureRandom};
use crate::time::UnixTime;

/// A lease's id: the path that the lease was asked for at, and 24 characters that no other lease has.
///
/// The first six of them are coarse time and the rest are random, so that an index of ids grows at its end. Ids order
/// by path, then by those characters. Clones share the path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId {
    path: LeasePath,
    unique: [u8; UNIQUE],
}

impl LeaseId {
    /// A new id below `path`.
    ///
    /// # Errors
    ///
    /// [`RandomError`] of the source.
    pub fn random(path: LeasePath, now: UnixTime, rng: &mut dyn SecureRandom) -> Result<Self, RandomError> {
        // Two seconds a step: the same coarse time as in serial numbers.
        let mut rest = now.as_secs() / 2;
        let mut unique = [b'0'; UNIQUE];
        for place in unique.iter_mut().take(COARSE_TIME).rev() {
            *place = BASE62.get((rest % 62) as usize).copied().unwrap_or(b'0');
            rest /= 62;
        }
        let random = random::characters(rng, BASE62, UNIQUE - COARSE_TIME)?;
        for (place, octet) in unique.iter_mut().skip(COARSE_TIME).zip(random.bytes()) {
            *place = octet;
        }
        Ok(Self { path, unique })
    }

    /// Reads an id.
    ///
    /// # Errors
    ///
    /// [`LeaseIdError`], which says what an id looks like.
    pub fn parse(text: &str) -> Result<Self, LeaseIdError> {
        let wrong = || LeaseIdError { text: text.chars().take(LONGEST_PATH).collect() };
        let (path, unique) = text.rsplit_once('/').ok_or_else(wrong)?;
        if !unique.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Err(wrong());
        }
        let unique = unique.as_bytes().try_into().map_err(|_| wrong())?;
        Ok(Self { path: LeasePath::parse(path).map_err(|_| wrong())?, unique })
    }

    /// The path it was asked for at.
    pub const fn path(&self) -> &LeasePath {
        &self.path
    }

    /// The mount it belongs to.
    pub fn mount(&self) -> &str {
        self.path.mount()
    }

    /// The 24 characters.
    pub fn unique(&self) -> &str {
        std::str::from_utf8(&self.unique).unwrap_or_default()
    }

    /// The key of the lock under which a database creates and forgets this lease's user: 64 bits of the id's SHA-256.
    pub fn lock_key(&self) -> i64 {
        let digest: [u8; 32] = Sha256::digest(self.to_string().as_bytes()).into();
        digest.first_chunk().map_or(0, |octets| i64::from_be_bytes(*octets))
    }

    /// The same id with a path that others share, so that a million ids do not hold a million paths.
    pub(crate) fn share(&mut self, path: &LeasePath) {
        if self.path == *path {
            self.path = path.clone();
        }
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.path, self.unique())
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for LeaseId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for LeaseId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Where a lease was asked for: `MOUNT/creds/ROLE`, or `MOUNT/issue/ROLE` and `MOUNT/sign/ROLE` for certificates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeasePath(Arc<str>);

impl LeasePath {
    /// The path of a role in a mount.
    ///
    /// # Errors
    ///
    /// [`LeaseIdError`] if a name is none: a word character first and last, between them `-` and `.` too.
    pub fn new(mount: &str, source: LeaseSource, role: &str) -> Result<Self, LeaseIdError> {
        Self::parse(&format!("{mount}/{source}/{role}"))
    }

    /// Reads a path. Mounts may have several parts.
    ///
    /// # Errors
    ///
    /// [`LeaseIdError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, LeaseIdError> {
        let parts: Vec<&str> = text.split('/').collect();
        let names = parts.iter().all(|part| is_name(part));
        match parts.as_slice() {
            [_, .., source, _]
                if parts.len() >= 3
                    && names
                    && text.len() <= LONGEST_PATH
                    && LeaseSource::parse(source).is_some() =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(LeaseIdError { text: text.chars().take(LONGEST_PATH).collect() }),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mount.
    pub fn mount(&self) -> &str {
        self.0.rsplitn(3, '/').nth(2).unwrap_or_default()
    }

    /// What the lease is for.
    pub fn source(&self) -> LeaseSource {
        self.0.rsplit('/').nth(1).and_then(LeaseSource::parse).unwrap_or(LeaseSource::Creds)
    }

    /// The role.
    pub fn role(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for LeasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LeasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a lease is for: the word between mount and role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseSource {
    /// A database user.
    Creds,
    /// A certificate whose key was generated.
    Issue,
    /// A certificate on a CSR.
    Sign,
}

impl LeaseSource {
    fn parse(word: &str) -> Option<Self> {
        [Self::Creds, Self::Issue, Self::Sign].into_iter().find(|source| source.word() == word)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Creds => "creds",
            Self::Issue => "issue",
            Self::Sign => "sign",
        }
    }
}

impl fmt::Display for LeaseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What many ids begin with: whole parts of the path, or one whole id. `database/creds/ro` is no prefix of
/// `database/creds/ro2/...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasePrefix(String);

impl LeasePrefix {
    /// Takes a prefix, with or without the final slash; the empty one is everything.
    pub fn new(text: &str) -> Self {
        Self(text.trim_end_matches('/').into())
    }

    /// The part of the id after the prefix and its slash; `None` if the id is not below it. A whole id leaves nothing.
    pub fn rest(&self, id: &LeaseId) -> Option<String> {
        let text = id.to_string();
        if self.0.is_empty() {
            return Some(text);
        }
        match text.strip_prefix(self.0.as_str())? {
            "" => Some(String::new()),
            rest => rest.strip_prefix('/').map(Into::into),
        }
    }

    /// Whether ids of this path can be below it.
    pub(crate) fn touches(&self, path: &LeasePath) -> bool {
        let (prefix, path) = (self.0.as_str(), path.as_str());
        let below = |long: &str, short: &str| {
            short.is_empty()
                || long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        below(path, prefix) || below(prefix, path)
    }
}

/// Not a lease id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseIdError {
    /// What was given, cut.
    pub text: String,
}

impl fmt::Display for LeaseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no lease id: it is MOUNT/creds/ROLE/ID (or issue, sign), where ID is 24 letters and digits",
            self.text
        )
    }
}

impl std::error::Error for LeaseIdError {}

/// Vault's names: a word character first and last, between them `-` and `.` too.
fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(word) && text.ends_with(word) && text.chars().all(|c| word(c) || c == '-' || c == '.')
}

const UNIQUE: usize = 24;
/// 62^6 steps of two seconds end after the year 5500.
const COARSE_TIME: usize = 6;
/// Ours: an id fits an index row of any database.
const LONGEST_PATH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded;
    use proptest::prelude::*;

    const ID: &str = "database/creds/ro/0abcdefghijklmnopqrstuvw";

    #[test]
    fn ids_are_read_and_written() {
        let id = LeaseId::parse(ID).unwrap();
        assert_eq!(id.to_string(), ID);
        assert_eq!(
            (id.mount(), id.path().role(), id.path().source()),
            ("database", "ro", LeaseSource::Creds)
        );
        let deep = LeaseId::parse(&format!("team/a/{ID}").replace("creds", "issue")).unwrap();
        assert_eq!((deep.mount(), deep.path().source()), ("team/a/database", LeaseSource::Issue));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "/",
            "database/creds/ro",
            "database/creds/ro/",
            "database/creds/ro/short",
            "database/creds/ro/0abcdefghijklmnopqrstuvwx",
            "database/creds/ro/0abcdefghijklmnopqrstuv-",
            "database/creds/ro/0abcdefghijklmnopqrstuvé",
            "creds/ro/0abcdefghijklmnopqrstuvw",
            "database/config/ro/0abcdefghijklmnopqrstuvw",
            "database/creds//0abcdefghijklmnopqrstuvw",
            "database/creds/-ro/0abcdefghijklmnopqrstuvw",
            "database/creds/r o/0abcdefghijklmnopqrstuvw",
            "database/creds/ro;/0abcdefghijklmnopqrstuvw",
            "/database/creds/ro/0abcdefghijklmnopqrstuvw",
            "../creds/ro/0abcdefghijklmnopqrstuvw",
        ] {
            assert!(LeaseId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_of_later_times_sort_later() {
        let path = LeasePath::new("database", LeaseSource::Creds, "ro").unwrap();
        let mut rng = seeded(5);
        let ids: Vec<LeaseId> = [0, 2, 61 * 2, 62 * 2, 1_795_597_200, 1_795_597_202, 253_402_300_799]
            .into_iter()
            .map(|now| LeaseId::random(path.clone(), UnixTime::from_secs(now).unwrap(), &mut rng).unwrap())
            .collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string()));
        for id in &ids {
            assert_eq!(LeaseId::parse(&id.to_string()).as_ref(), Ok(id));
        }
    }

    #[test]
    fn prefixes_end_at_slashes() {
        let id = LeaseId::parse(ID).unwrap();
        for (prefix, rest) in [
            ("", Some(ID)),
            ("database", Some("creds/ro/0abcdefghijklmnopqrstuvw")),
            ("database/creds/", Some("ro/0abcdefghijklmnopqrstuvw")),
            ("database/creds/ro", Some("0abcdefghijklmnopqrstuvw")),
            (ID, Some("")),
            ("data", None),
            ("database/creds/r", None),
            ("database/creds/ro/0abc", None),
            ("database/creds/ro2", None),
        ] {
            assert_eq!(LeasePrefix::new(prefix).rest(&id).as_deref(), rest, "{prefix}");
            if rest.is_some() {
                assert!(LeasePrefix::new(prefix).touches(id.path()), "{prefix}");
            }
        }
        assert!(!LeasePrefix::new("database/creds/r").touches(id.path()));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_again(text in "[a-z./_-]{0,12}/(creds|issue|x)/[a-z.-]{0,6}/[A-Za-z0-9]{23,25}") {
            if let Ok(id) = LeaseId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
