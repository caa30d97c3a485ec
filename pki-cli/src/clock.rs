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
            Fault::unusable(
                "the system's clock stands before 1970 or after 9999",
                "set the clock",
            )
        })
}
