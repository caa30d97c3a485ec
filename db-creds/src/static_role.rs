//! Static roles: an account that exists already, whose password changes by a period or a schedule.

use std::fmt;
use std::time::Duration;

use crate::password::{GenerateError, Password, PasswordPolicy, PolicyError};
use crate::random::SecureRandom;
use crate::schedule::{SHORTEST_WINDOW, Schedule, ScheduleError};
use crate::statement::{Purpose, StatementError, Statements};
use crate::time::UnixTime;
use crate::ttl::{self, whole_seconds};

/// A static role as it is written: Vault's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticRoleConfig {
    /// The configured database.
    pub db_name: String,
    /// The account.
    pub username: String,
    /// How long a password lives; zero where there is a schedule.
    #[serde(with = "whole_seconds")]
    pub rotation_period: Duration,
    /// When passwords change, in cron's form and UTC; empty where there is a period.
    pub rotation_schedule: String,
    /// How long after its time a scheduled rotation may still happen; zero is for ever.
    #[serde(with = "whole_seconds")]
    pub rotation_window: Duration,
    /// What changes the password; empty leaves it to the driver.
    pub rotation_statements: Vec<String>,
    /// The policy of passwords, in HCL; empty is the default.
    pub password_policy: String,
}

/// A static role whose every field was accepted.
#[derive(Clone, Debug)]
pub struct StaticRole {
    config: StaticRoleConfig,
    rotation: Rotation,
    statements: Statements,
    passwords: PasswordPolicy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rotation {
    Period(Duration),
    Schedule(Schedule, Duration),
}

/// The password of an account, as it is stored: sealed, never in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticCredential {
    /// The password in use; `None` before the first rotation.
    pub current: Option<Password>,
    /// When it was set.
    pub last_rotation: Option<UnixTime>,
    /// A password that is being set.
    pub candidate: Option<Candidate>,
}

/// A password that may be on the server already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The password.
    pub password: Password,
    /// How often setting it has failed.
    pub failures: u32,
}

impl StaticRole {
    /// Accepts a role; `before` is the one that it replaces.
    ///
    /// # Errors
    ///
    /// [`StaticRoleError`]
    pub fn new(config: StaticRoleConfig, before: Option<&Self>) -> Result<Self, StaticRoleError> {
        if config.username.is_empty() {
            return Err(StaticRoleError::UsernameMissing);
        }
        if before.is_some_and(|before| before.config.username != config.username) {
            return Err(StaticRoleError::UsernameChanged);
        }
        if config.db_name.is_empty() {
            return Err(StaticRoleError::DatabaseMissing);
        }
        let StaticRoleConfig { rotation_period: period, rotation_window: window, .. } = config;
        let rotation = match (period.is_zero(), config.rotation_schedule.as_str()) {
            (true, "") => return Err(StaticRoleError::PeriodMissing),
            (false, "") if period < SHORTEST_PERIOD => return Err(StaticRoleError::PeriodTooShort),
            (false, "") if !window.is_zero() => return Err(StaticRoleError::WindowWithoutSchedule),
            (false, "") => Rotation::Period(period),
            (false, _) => return Err(StaticRoleError::PeriodAndSchedule),
            (true, _) if !window.is_zero() && window < SHORTEST_WINDOW => {
                return Err(StaticRoleError::WindowTooShort);
            }
            (true, schedule) => Rotation::Schedule(Schedule::parse(schedule)?, window),
        };
        let passwords = match config.password_policy.as_str() {
            "" => PasswordPolicy::default(),
            policy => PasswordPolicy::parse(policy)?,
        };
        let statements = Statements::parse(&config.rotation_statements, Purpose::Rotation)?;
        Ok(Self { config, rotation, statements, passwords })
    }

    /// The role as it was written.
    pub const fn config(&self) -> &StaticRoleConfig {
        &self.config
    }

    /// The rotation statements; none leaves it to the driver.
    pub const fn statements(&self) -> &Statements {
        &self.statements
    }

    /// When the password changes next. Past the window of a schedule, its next time.
    pub fn next_rotation(&self, credential: &StaticCredential, now: UnixTime) -> UnixTime {
        // The first rotation is at once, as in Vault.
        let Some(last) = credential.last_rotation else { return now };
        match &self.rotation {
            // A clock that jumped back must not postpone it by more than a period.
            Rotation::Period(period) => ttl::after(last.min(now), *period),
            Rotation::Schedule(schedule, window) => {
                let last = last.min(now);
                let since = if window.is_zero() { last } else { last.max(ttl::before(now, *window)) };
                schedule.next_after(since).unwrap_or(UnixTime::MAX)
            }
        }
    }

