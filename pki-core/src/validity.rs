//! Periods of validity (RFC 5280 4.1.2.5).

use core::fmt;
use core::time::Duration;

use der::{Reader, SliceReader, Tag};

use crate::time::UnixTime;
use crate::tlv::{self, Tlv};

/// From when until when a certificate is valid; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    not_before: UnixTime,
    not_after: UnixTime,
}

impl Validity {
    /// The period from `not_before` to `not_after`.
    ///
    /// # Errors
    ///
    /// [`ValidityError`] if it would end before it begins, or where it begins.
    pub fn new(not_before: UnixTime, not_after: UnixTime) -> Result<Self, ValidityError> {
        if not_after <= not_before {
            return Err(ValidityError { not_before, not_after });
        }
        Ok(Self { not_before, not_after })
    }

    /// The first valid second.
    pub const fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// The last valid second; [`UnixTime::MAX`] means no well-defined end.
    pub const fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// The same period, ending at `end`, which lies in it.
    #[must_use]
    pub(crate) fn until(self, end: UnixTime) -> Self {
        debug_assert!(self.contains(end));
        Self { not_after: end.min(self.not_after), ..self }
    }

    /// Whether `time` lies within, ends included.
    pub fn contains(&self, time: UnixTime) -> bool {
        self.not_before <= time && time <= self.not_after
    }

    /// How much of the period is left at `now`; zero past its end.
    pub const fn remaining(&self, now: UnixTime) -> Duration {
        self.not_after.saturating_since(now)
    }

    pub(crate) fn encode(&self, der: &mut Tlv) {
        der.nest(tlv::SEQUENCE, |content| {
            content.time(self.not_before).time(self.not_after);
        });
    }

    /// Reads a Validity. Foreign certificates may end before they begin; that they are then never valid is for
    /// [`Validity::contains`] to say.
    pub(crate) fn read(reader: &mut SliceReader<'_>) -> der::Result<Self> {
        let mut content = SliceReader::new(tlv::content_of(reader, Tag::Sequence)?)?;
        let not_before = tlv::read_time(&mut content)?;
        let not_after = tlv::read_time(&mut content)?;
        content.finish()?;
        Ok(Self { not_before, not_after })
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.not_before, self.not_after)
    }
}

/// A period that ends before it begins, or where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidityError {
    /// Where it would begin.
    pub not_before: UnixTime,
    /// Where it would end.
    pub not_after: UnixTime,
}

impl fmt::Display for ValidityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end of validity {} is not after its beginning {}", self.not_after, self.not_before)
    }
}

impl core::error::Error for ValidityError {}
