//! How long a certificate lasts: asked, default, maximum make one period, with warnings.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::Role;
use crate::explain::{No, Remedy, RuleId, Warning};
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
    pub(crate) fn grant(
        &self,
        asked: AskedLifetime,
        default_ttl: Duration,
        role_max: Option<Duration>,
        backdate: Duration,
        now: UnixTime,
        warnings: &mut Vec<Warning>,
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
        if not_after <= now {
            return Err(No {
                rule: RuleId::LIFETIME_ORDER,
                value: not_after.to_string(),
                reason: alloc::format!(
                    "the certificate would end at {not_after}, which is not after now ({now})"
                ),
                remedy: Remedy::Request("ask for a later end: --ttl or --not-after".to_string()),
            });
        }
        let not_before = now.checked_sub(backdate).unwrap_or(UnixTime::MIN);
        Validity::new(not_before, not_after).map_err(|error| No {
            rule: RuleId::LIFETIME_ORDER,
            value: String::new(),
            reason: error.to_string(),
            remedy: Remedy::Request("ask for a later end: --ttl or --not-after".to_string()),
        })
    }
}

impl Role {
    pub(super) fn permit_lifetime(
        &self,
        asked: AskedLifetime,
        limits: &Limits,
        now: UnixTime,
        warnings: &mut Vec<Warning>,
    ) -> Result<Validity, No> {
        let config = &self.config;
        let asked = match (self.not_after, asked) {
            (None, asked) => asked,
            (Some(_), AskedLifetime::Ttl(ttl)) if !ttl.is_zero() => {
                return Err(No {
                    rule: RuleId::LIFETIME_CONFLICT,
                    value: alloc::format!("{}s", ttl.as_secs()),
                    reason: "the role fixes not_after, so the request cannot have a TTL".to_string(),
                    remedy: Remedy::Either {
                        role: "--not-after=".to_string(),
                        request: "leave --ttl out".to_string(),
                    },
                });
            }
            (Some(fixed), _) => AskedLifetime::NotAfter(fixed),
        };
        let default_ttl = if config.ttl > 0 { Duration::from_secs(config.ttl) } else { limits.default_ttl };
        let role_max = (config.max_ttl > 0).then(|| Duration::from_secs(config.max_ttl));
        let backdate = Duration::from_secs(config.not_before_duration);
        limits.grant(asked, default_ttl, role_max, backdate, now, warnings)
    }
}
