//! Schedules: cron's five fields, in UTC.

use std::fmt;
use std::time::Duration;

use crate::time::UnixTime;

/// When something is to happen: minute, hour, day of the month, month, day of the week; or `@hourly`, `@daily`, `@weekly`,
/// `@monthly`, `@yearly`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
}

/// Numbers below 64, and whether the field was open: began with a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set {
    bits: u64,
    is_open: bool,
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] for what is none, and for one that never comes, such as the 30th of February.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let expanded = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text => text,
        };
        let fields: Vec<&str> = expanded.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(ScheduleError::Fields { count: fields.len() });
        };
        let schedule = Self {
            text: text.trim().into(),
            minutes: MINUTE.read(minutes)?,
            hours: HOUR.read(hours)?,
            days: DAY.read(days)?,
            months: MONTH.read(months)?,
            weekdays: WEEKDAY.read(weekdays)?,
        };
        schedule.next_after(UnixTime::MIN).ok_or(ScheduleError::Never)?;
        Ok(schedule)
    }

    /// The text it was read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first instant of the schedule after this one; `None` where time ends.
    pub fn next_after(&self, now: UnixTime) -> Option<UnixTime> {
        let first = now.as_secs() / 60 + 1;
        let today = first / MINUTES_A_DAY;
        for day in today..=today + LONGEST_WAIT {
            if !self.has_day(UnixTime::from_secs(day * MINUTES_A_DAY * 60)?) {
                continue;
            }
            let begin = if day == today { first % MINUTES_A_DAY } else { 0 };
            let minute = (begin..MINUTES_A_DAY)
                .find(|minute| self.hours.has(minute / 60) && self.minutes.has(minute % 60));
            if let Some(minute) = minute {
                return UnixTime::from_secs((day * MINUTES_A_DAY + minute) * 60);
            }
        }
        None
    }

    /// Cron's rule: where both days are given, either will do.
    fn has_day(&self, day: UnixTime) -> bool {
        let civil = day.civil();
        let (by_day, by_weekday) = (self.days.has(civil.day), self.weekdays.has(civil.weekday));
        let is_day = if self.days.is_open || self.weekdays.is_open {
            by_day && by_weekday
        } else {
            by_day || by_weekday
        };
        is_day && self.months.has(civil.month)
    }
}

impl Set {
    const fn has(self, number: u64) -> bool {
        number < 64 && self.bits >> number & 1 == 1
    }
}

