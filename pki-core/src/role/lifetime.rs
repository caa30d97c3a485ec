//! How long a certificate lasts: asked, default, maximum make one period, with warnings.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::Role;
use super::config::{Complaints, NotBeforeBound, RoleConfig};
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

/// When a certificate begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// So long before now.
    Backdated(Duration),
    /// At this time.
    At(UnixTime),
}

/// What is said about a lifetime outside the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The lifetime where the request says none.
    pub(crate) default_ttl: Duration,
    /// The longest lifetime, where a role says one.
    pub(crate) role_max: Option<Duration>,
    pub(crate) beginning: Beginning,
}

impl Limits {
    /// The period for a lifetime that was asked for, from `now`, cut to this limit and the role's.
    ///
    /// The only place that adds durations to times: each end is computed once and carried from here.
    pub(crate) fn grant(
        &self,
        asked: AskedLifetime,
        terms: Terms,
        now: UnixTime,
        warnings: &mut Vec<Warning>,
        inquiry: &mut Inquiry,
    ) -> Result<Validity, No> {
        let Terms { default_ttl, role_max, beginning } = terms;
        let (limit, whose) = self.limit(role_max);
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
        let not_before = match beginning {
            Beginning::Backdated(backdate) => now.checked_sub(backdate).unwrap_or(UnixTime::MIN),
            Beginning::At(time) => time,
        };
        inquiry.ask_because(
            RuleId::LIFETIME_ORDER,
            || not_after.to_string(),
            || lifetime_order(not_before, not_after, now),
            |_| alloc::format!("{whose} is {}s", limit.as_secs()),
        )
    }

    /// The smaller of the role's and the mount's maximum, and whose it is.
    fn limit(&self, role_max: Option<Duration>) -> (Duration, &'static str) {
        match role_max {
            Some(role_max) if role_max <= self.max_ttl => (role_max, "the role's max_ttl"),
            _ => (self.max_ttl, "the mount's max_lease_ttl"),
        }
    }
}

/// A certificate ends after it begins, and in the future.
fn lifetime_order(not_before: UnixTime, not_after: UnixTime, now: UnixTime) -> Result<Validity, No> {
    let no = |reason: String| No {
        rule: RuleId::LIFETIME_ORDER,
        value: not_after.to_string(),
        reason,
        remedy: Remedy::Request(if not_before < now || not_after <= now {
            "ask for a later end: --ttl or --not-after".to_string()
        } else {
            "ask for a later end (--ttl or --not-after), or an earlier beginning (--not-before)".to_string()
        }),
    };
    if not_after <= now {
        return Err(no(alloc::format!(
            "the certificate would end at {not_after}, which is not after now ({now})"
        )));
    }
    Validity::new(not_before, not_after).map_err(|error| no(error.to_string()))
}

/// When a role's certificates begin and end, beside its durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dates {
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
    not_after_bound: NotAfterBound,
}

/// Which ends may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotAfterBound {
    Permit,
    Forbid,
    /// None beyond the lifetime that is granted without being asked for.
    TtlLimited,
    /// None beyond this time, however it was asked for.
    Latest(UnixTime),
}

impl Dates {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        let not_before = date("not_before", &config.not_before, complaints);
        let not_after = date("not_after", &config.not_after, complaints);
        if let (Some(not_before), Some(not_after)) = (not_before, not_after)
            && not_before >= not_after
        {
            complaints.add(
                "not_before",
                alloc::format!("{not_before} is not before not_after {not_after}"),
                "a beginning before the end",
            );
        }
        let bound = config.not_after_bound.trim().to_ascii_lowercase();
        let not_after_bound = match bound.as_str() {
            "" | "permit" => NotAfterBound::Permit,
            "forbid" => NotAfterBound::Forbid,
            "ttl-limited" => NotAfterBound::TtlLimited,
            _ => match UnixTime::parse_rfc3339(config.not_after_bound.trim()) {
                Some(latest) => NotAfterBound::Latest(latest),
                None => {
                    complaints.add(
                        "not_after_bound",
                        alloc::format!("{:?} is not a bound", config.not_after_bound),
                        "permit, forbid, ttl-limited, or a time such as 2030-12-31T23:59:59Z",
                    );
                    NotAfterBound::Permit
                }
            },
        };
        config.not_after_bound = match not_after_bound {
            NotAfterBound::Permit => "permit".to_string(),
            NotAfterBound::Forbid => "forbid".to_string(),
            NotAfterBound::TtlLimited => "ttl-limited".to_string(),
            NotAfterBound::Latest(latest) => latest.to_string(),
        };
        if let (Some(not_after), NotAfterBound::Latest(latest)) = (not_after, not_after_bound)
            && not_after > latest
        {
            complaints.add(
                "not_after",
                alloc::format!("{not_after} is after not_after_bound {latest}"),
                "an end by then",
            );
        }
        Self { not_before, not_after, not_after_bound }
    }
}

fn date(field: &'static str, text: &str, complaints: &mut Complaints) -> Option<UnixTime> {
    if text.is_empty() {
        return None;
    }
    let parsed = UnixTime::parse_rfc3339(text);
    if parsed.is_none() {
        complaints.add(
            field,
            alloc::format!("{text:?} is not a time of RFC 3339 between 1970 and 9999"),
            "such as 2030-12-31T23:59:59Z, or nothing",
        );
    }
    parsed
}

