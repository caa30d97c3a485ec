//! How long a lease lives: granting and renewing. The only place that adds durations.
//!
//! Every instant is computed once, here, and carried: nobody adds a duration to another reading of the clock.

use std::fmt;
use std::time::Duration;

use crate::random::{self, RandomError, SecureRandom};
use crate::time::UnixTime;

/// Default and maximum of a role or of a mount. Zero in a role means the mount's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TtlLimits {
    /// What is granted when nothing is asked for.
    #[serde(with = "whole_seconds")]
    pub default: Duration,
    /// The most that is granted.
    #[serde(with = "whole_seconds")]
    pub max: Duration,
}

impl TtlLimits {
    /// Vault's limits of a mount that was not tuned: 768 hours (32 days).
    pub const SYSTEM: Self =
        Self { default: Duration::from_secs(768 * 3_600), max: Duration::from_secs(768 * 3_600) };

    /// The limits of a role in its mount: the role's default, else the mount's; the smaller of both maxima.
    #[must_use]
    pub fn within(self, mount: Self) -> Self {
        let or_mount = |own: Duration, mount: Duration| if own.as_secs() == 0 { mount } else { own };
        Self {
            default: or_mount(self.default, mount.default),
            max: or_mount(self.max, mount.max).min(mount.max),
        }
    }
}

/// How long was granted, until when, and what was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The duration from now.
    pub ttl: Duration,
    /// The instant at which it ends: the first at which the lease is over.
    pub expires_at: UnixTime,
    /// What the answer's `warnings` must say.
    pub warning: Option<TtlWarning>,
}

/// Grants a new lease: what is asked for, else the default; capped by the maximum. Durations count in whole seconds.
///
/// # Errors
///
/// [`TtlError::NoTime`] if that leaves no time at all.
pub fn grant(asked: Option<Duration>, limits: TtlLimits, now: UnixTime) -> Result<Grant, TtlError> {
    until_the_end(asked, limits, now, now)
}

/// Renews a lease that was issued at `issued_at`: the increment counts from now and may shorten it; issue time plus
/// maximum is the end of all renewals.
///
/// # Errors
///
/// [`TtlError::PastMaximum`] when that end is reached.
pub fn renew(
    increment: Option<Duration>,
    limits: TtlLimits,
    issued_at: UnixTime,
    now: UnixTime,
) -> Result<Grant, TtlError> {
    // A clock that jumped back must not lend the lease more than its maximum from its issue.
    until_the_end(increment, limits, issued_at, now.max(issued_at))
}

fn until_the_end(
    asked: Option<Duration>,
    limits: TtlLimits,
    issued_at: UnixTime,
    now: UnixTime,
) -> Result<Grant, TtlError> {
    let whole = |duration: Duration| Duration::from_secs(duration.as_secs());
    let wanted = match asked.map(whole) {
        Some(asked) if !asked.is_zero() => asked,
        _ => whole(limits.default),
    };
    let end = issued_at.saturating_add(limits.max);
    let left = end.saturating_since(now);
    if left.is_zero() {
        return Err(if issued_at == now { TtlError::NoTime } else { TtlError::PastMaximum { end } });
    }
    let ttl = wanted.min(left);
    if ttl.is_zero() {
        return Err(TtlError::NoTime);
    }
    let warning = (wanted > left).then_some(TtlWarning { asked: wanted, granted: left });
    Ok(Grant { ttl, expires_at: now.saturating_add(ttl), warning })
}

/// What the database is told as the end of a password: a little after the lease's, because its clock is not ours. The
/// lease ends the credential; this is the net below it.
pub fn valid_until(expires_at: UnixTime) -> UnixTime {
    expires_at.saturating_add(DATABASE_CLOCK_SLACK)
}

/// When the next credential of a pool must be there: `overlap` before the present one ends, so that the old one only
/// drains. Never before the half of the lifetime, or a long overlap would ask again at once and for ever.
pub fn successor_due(issued_at: UnixTime, expires_at: UnixTime, overlap: Duration) -> UnixTime {
    let half = issued_at.saturating_add(expires_at.saturating_since(issued_at) / 2);
    expires_at.saturating_sub(overlap).max(half)
}