/// A field: its name, its numbers, and words for them.
struct Field {
    name: &'static str,
    least: u64,
    most: u64,
    words: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", least: 0, most: 59, words: &[] };
const HOUR: Field = Field { name: "hour", least: 0, most: 23, words: &[] };
const DAY: Field = Field { name: "day of the month", least: 1, most: 31, words: &[] };
const MONTH: Field = Field {
    name: "month",
    least: 1,
    most: 12,
    words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/// 7 is Sunday too.
const WEEKDAY: Field = Field {
    name: "day of the week",
    least: 0,
    most: 7,
    words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Field {
    /// `*`, `*/5`, `1`, `1-5`, `1-5/2`, `mon,wed`.
    fn read(&self, text: &str) -> Result<Set, ScheduleError> {
        let wrong = || ScheduleError::Field {
            name: self.name,
            text: text.chars().take(20).collect(),
            least: self.least,
            most: self.most,
        };
        let mut bits = 0;
        for item in text.split(',') {
            let (range, step) = item.split_once('/').unwrap_or((item, "1"));
            let step: usize = step.parse().ok().filter(|&step| step > 0).ok_or_else(wrong)?;
            let (first, last) = if range == "*" {
                (self.least, self.most)
            } else {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let last = if item.contains('/') && !range.contains('-') {
                    Some(self.most)
                } else {
                    self.number(last)
                };
                (self.number(first).ok_or_else(wrong)?, last.ok_or_else(wrong)?)
            };
            if first > last {
                return Err(wrong());
            }
            bits = (first..=last).step_by(step).fold(bits, |bits, number| bits | 1 << number);
        }
        if self.most == WEEKDAY.most {
            bits |= bits >> 7 & 1;
        }
        Ok(Set { bits, is_open: text.starts_with('*') })
    }

    fn number(&self, text: &str) -> Option<u64> {
        let word = text.to_ascii_lowercase();
        if let Some(at) = self.words.iter().position(|known| *known == word) {
            return Some(self.least + at as u64);
        }
        if !text.bytes().all(|octet| octet.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().filter(|number| (self.least..=self.most).contains(number))
    }
}

/// A schedule that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A field that is none.
    Field {
        /// Which.
        name: &'static str,
        /// What stood there, cut.
        text: String,
        /// The least number.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// Not five fields.
    Fields {
        /// How many.
        count: usize,
    },
    /// It never comes.
    Never,
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { name, text, least, most } => {
                write!(
                    f,
                    "{text:?} is no {name}: write *, {least} to {most}, a range, a list, or a step such as */2"
                )
            }
            Self::Fields { count } => write!(
                f,
                "a schedule has five fields (minute, hour, day of the month, month, day of the week), not {count}"
            ),
            Self::Never => f.write_str("the schedule names a day that never comes"),
        }
    }
}

impl std::error::Error for ScheduleError {}

const MINUTES_A_DAY: u64 = 24 * 60;
/// The 29th of February may be eight years away, and on one day of the week forty.
const LONGEST_WAIT: u64 = 366 * 41;
/// Vault's: a shorter window may lie between two looks.
pub(crate) const SHORTEST_WINDOW: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Wednesday.
    const NOW: u64 = 1_795_597_200;

    fn next(text: &str, now: u64) -> String {
        Schedule::parse(text).unwrap().next_after(UnixTime::from_secs(now).unwrap()).unwrap().to_string()
    }

    #[test]
    fn schedules_come() {
        for (text, wanted) in [
            ("* * * * *", "2026-11-25T09:01:00Z"),
            ("0 * * * *", "2026-11-25T10:00:00Z"),
            ("30 8 * * *", "2026-11-26T08:30:00Z"),
            ("*/20 9 * * *", "2026-11-25T09:20:00Z"),
            ("0 0 * * SAT", "2026-11-28T00:00:00Z"),
            ("0 0 * * 7", "2026-11-29T00:00:00Z"),
            ("0 0 * * mon-fri", "2026-11-26T00:00:00Z"),
            ("0 0 1 * *", "2026-12-01T00:00:00Z"),
            ("15 12 29 2 *", "2028-02-29T12:15:00Z"),
            ("0 0 13 * 5", "2026-11-27T00:00:00Z"),
            ("0 0 */2 * 5", "2026-11-27T00:00:00Z"),
            ("5/25 9 * jan,Nov *", "2026-11-25T09:05:00Z"),
            ("@yearly", "2027-01-01T00:00:00Z"),
            (" @hourly ", "2026-11-25T10:00:00Z"),
        ] {
            assert_eq!(next(text, NOW), wanted, "{text}");
        }
        assert_eq!(next("0 9 * * *", NOW), "2026-11-26T09:00:00Z", "after is not at");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "1, * * * *",
            "a * * * *",
            "-1 * * * *",
            "+1 * * * *",
            "1-2-3 * * * *",
            "* * * foo *",
            "@never",
            "0 0 30 2 *",
            "0 0 31 4,6 *",
        ] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        /// Between now and the next instant there is no other: a walk over the minutes finds the same.
        #[test]
        fn nothing_is_skipped(
            minute in 0_u64..60, hour in 0_u64..24, weekday in 0_u64..7, now in 0_u64..4_000_000_000,
        ) {
            let schedule = Schedule::parse(&format!("{minute} {hour} * * {weekday}")).unwrap();
            let next = schedule.next_after(UnixTime::from_secs(now).unwrap()).unwrap();
            let walked = (now / 60 + 1..).map(|m| UnixTime::from_secs(m * 60).unwrap()).find(|time| {
                let civil = time.civil();
                (civil.minute, civil.hour, civil.weekday) == (minute, hour, weekday)
            });
            prop_assert_eq!(Some(next), walked);
        }
    }
}
