//! Connection URLs and key/value strings, as libpq takes them; user and password only as placeholders.

use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;

use super::tls::SslMode;
use crate::database::{DatabaseError, DatabaseFault};

/// Where the server is, and how sure of it we must be.
#[derive(Clone, Debug)]
pub struct ConnectionUrl {
    /// Hosts, ports, database and settings: no user, no password.
    pub(super) config: Config,
    /// The user, if it is written there.
    pub(super) username: Option<String>,
    pub(super) ssl_mode: SslMode,
    pub(super) files: SslFiles,
}

/// The files that TLS needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SslFiles {
    pub(super) root_certificates: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

impl ConnectionUrl {
    /// Reads `postgresql://{{username}}:{{password}}@host:port/database?sslmode=verify-full` or
    /// `host=.. user={{username}} password={{password}}`.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] for what is neither, and for a literal password: it would be shown by whoever shows the
    /// configuration, and could not be rotated.
    pub fn parse(text: &str) -> Result<Self, DatabaseError> {
        if text.is_empty() {
            return Err(refused("connection_url cannot be empty"));
        }
        let (mut settings, base) = match text.split_once("://") {
            Some((scheme @ ("postgres" | "postgresql"), rest)) => uri(scheme, rest)?,
            Some((scheme, _)) if scheme.bytes().all(|octet| octet.is_ascii_lowercase()) => {
                return Err(refused("the scheme of the connection URL must be postgresql://"));
            }
            _ => (key_values(text)?, String::new()),
        };
        let username = match settings.take("user").as_deref() {
            None | Some("" | "{{username}}") => None,
            Some(user) => Some(user.to_owned()),
        };
        if !matches!(settings.take("password").as_deref(), None | Some("" | "{{password}}")) {
            return Err(refused(
                "password found in connection_url: write {{password}} there and give it as --password or --password-file",
            ));
        }
        let ssl_mode = SslMode::parse(settings.take("sslmode").as_deref().unwrap_or("prefer"))?;
        let mut file = |key| settings.take(key).filter(|path| !path.is_empty()).map(PathBuf::from);
        let files = SslFiles {
            root_certificates: file("sslrootcert"),
            certificate: file("sslcert"),
            key: file("sslkey"),
        };
        if base.contains("{{")
            || settings.0.iter().any(|(key, value)| key.contains("{{") || value.contains("{{"))
        {
            return Err(refused(
                "connection_url has {{username}} and {{password}} in their own places alone",
            ));
        }
        let config = Config::from_str(&settings.joined(&base)).map_err(|_| {
            // The library's message may quote what it could not read.
            refused("unable to parse connection url: write postgresql://{{username}}:{{password}}@HOST:PORT/DATABASE")
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refused("connection_url names no host"));
        }
        Ok(Self { config, username, ssl_mode, files })
    }
}

/// Settings in their order.
struct Settings(Vec<(String, String)>);

impl Settings {
    /// Takes a setting out; the last one counts, as in libpq.
    fn take(&mut self, key: &str) -> Option<String> {
        let mut found = None;
        self.0.retain(|(name, value)| {
            if name == key {
                found = Some(value.clone());
            }
            name != key
        });
        found
    }

    /// What the library reads: the base with a query, or key/value pairs.
    fn joined(&self, base: &str) -> String {
        if base.is_empty() {
            let quoted = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
            let pairs = self.0.iter().map(|(key, value)| format!("{key}='{}'", quoted(value)));
            return pairs.collect::<Vec<_>>().join(" ");
        }
        let pairs: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{key}={}", percent_encoded(value))).collect();
        if pairs.is_empty() { base.into() } else { format!("{base}?{}", pairs.join("&")) }
    }
}

/// The settings of a URI, and the URI without its user and its query.
fn uri(scheme: &str, rest: &str) -> Result<(Settings, String), DatabaseError> {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = before.split_once('/').unwrap_or((before, ""));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut settings = Settings(vec![
        ("user".into(), percent_decoded(name)?),
        ("password".into(), percent_decoded(password)?),
    ]);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| refused("connection_url has a setting without a value"))?;
        settings.0.push((percent_decoded(key)?, percent_decoded(value)?));
    }
    Ok((settings, format!("{scheme}://{hosts}/{path}")))
}

