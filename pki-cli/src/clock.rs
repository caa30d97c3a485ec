//! The clock: one reading for each command, carried from there on.

use std::time::{SystemTime, UNIX_EPOCH};

use pki_core::time::UnixTime;

use crate::fault::Fault;

/// The time now.
///
/// # Errors
///
/// A [`Fault`] if the clock stands before 1970 or after 9999.
pub(crate) fn now() -> Result<UnixTime, Fault> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| UnixTime::from_secs(since.as_secs()))
        .ok_or_else(|| {
            Fault::unusable("the system's clock stands before 1970 or after 9999", "set the clock")
        })
}

/// The time now in nanoseconds since 1970: what CRL numbers grow with.
///
/// # Errors
///
/// A [`Fault`] if the clock stands before 1970.
pub(crate) fn nanoseconds() -> Result<u128, Fault> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| since.as_nanos())
        .map_err(|_| Fault::unusable("the system's clock stands before 1970", "set the clock"))
}