/// The instant so long after another one; the end of time at most.
pub(crate) fn after(time: UnixTime, duration: Duration) -> UnixTime {
    time.saturating_add(duration)
}

/// The instant so long before another one; the beginning of time at least.
pub(crate) const fn before(time: UnixTime, duration: Duration) -> UnixTime {
    time.saturating_sub(duration)
}

/// When the revocation that has failed `attempts` times is tried again: after one second, doubling to five minutes,
/// and spread by half of that both ways, so that a database that comes back is not met by all leases at once.
///
/// # Errors
///
/// [`RandomError`] of the source.
pub fn retry_at(attempts: u32, now: UnixTime, rng: &mut dyn SecureRandom) -> Result<UnixTime, RandomError> {
    let mean = FIRST_RETRY.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_RETRY);
    let thousandths = 500 + random::below(rng, 1_001)?;
    // Rounded up: a retry in the same second would be none.
    let seconds = (mean.as_secs() * u64::from(thousandths)).div_ceil(1_000);
    Ok(now.saturating_add(Duration::from_secs(seconds)))
}

/// The TTL that was asked for is over the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtlWarning {
    /// What was asked for.
    pub asked: Duration,
    /// What was granted: what is left until the maximum.
    pub granted: Duration,
}

/// Vault's words, which clients know.
impl fmt::Display for TtlWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TTL of \"{}\" exceeded the effective max_ttl of \"{}\"; TTL value is capped accordingly",
            InWords(self.asked),
            InWords(self.granted)
        )
    }
}

/// No time can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TtlError {
    /// The limits of role and mount leave none.
    NoTime,
    /// A renewal at or after issue time plus maximum.
    PastMaximum {
        /// That instant.
        end: UnixTime,
    },
}

impl fmt::Display for TtlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTime => f.write_str("the limits of role and mount leave a lifetime of zero"),
            Self::PastMaximum { end } => {
                write!(f, "past the max TTL, cannot renew: issue time plus max_ttl was {end}")
            }
        }
    }
}

impl std::error::Error for TtlError {}

