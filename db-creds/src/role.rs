//! Database roles: who gets which user, for how long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::grant::{NewUser, Plan};
use crate::lease::{Lease, LeaseId, LeaseIdError, LeasePath, LeaseSource, LeaseSubject, LeaseTerms};
use crate::password::{GenerateError, PasswordPolicy};
use crate::random::{RandomError, SecureRandom};
use crate::statement::{Purpose, StatementError, Statements};
use crate::time::UnixTime;
use crate::ttl::{self, TtlError, TtlLimits, TtlWarning, whole_seconds};
use crate::username::{UsernameError, UsernameMetadata, UsernameTemplate};

/// A role as it is written: Vault's fields, and what is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseRoleConfig {
    /// The configured database.
    pub db_name: String,
    /// Create the user.
    pub creation_statements: Vec<String>,
    /// Remove it; empty leaves it to the driver, which then goes all the way.
    pub revocation_statements: Vec<String>,
    /// Stored and shown, as Vault does; a creation that fails is rolled back by its transaction.
    pub rollback_statements: Vec<String>,
    /// Extend it; empty leaves it to the driver.
    pub renew_statements: Vec<String>,
    /// Lifetimes; zero is the mount's.
    pub ttl: TtlLimits,
    /// How long before the end of a credential a pool asks for the next one.
    #[serde(with = "whole_seconds")]
    pub overlap: Duration,
    /// The policy of passwords, in HCL; empty is the default.
    pub password_policy: String,
}

/// A role whose every field was accepted.
#[derive(Clone, Debug)]
pub struct DatabaseRole {
    config: DatabaseRoleConfig,
    id: String,
    revision: u64,
    creation: Arc<Statements>,
    passwords: PasswordPolicy,
    terms: Arc<LeaseTerms>,
}

/// Who asks, and where.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The name of whoever asks: it becomes part of the user's.
    pub display_name: &'a str,
    /// The mount.
    pub mount: &'a str,
    /// The role's name in it.
    pub role_name: &'a str,
    /// The limits of the mount.
    pub limits: TtlLimits,
    /// The process that will hold the lease until its user exists, in the caller's own numbering.
    pub holder: u64,
}

impl DatabaseRole {
    /// Accepts a role; `id` and `revision` are what leases will say of it.
    ///
    /// # Errors
    ///
    /// [`RoleError`], with every complaint.
    pub fn new(config: DatabaseRoleConfig, id: &str, revision: u64) -> Result<Self, RoleError> {
        let mut complaints = Vec::new();
        let mut read = |elements: &[String], purpose| match Statements::parse(elements, purpose) {
            Ok(statements) => Some(statements),
            Err(error) => {
                complaints.push(Complaint::Statement(error));
                None
            }
        };
        let creation = read(&config.creation_statements, Purpose::Creation);
        read(&config.revocation_statements, Purpose::Revocation);
        read(&config.rollback_statements, Purpose::Revocation);
        read(&config.renew_statements, Purpose::Renewal);
        if config.db_name.is_empty() {
            complaints.push(Complaint::DatabaseMissing);
        }
        let TtlLimits { default, max } = config.ttl;
        if !max.is_zero() && default > max {
            complaints.push(Complaint::DefaultOverMaximum { default, max });
        }
        let passwords = if config.password_policy.is_empty() {
            Some(PasswordPolicy::default())
        } else {
            match PasswordPolicy::parse(&config.password_policy) {
                Ok(policy) => Some(policy),
                Err(error) => {
                    complaints.push(Complaint::PasswordPolicy(error));
                    None
                }
            }
        };
        let (Some(creation), Some(passwords), true) = (creation, passwords, complaints.is_empty()) else {
            return Err(RoleError { complaints });
        };
        let terms = Arc::new(LeaseTerms {
            database: config.db_name.clone(),
            role_id: id.into(),
            role_revision: revision,
            revocation_statements: config.revocation_statements.clone(),
            renew_statements: config.renew_statements.clone(),
        });
        Ok(Self { config, id: id.into(), revision, creation: Arc::new(creation), passwords, terms })
    }

    /// The role as it was written.
    pub const fn config(&self) -> &DatabaseRoleConfig {
        &self.config
    }

    /// Its immutable id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its revision.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The creation statements.
    pub fn creation(&self) -> &Statements {
        &self.creation
    }

    /// Plans a credential: names, password, statements, end. Nothing has happened yet; [`crate::grant`] goes on.
    ///
    /// # Errors
    ///
    /// [`PlanError`] when a name cannot be made, no time is left, or the source fails.
    pub fn plan(
        &self,
        caller: &Caller<'_>,
        usernames: &UsernameTemplate,
        longest_name: usize,
        rng: &mut dyn SecureRandom,
        now: UnixTime,
    ) -> Result<Plan, PlanError> {
        let path = LeasePath::new(caller.mount, LeaseSource::Creds, caller.role_name)?;
        let grant = ttl::grant(None, self.config.ttl.within(caller.limits), now)?;
        let metadata = UsernameMetadata { display_name: caller.display_name, role_name: caller.role_name };
        let name = usernames.generate(&metadata, longest_name, now, rng)?;
        let password = self.passwords.generate(rng)?;
        let id = LeaseId::random(path, now, rng)?;
        let subject = LeaseSubject::User(name.as_str().into());
        let lease = Lease::pending(id, subject, self.terms.clone(), &grant, caller.holder, now);
        let mut salt = [0; 16];
        rng.fill(&mut salt)?;
        let user = NewUser {
            lock_key: lease.id.lock_key(),
            name,
            password,
            salt,
            valid_until: ttl::valid_until(grant.expires_at),
            statements: self.creation.clone(),
        };
        Ok(Plan { lease, user, ttl: grant.ttl, warning: grant.warning })
    }
}

