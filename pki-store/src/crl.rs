//! Certificate revocation lists: numbers handed out, lists published.

use pki_core::authority::AuthorityId;
use pki_core::time::UnixTime;

use crate::error::Conflict;
use crate::issuer::AuthorityRecord;

/// What a CRL covers. Full and delta CRLs of an authority share one sequence of numbers (RFC 5280 5.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CrlScope {
    /// Every certificate of the authority.
    Full,
    /// What changed since a full CRL.
    Delta,
    /// The certificates of one shard.
    Shard(u32),
}

impl CrlScope {
    /// For the column: 0 full, 1 delta, 2 and up the shards.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Full => 0,
            Self::Delta => 1,
            Self::Shard(shard) => i64::from(shard) + 2,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Full),
            1 => Some(Self::Delta),
            _ => u32::try_from(code.checked_sub(2)?).ok().map(Self::Shard),
        }
    }
}

/// What [`Op::BeginCrl`](crate::batch::Op::BeginCrl) fixed: sign exactly this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrlDraft {
    /// The authority.
    pub authority: AuthorityId,
    /// What it covers.
    pub scope: CrlScope,
    /// max(last + 1, now in nanoseconds): never handed out before, also not by a store that was restored.
    pub number: u128,
    /// Never before the last thisUpdate.
    pub this_update: UnixTime,
    /// The entries are the revocations of the authority with ids up to this one.
    pub last_revocation: u64,
    /// So many revocations the authority has up to there.
    pub revoked: u64,
}

impl CrlDraft {
    /// Hands out the authority's next number and thisUpdate.
    pub(crate) fn begin(
        authority: &mut AuthorityRecord,
        scope: CrlScope,
        nanoseconds: u128,
        at: UnixTime,
    ) -> Self {
        let number = authority.last_crl_number.saturating_add(1).max(nanoseconds);
        let this_update = authority.last_this_update.map_or(at, |last| last.max(at));
        authority.last_crl_number = number;
        authority.last_this_update = Some(this_update);
        Self {
            authority: authority.id,
            scope,
            number,
            this_update,
            last_revocation: authority.last_revocation,
            revoked: authority.revoked,
        }
    }

    /// Whether the CRL may follow what is published.
    pub(crate) fn check(
        &self,
        next_update: UnixTime,
        authority: &AuthorityRecord,
        published: Option<&CrlRecord>,
    ) -> Result<(), Conflict> {
        let last = published.map_or(0, |crl| crl.number);
        if self.number > authority.last_crl_number || self.number <= last {
            return Err(Conflict::CrlSuperseded { number: self.number, published: last });
        }
        let backwards = published.is_some_and(|crl| self.this_update < crl.this_update);
        if backwards || next_update <= self.this_update {
            return Err(Conflict::CrlUpdates { this_update: self.this_update, next_update });
        }
        Ok(())
    }
}

/// A published CRL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrlRecord {
    /// The authority.
    pub authority: AuthorityId,
    /// What it covers.
    pub scope: CrlScope,
    /// Its number.
    pub number: u128,
    /// Its thisUpdate.
    pub this_update: UnixTime,
    /// Its nextUpdate.
    pub next_update: UnixTime,
    /// It contains the revocations up to this one; newer ones exist if the authority's last is greater.
    pub last_revocation: u64,
    /// When it was published.
    pub published_at: UnixTime,
    /// The CRL.
    pub der: Vec<u8>,
}