    /// How long the password will still live, for those who read it.
    pub fn ttl(&self, credential: &StaticCredential, now: UnixTime) -> Duration {
        self.next_rotation(credential, now).saturating_since(now)
    }

    /// The candidate of the next rotation, to be stored before it is set: the stored one, which may be on the server
    /// already, unless it has failed too often. A password that the server's own rules refuse would otherwise be tried for
    /// ever.
    ///
    /// # Errors
    ///
    /// [`GenerateError`] if no password can be made.
    pub fn candidate(
        &self,
        credential: &StaticCredential,
        rng: &mut dyn SecureRandom,
    ) -> Result<Candidate, GenerateError> {
        match &credential.candidate {
            Some(candidate) if candidate.failures < MOST_FAILURES => Ok(candidate.clone()),
            _ => Ok(Candidate { password: self.passwords.generate(rng)?, failures: 0 }),
        }
    }
}

impl StaticCredential {
    /// An account before its first rotation.
    pub const fn new() -> Self {
        Self { current: None, last_rotation: None, candidate: None }
    }

    /// A candidate is about to be set.
    #[must_use]
    pub fn with_candidate(&self, candidate: Candidate) -> Self {
        Self { candidate: Some(candidate), ..self.clone() }
    }

    /// The candidate is in use.
    #[must_use]
    pub fn rotated(&self, now: UnixTime) -> Self {
        let current = self.candidate.as_ref().map(|candidate| candidate.password.clone());
        Self { current: current.or_else(|| self.current.clone()), last_rotation: Some(now), candidate: None }
    }

    /// Setting the candidate failed.
    #[must_use]
    pub fn failed(&self) -> Self {
        let candidate = self.candidate.as_ref().map(|candidate| Candidate {
            password: candidate.password.clone(),
            failures: candidate.failures.saturating_add(1),
        });
        Self { candidate, ..self.clone() }
    }
}

impl Default for StaticCredential {
    fn default() -> Self {
        Self::new()
    }
}

/// A static role that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StaticRoleError {
    /// No database.
    DatabaseMissing,
    /// The password policy.
    PasswordPolicy(PolicyError),
    /// Both a period and a schedule.
    PeriodAndSchedule,
    /// Neither.
    PeriodMissing,
    /// Under five seconds.
    PeriodTooShort,
    /// The schedule.
    Schedule(ScheduleError),
    /// The statements.
    Statement(StatementError),
    /// Another account than before.
    UsernameChanged,
    /// No account.
    UsernameMissing,
    /// Under an hour.
    WindowTooShort,
    /// A window where nothing is scheduled.
    WindowWithoutSchedule,
}

impl From<PolicyError> for StaticRoleError {
    fn from(error: PolicyError) -> Self {
        Self::PasswordPolicy(error)
    }
}

impl From<ScheduleError> for StaticRoleError {
    fn from(error: ScheduleError) -> Self {
        Self::Schedule(error)
    }
}

impl From<StatementError> for StaticRoleError {
    fn from(error: StatementError) -> Self {
        Self::Statement(error)
    }
}

impl fmt::Display for StaticRoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatabaseMissing => f.write_str("database name is required"),
            Self::PasswordPolicy(error) => write!(f, "password policy: {error}"),
            Self::PeriodAndSchedule => {
                f.write_str("rotation_period and rotation_schedule exclude each other")
            }
            Self::PeriodMissing => {
                f.write_str("rotation_period is required to create static accounts (or rotation_schedule)")
            }
            Self::PeriodTooShort => f.write_str("rotation_period must be 5 seconds or more"),
            Self::Schedule(error) => write!(f, "rotation_schedule: {error}"),
            Self::Statement(error) => write!(f, "{error}"),
            Self::UsernameChanged => f.write_str("cannot update static account username"),
            Self::UsernameMissing => f.write_str("username is a required field to create a static account"),
            Self::WindowTooShort => f.write_str("rotation_window must be 1 hour or more"),
            Self::WindowWithoutSchedule => f.write_str("rotation_window needs a rotation_schedule"),
        }
    }
}

impl std::error::Error for StaticRoleError {}

