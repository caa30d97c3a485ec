//! How long a certificate lasts: asked, default, maximum make one period, with warnings.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::Role;
use crate::explain::{Inquiry, No, Remedy, RuleId, Warning};
use crate::issue::AskedLifetime;
use crate::time::UnixTime;
use crate::validity::Validity;

/// A mount's own limits on lifetimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The lifetime where neither request nor role says one.
    pub default_ttl: Duration,
    /// The longest lifetime.
    pub max_ttl: Duration,
}

impl Default for Limits {
    /// Vault's: 768 hours each.
    fn default() -> Self {
        Self { default_ttl: Duration::from_secs(768 * 3600), max_ttl: Duration::from_secs(768 * 3600) }
    }
}

impl Limits {
    /// The period for a lifetime that was asked for, from `now`, cut to this limit and `role_max`.
    ///
    /// The only place that adds durations to times: each end is computed once and carried from here.
    #[expect(clippy::too_many_arguments, reason = "what decides a lifetime comes from four places")]
    pub(crate) fn grant(
        &self,
        asked: AskedLifetime,
        default_ttl: Duration,
        role_max: Option<Duration>,
        backdate: Duration,
        now: UnixTime,
        warnings: &mut Vec<Warning>,
        inquiry: &mut Inquiry,
    ) -> Result<Validity, No> {
        let (limit, whose) = match role_max {
            Some(role_max) if role_max <= self.max_ttl => (role_max, "the role's max_ttl"),
            _ => (self.max_ttl, "the mount's max_lease_ttl"),
        };
        let latest = now.checked_add(limit).unwrap_or(UnixTime::MAX);
        let not_after = match asked {
            AskedLifetime::NotAfter(asked) if asked > latest => {
                warnings.push(Warning::NotAfterCapped { asked, granted: latest, limit: whose });
                latest
            }
            AskedLifetime::NotAfter(asked) => asked,
            AskedLifetime::Ttl(asked) if asked > limit => {
                warnings.push(Warning::TtlCapped { asked, granted: limit, limit: whose });
                latest
            }
            AskedLifetime::Ttl(asked) if !asked.is_zero() => now.checked_add(asked).unwrap_or(latest),
            // A default above the maximum is not what anybody asked for, so no warning.
            AskedLifetime::Ttl(_) | AskedLifetime::Default => {
                now.checked_add(default_ttl.min(limit)).unwrap_or(latest)
            }
        };
        let not_before = now.checked_sub(backdate).unwrap_or(UnixTime::MIN);
        inquiry.ask_because(
            RuleId::LIFETIME_ORDER,
            || not_after.to_string(),
            || lifetime_order(not_before, not_after, now),
            |_| alloc::format!("{whose} is {}s", limit.as_secs()),
        )
    }
}

/// A certificate ends after it begins, and in the future.
fn lifetime_order(not_before: UnixTime, not_after: UnixTime, now: UnixTime) -> Result<Validity, No> {
    let no = |reason: String| No {
        rule: RuleId::LIFETIME_ORDER,
        value: not_after.to_string(),
        reason,
        remedy: Remedy::Request("ask for a later end: --ttl or --not-after".to_string()),
    };
    if not_after <= now {
        return Err(no(alloc::format!(
            "the certificate would end at {not_after}, which is not after now ({now})"
        )));
    }
    Validity::new(not_before, not_after).map_err(|error| no(error.to_string()))
}

impl Role {
    pub(super) fn permit_lifetime(
        &self,
        asked: AskedLifetime,
        limits: &Limits,
        now: UnixTime,
        warnings: &mut Vec<Warning>,
        inquiry: &mut Inquiry,
    ) -> Result<Validity, No> {
        let config = &self.config;
        let asked = match self.not_after {
            None => asked,
            Some(fixed) => {
                let value = || fixed.to_string();
                inquiry.ask(RuleId::LIFETIME_CONFLICT, value, || lifetime_conflict(asked))?;
                AskedLifetime::NotAfter(fixed)
            }
        };
        let default_ttl = if config.ttl > 0 { Duration::from_secs(config.ttl) } else { limits.default_ttl };
        let role_max = (config.max_ttl > 0).then(|| Duration::from_secs(config.max_ttl));
        let backdate = Duration::from_secs(config.not_before_duration);
        limits.grant(asked, default_ttl, role_max, backdate, now, warnings, inquiry)
    }
}

/// Where the role says when every certificate ends, a request has no TTL.
fn lifetime_conflict(asked: AskedLifetime) -> Result<(), No> {
    match asked {
        AskedLifetime::Ttl(ttl) if !ttl.is_zero() => Err(No {
            rule: RuleId::LIFETIME_CONFLICT,
            value: alloc::format!("{}s", ttl.as_secs()),
            reason: "the role fixes not_after, so the request cannot have a TTL".to_string(),
            remedy: Remedy::Either {
                role: "--not-after=".to_string(),
                request: "leave --ttl out".to_string(),
            },
        }),
        _ => Ok(()),
    }
}
