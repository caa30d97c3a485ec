//! Points in time, as seconds since 1970.

use core::fmt;
use core::time::Duration;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, at most 9999-12-31T23:59:59Z.
///
/// The upper end is the last instant that an X.509 certificate can express (RFC 5280 4.1.2.5). Arithmetic is
/// checked; nothing here reads a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-31T23:59:59Z: "no well-defined expiration" (RFC 5280 4.1.2.5).
    pub const MAX: Self = Self(253_402_300_799);

    /// The time `seconds` after 1970-01-01T00:00:00Z; `None` past [`UnixTime::MAX`].
    pub const fn from_secs(seconds: u64) -> Option<Self> {
        if seconds <= Self::MAX.0 { Some(Self(seconds)) } else { None }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This time plus `duration`, whole seconds; `None` past [`UnixTime::MAX`].
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration.as_secs()).and_then(Self::from_secs)
    }

    /// This time less `duration`, whole seconds; `None` before [`UnixTime::MIN`].
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration.as_secs()).map(Self)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// Reads the RFC 3339 form `YYYY-MM-DDTHH:MM:SS` with `Z` or a numeric offset; fractions of a second are
    /// cut off. `None` for anything else, or a time outside the range of this type.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        parse_rfc3339(text)
    }

    /// Year, month, day, hour, minute, second in the proleptic Gregorian calendar, UTC.
    pub const fn civil(self) -> Civil {
        // Days to civil date by the usual era arithmetic: 400 Gregorian years are 146 097 days, and counting
        // years from 1 March puts the leap day at a year's end.
        let days = self.0 / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
        let second_of_day = self.0 % 86_400;
        Civil {
            year,
            month,
            day,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }
}

/// A time as the Gregorian calendar and a UTC clock show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 1970 to 9999.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}

/// RFC 3339 in UTC: `2026-11-23T05:47:00Z`.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn parse_rfc3339(text: &str) -> Option<UnixTime> {
    let number = |range: core::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if byte(4)? != b'-' || byte(7)? != b'-' || byte(13)? != b':' || byte(16)? != b':' {
        return None;
    }
    if !matches!(byte(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let mut rest = text.get(19..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        rest = fraction.get(digits..)?;
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = match rest.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = rest.get(1..)?.split_once(':')?;
            if hours.len() != 2 || minutes.len() != 2 {
                return None;
            }
            let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (i64::from(hours) * 3_600 + i64::from(minutes) * 60)
        }
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    u64::try_from(seconds).ok().and_then(UnixTime::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn display_and_parse_agree_at_the_edges() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (2_524_607_999, "2049-12-31T23:59:59Z"),
            (2_524_608_000, "2050-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let time = UnixTime::from_secs(seconds).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(UnixTime::parse_rfc3339(text), Some(time));
        }
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        let wanted = UnixTime::parse_rfc3339("2026-11-23T05:47:00Z");
        assert!(wanted.is_some());
        assert_eq!(UnixTime::parse_rfc3339("2026-11-23T07:17:00.125+01:30"), wanted);
        assert_eq!(UnixTime::parse_rfc3339("2026-11-22t23:47:00-06:00"), wanted);
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T05:47:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "1969-12-31T23:59:59Z",
            "2026-01-01T00:00:00Ż",
            "+026-01-01T00:00:00Z",
        ] {
            assert_eq!(UnixTime::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(UnixTime::MAX.checked_add(Duration::from_secs(1)), None);
        assert_eq!(UnixTime::MIN.checked_sub(Duration::from_secs(1)), None);
        assert_eq!(UnixTime::MIN.saturating_since(UnixTime::MAX), Duration::ZERO);
    }
}