/// Vault's.
const SHORTEST_PERIOD: Duration = Duration::from_secs(5);
/// vault#28989.
const MOST_FAILURES: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded;

    fn config() -> StaticRoleConfig {
        StaticRoleConfig {
            db_name: "db".into(),
            username: "app".into(),
            rotation_period: Duration::from_secs(3_600),
            ..StaticRoleConfig::default()
        }
    }

    fn scheduled(window: u64) -> StaticRole {
        let config = StaticRoleConfig {
            rotation_period: Duration::ZERO,
            rotation_schedule: "0 0 * * *".into(),
            rotation_window: Duration::from_secs(window),
            ..config()
        };
        StaticRole::new(config, None).unwrap()
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds).unwrap()
    }

    fn rotated(seconds: u64) -> StaticCredential {
        StaticCredential { last_rotation: Some(at(seconds)), ..StaticCredential::new() }
    }

    #[test]
    fn what_is_refused() {
        let before = StaticRole::new(config(), None).unwrap();
        let hour = Duration::from_secs(3_600);
        for (name, config, wanted) in [
            (
                "no user",
                StaticRoleConfig { username: String::new(), ..config() },
                "username is a required field",
            ),
            (
                "another user",
                StaticRoleConfig { username: "b".into(), ..config() },
                "cannot update static account",
            ),
            (
                "no database",
                StaticRoleConfig { db_name: String::new(), ..config() },
                "database name is required",
            ),
            (
                "no period",
                StaticRoleConfig { rotation_period: Duration::ZERO, ..config() },
                "is required to create",
            ),
            (
                "a short period",
                StaticRoleConfig { rotation_period: Duration::from_secs(4), ..config() },
                "5 seconds",
            ),
            (
                "both",
                StaticRoleConfig { rotation_schedule: "@daily".into(), ..config() },
                "exclude each other",
            ),
            (
                "a window alone",
                StaticRoleConfig { rotation_window: hour, ..config() },
                "needs a rotation_schedule",
            ),
            (
                "a short window",
                StaticRoleConfig {
                    rotation_period: Duration::ZERO,
                    rotation_schedule: "@daily".into(),
                    rotation_window: Duration::from_secs(60),
                    ..config()
                },
                "1 hour or more",
            ),
            (
                "no schedule",
                StaticRoleConfig {
                    rotation_period: Duration::ZERO,
                    rotation_schedule: "x".into(),
                    ..config()
                },
                "five fields",
            ),
            ("no policy", StaticRoleConfig { password_policy: "x".into(), ..config() }, "password policy"),
            (
                "a bare placeholder",
                StaticRoleConfig { rotation_statements: vec!["ALTER ROLE {{name}}".into()], ..config() },
                "rotation statement 1: {{name}} stands outside quotes",
            ),
        ] {
            let error = StaticRole::new(config, Some(&before)).unwrap_err().to_string();
            assert!(error.contains(wanted), "{name}: {error}");
        }
    }

    #[test]
    fn rotations_come_when_they_should() {
        const DAY: u64 = 86_400;
        let period = StaticRole::new(config(), None).unwrap();
        assert_eq!(period.next_rotation(&StaticCredential::new(), at(77)), at(77), "the first is at once");
        assert_eq!(period.next_rotation(&rotated(1_000), at(2_000)), at(4_600));
        assert_eq!(period.next_rotation(&rotated(100_000), at(2_000)), at(5_600), "the clock jumped back");
        assert_eq!(period.ttl(&rotated(1_000), at(4_000)), Duration::from_secs(600));
        assert_eq!(period.ttl(&rotated(1_000), at(9_000)), Duration::ZERO);
        assert_eq!(scheduled(0).next_rotation(&rotated(1_000), at(2_000)), at(DAY));
        assert_eq!(scheduled(0).next_rotation(&rotated(1_000), at(DAY + 50_000)), at(DAY), "late, but due");
        assert_eq!(
            scheduled(3_600).next_rotation(&rotated(1_000), at(DAY + 3_599)),
            at(DAY),
            "within the window"
        );
        assert_eq!(scheduled(3_600).next_rotation(&rotated(1_000), at(DAY + 3_600)), at(2 * DAY), "missed");
        assert_eq!(scheduled(3_600).next_rotation(&rotated(DAY + 10), at(DAY + 20)), at(2 * DAY), "done");
    }

    #[test]
    fn a_candidate_is_tried_again_but_not_for_ever() {
        let role = StaticRole::new(config(), None).unwrap();
        let mut rng = seeded(8);
        let first = role.candidate(&StaticCredential::new(), &mut rng).unwrap();
        let mut credential = StaticCredential::new().with_candidate(first.clone());
        for _ in 0..2 {
            credential = credential.failed();
            assert_eq!(role.candidate(&credential, &mut rng).unwrap().password, first.password);
        }
        credential = credential.failed();
        let other = role.candidate(&credential, &mut rng).unwrap();
        assert_ne!(other.password, first.password);
        let done = credential.with_candidate(other.clone()).rotated(at(9));
        assert_eq!(
            done,
            StaticCredential { current: Some(other.password), last_rotation: Some(at(9)), candidate: None }
        );
    }
}