/// A role that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleError {
    /// Everything that is wrong with it.
    pub complaints: Vec<Complaint>,
}

/// One thing that is wrong with a role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Complaint {
    /// No `db_name`.
    DatabaseMissing,
    /// `default_ttl` is over `max_ttl`.
    DefaultOverMaximum {
        /// The default.
        default: Duration,
        /// The maximum.
        max: Duration,
    },
    /// The password policy.
    PasswordPolicy(crate::password::PolicyError),
    /// Statements.
    Statement(StatementError),
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatabaseMissing => f.write_str("database name is required"),
            Self::DefaultOverMaximum { default, max } => {
                write!(f, "default_ttl {} is over max_ttl {}", ttl::InWords(*default), ttl::InWords(*max))
            }
            Self::PasswordPolicy(error) => write!(f, "password policy: {error}"),
            Self::Statement(error) => write!(f, "{error}"),
        }
    }
}

impl fmt::Display for RoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, complaint) in self.complaints.iter().enumerate() {
            write!(f, "{}{complaint}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for RoleError {}

/// No credential can be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// No password.
    Generate(GenerateError),
    /// The mount or role has no name.
    Path(LeaseIdError),
    /// The source of randomness failed.
    Random(RandomError),
    /// No time.
    Ttl(TtlError),
    /// No user name.
    Username(UsernameError),
}

macro_rules! from {
    ($($error:ty => $variant:ident),*) => {
        $(impl From<$error> for PlanError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}
from!(GenerateError => Generate, LeaseIdError => Path, RandomError => Random, TtlError => Ttl, UsernameError => Username);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate(error) => write!(f, "failed to generate password: {error}"),
            Self::Path(error) => write!(f, "{error}"),
            Self::Random(error) => write!(f, "{error}"),
            Self::Ttl(error) => write!(f, "{error}"),
            Self::Username(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// What the answer's `warnings` must say.
    pub const fn warning(&self) -> Option<TtlWarning> {
        self.warning
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::random::seeded;

    pub(crate) const CREATE: &str =
        r#"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"#;

    pub(crate) fn config() -> DatabaseRoleConfig {
        DatabaseRoleConfig {
            db_name: "grade-api-db".into(),
            creation_statements: vec![CREATE.into()],
            ttl: TtlLimits { default: Duration::from_secs(3_600), max: Duration::from_secs(86_400) },
            ..DatabaseRoleConfig::default()
        }
    }

    pub(crate) fn plan(seed: u64) -> Plan {
        let role = DatabaseRole::new(config(), "r1", 1).unwrap();
        let caller = Caller {
            display_name: "root",
            mount: "database",
            role_name: "ro",
            limits: TtlLimits::SYSTEM,
            holder: 7,
        };
        let usernames = UsernameTemplate::parse(UsernameTemplate::DEFAULT).unwrap();
        let now = UnixTime::from_secs(1_000).unwrap();
        role.plan(&caller, &usernames, 63, &mut seeded(seed), now).unwrap()
    }

    #[test]
    fn a_plan_carries_everything_once() {
        let Plan { lease, user, ttl, warning } = plan(1);
        assert_eq!((ttl.as_secs(), warning), (3_600, None));
        assert_eq!(lease.subject.user(), Some(user.name.as_str()));
        assert_eq!(lease.expires_at.as_secs(), 4_600);
        assert_eq!(user.valid_until.as_secs(), 4_605);
        assert_eq!(user.lock_key, lease.id.lock_key());
        assert_eq!((lease.terms.role_id.as_str(), lease.terms.role_revision), ("r1", 1));
        assert!(lease.id.to_string().starts_with("database/creds/ro/"));
        assert_ne!(plan(2).user.name, user.name);
    }

    #[test]
    fn every_complaint_is_told() {
        let wrong = DatabaseRoleConfig {
            db_name: String::new(),
            creation_statements: vec!["CREATE ROLE {{name}}".into()],
            revocation_statements: vec!["DROP ROLE \"{{user}}\"".into()],
            renew_statements: vec!["x '{{password}}'".into()],
            ttl: TtlLimits { default: Duration::from_secs(3_600), max: Duration::from_secs(60) },
            password_policy: "length = 2".into(),
            ..config()
        };
        let error = DatabaseRole::new(wrong, "r", 1).unwrap_err();
        assert_eq!(error.complaints.len(), 6);
        for wanted in [
            "creation statement 1: {{name}} stands outside quotes",
            "revocation statement 1: unknown placeholder {{user}}",
            "renew statement 1: unknown placeholder {{password}}",
            "database name is required",
            "default_ttl 1h is over max_ttl 1m",
            "password policy: length must be 4 to 100",
        ] {
            assert!(error.to_string().contains(wanted), "{error}");
        }
        let empty = DatabaseRoleConfig { creation_statements: Vec::new(), ..config() };
        assert_eq!(DatabaseRole::new(empty, "r", 1).unwrap_err().to_string(), "empty creation statements");
    }
}
