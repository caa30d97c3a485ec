//! Signing: numbers from the store, entries from its log, one call on the key.

use std::time::Duration;

use pki_core::crl::{CrlError, CrlNumber, CrlPeriod, CrlScope as Scope};
use pki_core::issuer::Issuer;
use pki_core::key::software::SoftwareKey;
use pki_core::name::Uri;
use pki_core::time::UnixTime;
use pki_store::crl::{CrlDraft, CrlScope};
use pki_store::mount::Mount;
use pki_store::{Op, Outcome, Store, block_on};

use crate::fault::Fault;
use crate::issuer::load::LoadedIssuer;
use crate::random::OsRandom;
use crate::session::House;

/// Which list is to be signed.
#[derive(Clone, Debug)]
pub(super) enum List {
    /// All revocations; deltas to it are at these places.
    Full { freshest: Vec<Uri> },
    /// Those since the last full list.
    Delta,
}

/// A list that was signed and published in the store.
pub(super) struct Signed {
    pub(super) draft: CrlDraft,
    pub(super) next_update: UnixTime,
    pub(super) entries: usize,
}

/// Signs and publishes the next list of the issuer's authority.
pub(super) fn sign(
    house: &House,
    mount: &Mount,
    loaded: &LoadedIssuer,
    list: &List,
    expiry: Duration,
) -> Result<Signed, Fault> {
    let authority = loaded.record.authority;
    // The base is fixed before the delta gets its number, which is therefore above it.
    let (stored, scope, after) = match list {
        List::Full { freshest } => (CrlScope::Full, Scope::full().with_freshest(freshest.clone()), 0),
        List::Delta => {
            let base = block_on(house.store.crl(authority, CrlScope::Full))?.ok_or_else(|| {
                Fault::refused(
                    "there is no full CRL that a delta could build on",
                    format!("sign one first: `pki --mount {} crl rotate`", mount.name),
                )
            })?;
            (CrlScope::Delta, Scope::delta(CrlNumber::from_u128(base.number)), base.last_revocation)
        }
    };
    let begun = begin(house, mount, loaded, stored, 1)?;
    let draft = *begun.first().ok_or_else(|| Fault::defect("the store gave no CRL number"))?;
    let entries = Entries::read(house, &draft, after)?;
    let next_update = draft.this_update.checked_add(expiry).unwrap_or(UnixTime::MAX);
    let number = CrlNumber::from_u128(draft.number);
    let period = CrlPeriod { number, this_update: draft.this_update, next_update };
    let der = entries.sign(&loaded.issuer, scope, period)?;
    publish(house, mount, &draft, next_update, der, entries.count)?;
    Ok(Signed { draft, next_update, entries: entries.count })
}

/// The next numbers of the authority, in one transaction that no revocation straddles.
pub(super) fn begin(
    house: &House,
    mount: &Mount,
    loaded: &LoadedIssuer,
    scope: CrlScope,
    count: u32,
) -> Result<Vec<CrlDraft>, Fault> {
    let authority = loaded.record.authority;
    let nanoseconds = crate::clock::nanoseconds()?;
    let begin = || Op::BeginCrl { authority, mount: mount.id, scope, nanoseconds };
    let committed = house.commit_step((0..count).map(|_| begin()).collect())?;
    let drafts = committed.outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Crl(draft) => Ok(draft),
        _ => Err(Fault::defect("the store gave no CRL number")),
    });
    drafts.collect()
}

/// Publishes a list in the store.
pub(super) fn publish(
    house: &House,
    mount: &Mount,
    draft: &CrlDraft,
    next_update: UnixTime,
    der: Vec<u8>,
    entries: usize,
) -> Result<(), Fault> {
    let mut audit = house.done("crl/rotate", Some(mount));
    audit.detail = serde_json::json!({
        "authority": draft.authority.to_string(),
        "number": draft.number.to_string(),
        "revoked": entries,
    })
    .to_string();
    house.commit(vec![Op::FinishCrl { draft: *draft, next_update, der }], audit)?;
    Ok(())
}

/// Encoded entries. The store has each serial number of an authority once.
pub(super) struct Entries {
    der: Vec<u8>,
    pub(super) count: usize,
}

impl Entries {
    /// Those of a draft, after this revocation.
    pub(super) fn read(house: &House, draft: &CrlDraft, mut after: u64) -> Result<Self, Fault> {
        let mut entries = Self { der: Vec::new(), count: 0 };
        loop {
            let page =
                block_on(house.store.revocations(draft.authority, after, draft.last_revocation, PAGE))?;
            for revocation in &page {
                entries.der.extend_from_slice(&revocation.revoked_certificate().entry_der());
            }
            entries.count += page.len();
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.id,
                _ => return Ok(entries),
            }
        }
    }

    /// A signed list with them.
    pub(super) fn sign(
        &self,
        issuer: &Issuer<SoftwareKey>,
        scope: Scope,
        period: CrlPeriod,
    ) -> Result<Vec<u8>, Fault> {
        let write = || -> Result<Vec<u8>, CrlError> {
            let mut stream = issuer.begin_crl(scope, period, self.der.len())?;
            stream.entries(&self.der)?;
            let head = stream.head().to_vec();
            let ends = stream.sign(&mut OsRandom)?;
            Ok([&ends.header[..], &head, &self.der, &ends.tail].concat())
        };
        write().map_err(|error| {
            Fault::refused(
                format!("the CRL was not signed: {error}"),
                "name an issuer whose certificate may sign CRLs: --issuer-ref",
            )
        })
    }
}

/// So many revocations are read at once.
const PAGE: usize = 4_096;