/// A duration as Vault prints it: `24h`, `1h30m`, `45s`.
pub struct InWords(pub Duration);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds == 0 {
            return f.write_str("0s");
        }
        for (count, unit) in [(seconds / 3_600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

/// Durations in documents are whole seconds.
pub(crate) mod whole_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(duration.as_secs())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

/// Vault's five seconds.
const DATABASE_CLOCK_SLACK: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// A database that comes back after a weekend is rid of its users within minutes.
const LONGEST_RETRY: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds).unwrap()
    }

    fn limits(default: u64, max: u64) -> TtlLimits {
        TtlLimits { default: Duration::from_secs(default), max: Duration::from_secs(max) }
    }

    #[test]
    fn role_and_mount_limits_meet() {
        let mount = limits(3_600, 86_400);
        for (name, role, wanted) in [
            ("zero is the mount's", limits(0, 0), mount),
            ("the role's own", limits(60, 600), limits(60, 600)),
            ("a role may not exceed its mount", limits(60, 999_999), limits(60, 86_400)),
            ("a default alone", limits(60, 0), limits(60, 86_400)),
        ] {
            assert_eq!(role.within(mount), wanted, "{name}");
        }
    }

    #[test]
    fn grants() {
        for (name, asked, limits, wanted) in [
            ("default", None, limits(3_600, 86_400), Ok((3_600, None))),
            ("zero is the default", Some(0), limits(3_600, 86_400), Ok((3_600, None))),
            ("what is asked", Some(60), limits(3_600, 86_400), Ok((60, None))),
            ("capped", Some(360_000), limits(3_600, 86_400), Ok((86_400, Some((360_000, 86_400))))),
            ("a default over the maximum", None, limits(7_200, 3_600), Ok((3_600, Some((7_200, 3_600))))),
            ("no maximum", None, limits(60, 0), Err(TtlError::NoTime)),
            ("no default", None, limits(0, 60), Err(TtlError::NoTime)),
        ] {
            let granted = grant(asked.map(Duration::from_secs), limits, at(1_000));
            let wanted = wanted.map(|(ttl, warning): (u64, Option<(u64, u64)>)| Grant {
                ttl: Duration::from_secs(ttl),
                expires_at: at(1_000 + ttl),
                warning: warning.map(|(asked, granted)| TtlWarning {
                    asked: Duration::from_secs(asked),
                    granted: Duration::from_secs(granted),
                }),
            });
            assert_eq!(granted, wanted, "{name}");
        }
    }

    #[test]
    fn renewals_end_at_issue_plus_maximum() {
        let limits = limits(3_600, 7_200);
        let expiry = |increment: Option<u64>, now| {
            renew(increment.map(Duration::from_secs), limits, at(1_000), at(now)).map(|g| g.expires_at)
        };
        for (name, increment, now, wanted) in [
            ("from now", None, 2_000, Ok(at(5_600))),
            ("may shorten", Some(10), 2_000, Ok(at(2_010))),
            ("capped", Some(9_999), 2_000, Ok(at(8_200))),
            ("a second before the end", None, 8_199, Ok(at(8_200))),
            ("at the end", None, 8_200, Err(TtlError::PastMaximum { end: at(8_200) })),
            ("after the end", Some(1), 99_999, Err(TtlError::PastMaximum { end: at(8_200) })),
            ("the clock jumped back", None, 10, Ok(at(4_600))),
        ] {
            assert_eq!(expiry(increment, now), wanted, "{name}");
        }
    }

    #[test]
    fn warnings_speak_vaults_words() {
        let warning = TtlWarning { asked: 100 * HOUR, granted: HOUR + HOUR / 2 };
        assert_eq!(
            warning.to_string(),
            "TTL of \"100h\" exceeded the effective max_ttl of \"1h30m\"; TTL value is capped accordingly"
        );
        assert_eq!(InWords(Duration::from_secs(59)).to_string(), "59s");
        assert_eq!(InWords(Duration::ZERO).to_string(), "0s");
    }

    #[test]
    fn retries_double_to_five_minutes_and_spread() {
        let mut rng = seeded(3);
        for (attempts, low, high) in
            [(0, 1, 2), (1, 1, 2), (2, 1, 3), (5, 8, 24), (9, 128, 384), (10, 150, 450), (u32::MAX, 150, 450)]
        {
            let delays: Vec<u64> =
                (0..200).map(|_| retry_at(attempts, at(0), &mut rng).unwrap().as_secs()).collect();
            assert!(delays.iter().all(|&delay| (low..=high).contains(&delay)), "{attempts}: {delays:?}");
            assert!(delays.iter().any(|&delay| delay != delays[0]), "{attempts}: no jitter");
        }
    }

    #[test]
    fn a_successor_comes_before_the_end_and_after_the_half() {
        for (overlap, wanted) in [(0, 2_000), (100, 1_900), (499, 1_501), (900, 1_500), (u64::MAX, 1_500)] {
            assert_eq!(successor_due(at(1_000), at(2_000), Duration::from_secs(overlap)), at(wanted));
        }
    }

    proptest! {
        /// A capped lease never outlives its role, however often and whenever it is renewed.
        #[test]
        fn no_sequence_of_renewals_passes_the_maximum(
            default in 0_u64..100_000,
            max in 0_u64..100_000,
            issued in 0_u64..4_000_000_000,
            steps in prop::collection::vec((0_u64..4_000_000_000, prop::option::of(0_u64..u64::MAX)), 0..20),
        ) {
            let limits = limits(default, max);
            let end = at(issued).saturating_add(limits.max);
            if let Ok(grant) = grant(None, limits, at(issued)) {
                prop_assert!(grant.expires_at <= end);
            }
            for (now, increment) in steps {
                if let Ok(grant) = renew(increment.map(Duration::from_secs), limits, at(issued), at(now)) {
                    prop_assert!(grant.expires_at <= end);
                    prop_assert!(grant.ttl > Duration::ZERO);
                }
            }
        }
    }
}