impl Role {
    pub(super) fn permit_lifetime(
        &self,
        not_before: Option<UnixTime>,
        lifetime: AskedLifetime,
        limits: &Limits,
        now: UnixTime,
        warnings: &mut Vec<Warning>,
        inquiry: &mut Inquiry,
    ) -> Result<Validity, No> {
        let config = &self.config;
        let beginning = self.beginning(not_before, now, warnings, inquiry);
        let default_ttl = if config.ttl > 0 { Duration::from_secs(config.ttl) } else { limits.default_ttl };
        let role_max = (config.max_ttl > 0).then(|| Duration::from_secs(config.max_ttl));
        if let AskedLifetime::NotAfter(asked) = lifetime {
            let (limit, _) = limits.limit(role_max);
            let longest = default_ttl.min(limit);
            let bound = || not_after_bound(self.dates.not_after_bound, asked, longest, now);
            let _ = inquiry.ask(RuleId::LIFETIME_NOT_AFTER, || asked.to_string(), bound);
        }
        let lifetime = match (self.dates.not_after, lifetime) {
            (None, lifetime) => lifetime,
            (Some(fixed), lifetime) => {
                let value = || fixed.to_string();
                inquiry.ask(RuleId::LIFETIME_CONFLICT, value, || lifetime_conflict(lifetime))?;
                if let AskedLifetime::NotAfter(asked) = lifetime
                    && asked != fixed
                {
                    warnings.push(Warning::DateFixed { field: "not_after", asked, granted: fixed });
                }
                AskedLifetime::NotAfter(fixed)
            }
        };
        let terms = Terms { default_ttl, role_max, beginning };
        let validity = limits.grant(lifetime, terms, now, warnings, inquiry)?;
        if let NotAfterBound::Latest(latest) = self.dates.not_after_bound
            && !matches!(lifetime, AskedLifetime::NotAfter(_))
        {
            let end = validity.not_after();
            let bound = || not_after_latest(end, latest);
            inquiry.ask(RuleId::LIFETIME_NOT_AFTER, || end.to_string(), bound)?;
        }
        Ok(validity)
    }

    /// When the certificate begins: as the role fixes it, as asked, or dated back.
    fn beginning(
        &self,
        asked: Option<UnixTime>,
        now: UnixTime,
        warnings: &mut Vec<Warning>,
        inquiry: &mut Inquiry,
    ) -> Beginning {
        let backdate = Duration::from_secs(self.config.not_before_duration);
        if let Some(asked) = asked {
            let bound = || not_before_bound(self.config.not_before_bound, asked, backdate, now);
            let _ = inquiry.ask(RuleId::LIFETIME_NOT_BEFORE, || asked.to_string(), bound);
        }
        match (self.dates.not_before, asked) {
            (Some(fixed), asked) => {
                if let Some(asked) = asked.filter(|asked| *asked != fixed) {
                    warnings.push(Warning::DateFixed { field: "not_before", asked, granted: fixed });
                }
                Beginning::At(fixed)
            }
            (None, Some(asked)) => Beginning::At(asked),
            (None, None) => Beginning::Backdated(backdate),
        }
    }
}

/// The beginning is one that may be asked for.
fn not_before_bound(
    bound: NotBeforeBound,
    asked: UnixTime,
    backdate: Duration,
    now: UnixTime,
) -> Result<(), No> {
    let earliest = now.checked_sub(backdate).unwrap_or(UnixTime::MIN);
    let (reason, request) = match bound {
        NotBeforeBound::Permit => return Ok(()),
        NotBeforeBound::Duration if asked >= earliest => return Ok(()),
        NotBeforeBound::Duration => (
            alloc::format!(
                "the beginning {asked} is further back than the role's not_before_duration of {}s",
                backdate.as_secs()
            ),
            alloc::format!("ask for a later beginning: --not-before {now}"),
        ),
        NotBeforeBound::Forbid => (
            "this role lets nobody ask for a beginning (not_before_bound is forbid)".to_string(),
            "leave --not-before out".to_string(),
        ),
    };
    Err(No {
        rule: RuleId::LIFETIME_NOT_BEFORE,
        value: asked.to_string(),
        reason,
        remedy: Remedy::Either { role: "--not-before-bound permit".to_string(), request },
    })
}

/// The end is one that may be asked for. `longest` is the lifetime that would be granted without asking.
fn not_after_bound(
    bound: NotAfterBound,
    asked: UnixTime,
    longest: Duration,
    now: UnixTime,
) -> Result<(), No> {
    let (reason, request) = match bound {
        NotAfterBound::Permit => return Ok(()),
        NotAfterBound::Latest(latest) => return not_after_latest(asked, latest),
        NotAfterBound::TtlLimited => {
            let latest = now.checked_add(longest).unwrap_or(UnixTime::MAX);
            if asked <= latest {
                return Ok(());
            }
            (
                alloc::format!("the end {asked} is beyond the role's TTL of {}s", longest.as_secs()),
                alloc::format!("ask for an end by then: --not-after {latest}"),
            )
        }
        NotAfterBound::Forbid => (
            "this role lets nobody ask for an end (not_after_bound is forbid)".to_string(),
            "leave --not-after out".to_string(),
        ),
    };
    Err(No {
        rule: RuleId::LIFETIME_NOT_AFTER,
        value: asked.to_string(),
        reason,
        remedy: Remedy::Either { role: "--not-after-bound permit".to_string(), request },
    })
}

/// The end is no later than the role's latest.
fn not_after_latest(end: UnixTime, latest: UnixTime) -> Result<(), No> {
    if end <= latest {
        return Ok(());
    }
    Err(No {
        rule: RuleId::LIFETIME_NOT_AFTER,
        value: end.to_string(),
        reason: alloc::format!(
            "the certificate would end at {end}, beyond the role's not_after_bound {latest}"
        ),
        remedy: Remedy::Either {
            role: "--not-after-bound permit".to_string(),
            request: alloc::format!("ask for an end by then: --not-after {latest}"),
        },
    })
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
