//! Series: the next lists of an offline issuer, signed in one sitting.

use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;

use super::{CrlNumber, CrlPeriod};
use crate::time::UnixTime;

/// A series of dated lists. Member after member begins `every` later, and each is good for `overlap` longer than until the
/// next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlSeries {
    count: NonZeroU32,
    every: Duration,
    overlap: Duration,
}

impl CrlSeries {
    /// So many lists, so far apart.
    ///
    /// # Errors
    ///
    /// [`SeriesError`] if they are less than a second apart, or overlap by more than they are apart.
    pub fn new(count: NonZeroU32, every: Duration, overlap: Duration) -> Result<Self, SeriesError> {
        let (every, overlap) = (Duration::from_secs(every.as_secs()), Duration::from_secs(overlap.as_secs()));
        if every.is_zero() {
            return Err(SeriesError::Every);
        }
        // A member that is good for two distances beyond its own hides that one was never published.
        if overlap > every {
            return Err(SeriesError::Overlap { every, overlap });
        }
        Ok(Self { count, every, overlap })
    }

    /// How many lists.
    pub const fn count(&self) -> u32 {
        self.count.get()
    }

    /// How far apart they begin.
    pub const fn every(&self) -> Duration {
        self.every
    }

    /// The period of each member: the first begins at `begin` and has the number `first`, the following ones count up.
    ///
    /// # Errors
    ///
    /// [`SeriesError::TooLate`] for a member that would end past 9999, [`SeriesError::Number`] for one without a number.
    pub fn periods(
        self,
        first: CrlNumber,
        begin: UnixTime,
    ) -> impl Iterator<Item = Result<CrlPeriod, SeriesError>> {
        (0..self.count()).map(move |step| {
            let number = first.checked_add(step).ok_or(SeriesError::Number { first })?;
            let (this_update, next_update) = self.member(step, begin)?;
            Ok(CrlPeriod { number, this_update, next_update })
        })
    }

    /// When the member after `step` others begins and ends.
    ///
    /// # Errors
    ///
    /// [`SeriesError::TooLate`] if it would end past 9999.
    pub fn member(&self, step: u32, begin: UnixTime) -> Result<(UnixTime, UnixTime), SeriesError> {
        let late = || SeriesError::TooLate { step };
        let begins = |step: u32| self.every.checked_mul(step).and_then(|after| begin.checked_add(after));
        let this_update = begins(step).ok_or_else(late)?;
        let next = step.checked_add(1).and_then(begins).ok_or_else(late)?;
        Ok((this_update, next.checked_add(self.overlap).ok_or_else(late)?))
    }
}

/// A series that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeriesError {
    /// Members less than a second apart.
    Every,
    /// A number past 128 bits.
    Number {
        /// The first number.
        first: CrlNumber,
    },
    /// An overlap of more than one distance.
    Overlap {
        /// The distance.
        every: Duration,
        /// The overlap.
        overlap: Duration,
    },
    /// A member that ends past 9999-12-31T23:59:59Z.
    TooLate {
        /// How many stand before it.
        step: u32,
    },
}

impl fmt::Display for SeriesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("the members of a CRL series begin at least one second apart"),
            Self::Number { first } => {
                write!(
                    f,
                    "a CRL series that begins with the number {first} leaves the 128 bits of our numbers"
                )
            }
            Self::Overlap { every, overlap } => write!(
                f,
                "the members of the CRL series overlap by {} s, which is more than the {} s from one to the next",
                overlap.as_secs(),
                every.as_secs()
            ),
            Self::TooLate { step } => {
                write!(
                    f,
                    "member {} of the CRL series would end after {}",
                    step.saturating_add(1),
                    UnixTime::MAX
                )
            }
        }
    }
}

impl core::error::Error for SeriesError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn series(count: u32, every: Duration, overlap: Duration) -> Result<CrlSeries, SeriesError> {
        CrlSeries::new(NonZeroU32::new(count).unwrap(), every, overlap)
    }

    #[test]
    fn two_years_of_months() {
        let begin = UnixTime::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let periods = series(24, DAY * 30, DAY * 3).unwrap().periods(CrlNumber::from_u64(7), begin);
        let periods: Vec<CrlPeriod> = periods.collect::<Result<_, _>>().unwrap();
        assert_eq!(periods.len(), 24);
        assert_eq!(periods[0].this_update, begin);
        assert_eq!(periods[1].this_update.as_secs(), begin.as_secs() + 30 * 86_400);
        assert_eq!(periods[0].next_update.as_secs(), begin.as_secs() + 33 * 86_400);
        assert_eq!(periods[23].number, CrlNumber::from_u64(30));
    }

    #[test]
    fn what_is_no_series_is_refused() {
        assert_eq!(series(1, Duration::from_millis(999), Duration::ZERO), Err(SeriesError::Every));
        assert_eq!(series(1, DAY, DAY * 2), Err(SeriesError::Overlap { every: DAY, overlap: DAY * 2 }));
        let last = series(2, DAY, Duration::ZERO).unwrap();
        let begin = UnixTime::MAX.checked_sub(DAY).unwrap();
        let outcome: Vec<_> = last.periods(CrlNumber::from_u64(1), begin).collect();
        assert!(outcome[0].is_ok());
        assert_eq!(outcome[1], Err(SeriesError::TooLate { step: 1 }));
        let outcome = last.periods(CrlNumber::from_u128(u128::MAX), UnixTime::MIN).last().unwrap();
        assert!(matches!(outcome, Err(SeriesError::Number { .. })));
    }

    proptest! {
        #[test]
        fn members_follow_one_another_without_a_gap(
            count in 2_u32..40,
            every in 1_u64..10_000_000,
            overlap in 0_u64..10_000_000,
            begin in 0_u64..4_000_000_000,
        ) {
            prop_assume!(overlap <= every);
            let series =
                series(count, Duration::from_secs(every), Duration::from_secs(overlap)).unwrap();
            let mut before: Option<CrlPeriod> = None;
            for period in series.periods(CrlNumber::from_u64(1), UnixTime::from_secs(begin).unwrap()) {
                let period = period.unwrap();
                prop_assert!(period.follow(before).is_ok());
                prop_assert!(before.is_none_or(|before| period.this_update <= before.next_update));
                before = Some(period);
            }
        }
    }
}