/// The settings of a key/value string: `key = value`, `key='it''s'` with backslashes.
fn key_values(text: &str) -> Result<Settings, DatabaseError> {
    let unclear = || refused("unable to parse connection url: neither postgresql://.. nor key=value pairs");
    let mut settings = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(unclear)?;
        let key = key.trim();
        if key.is_empty() || key.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            return Err(unclear());
        }
        let after = after.trim_start();
        let (is_quoted, after) = match after.strip_prefix('\'') {
            Some(after) => (true, after),
            None => (false, after),
        };
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next() {
                None if is_quoted => return Err(unclear()),
                None => break after.len(),
                Some((_, '\\')) => value.extend(characters.next().map(|(_, c)| c)),
                Some((at, '\'')) if is_quoted => break at + 1,
                Some((at, c)) if !is_quoted && c.is_whitespace() => break at,
                Some((_, c)) => value.push(c),
            }
        };
        settings.push((key.to_owned(), value));
        rest = after.get(end..).unwrap_or_default().trim_start();
    }
    Ok(Settings(settings))
}

fn percent_decoded(text: &str) -> Result<String, DatabaseError> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit = || rest.next().and_then(|octet| char::from(octet).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(refused("connection_url has a % without two hexadecimal digits"));
        };
        octets.push((high * 16 + low) as u8);
    }
    String::from_utf8(octets).map_err(|_| refused("connection_url is not UTF-8"))
}

fn percent_encoded(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet);
    text.bytes()
        .map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") })
        .collect()
}

fn refused(problem: &str) -> DatabaseError {
    DatabaseError::before(DatabaseFault::Configuration { problem: problem.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_postgres::config::Host;

    #[test]
    fn urls_are_read() {
        for text in [
            "postgresql://{{username}}:{{password}}@127.0.0.1:5433/gradedb?sslmode=verify-full&sslrootcert=/a%20b.pem",
            "host=127.0.0.1 port = 5433 user='{{username}}' password={{password}} dbname=gradedb sslmode=verify-full \
             sslrootcert='/a b.pem'",
        ] {
            let url = ConnectionUrl::parse(text).unwrap();
            assert_eq!(url.config.get_hosts(), [Host::Tcp("127.0.0.1".into())], "{text}");
            assert_eq!(
                (url.config.get_ports(), url.config.get_dbname()),
                ([5433].as_slice(), Some("gradedb"))
            );
            assert_eq!((url.username, url.ssl_mode), (None, SslMode::VerifyFull));
            assert_eq!(url.files.root_certificates, Some("/a b.pem".into()));
            assert!(url.config.get_user().is_none() && url.config.get_password().is_none());
        }
        let url = ConnectionUrl::parse("postgresql://root@/db?host=/tmp&application_name=x%26y").unwrap();
        assert_eq!(url.config.get_hosts(), [Host::Unix("/tmp".into())]);
        assert_eq!((url.username.as_deref(), url.config.get_application_name()), (Some("root"), Some("x&y")));
        let several = ConnectionUrl::parse("postgres://{{username}}:{{password}}@a:1,b:2/d").unwrap();
        assert_eq!((several.config.get_hosts().len(), several.config.get_ports()), (2, [1, 2].as_slice()));
    }

    #[test]
    fn what_is_refused_is_not_shown() {
        for (name, text, wanted) in [
            ("nothing", "", "cannot be empty"),
            ("a literal password", "postgresql://root:s3cret@h/d", "password found"),
            (
                "a literal password beside a placeholder",
                "postgresql://{{username}}:s3cret@h/d",
                "password found",
            ),
            ("an encoded password", "postgresql://root:%733cret@h/d", "password found"),
            ("a password with @", "postgresql://root:s3cret@x@h/d", "password found"),
            ("a password in the query", "postgresql://root@h/d?password=s3cret", "password found"),
            ("an encoded key", "postgresql://root@h/d?p%61ssword=s3cret", "password found"),
            ("a literal in pairs", "host=h user=root password=s3cret", "password found"),
            ("a quoted literal in pairs", "host=h password = 's3 cret'", "password found"),
            ("the last counts", "host=h password={{password}} password=s3cret", "password found"),
            ("another scheme", "mysql://root@h/s3cret", "must be postgresql://"),
            ("no pairs", "s3cret", "neither"),
            ("an open quote", "host=h user='s3cret", "neither"),
            ("an unknown setting", "postgresql://h/d?s3cret=1", "unable to parse"),
            ("a port in words", "postgresql://h:s3cret/d", "unable to parse"),
            ("an sslmode", "postgresql://h/d?sslmode=maybe", "sslmode"),
            ("a broken percent", "postgresql://h/d?a=%s3cret", "hexadecimal"),
            ("no host", "postgresql:///d", "names no host"),
            ("a placeholder elsewhere", "postgresql://{{username}}:{{password}}@{{host}}/d", "own places"),
            ("part of a password", "postgresql://a:x{{password}}@h/d", "password found"),
        ] {
            let error = ConnectionUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{name}: {error}");
            assert!(!error.contains("cret"), "{name}: {error}");
        }
    }
}
