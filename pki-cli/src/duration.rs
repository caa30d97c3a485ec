//! Durations as people write them: `90m`, `1h30m`, `30d`, `87600h`, plain seconds, `0` for the default.

use std::time::Duration;

/// Reads a duration; whole seconds only, and never negative.
///
/// # Errors
///
/// A sentence that says what is wrong and what is accepted.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let refusal = |why: &str| format!("{why}; a duration is 90m, 1h30m, 30d, 87600h or plain seconds");
    let text = text.trim();
    if text.is_empty() {
        return Err(refusal("it is empty"));
    }
    if text.starts_with('-') {
        return Err(refusal("it is negative"));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = text.parse().map_err(|_| refusal("it is too long"))?;
        return within_range(seconds).ok_or_else(|| refusal("it is too long"));
    }
    let mut seconds = 0_u64;
    let mut number: Option<u64> = None;
    // Units go down, each at most once: `30m1h` is more likely a slip than a wish.
    let mut smallest = u64::MAX;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            let next = number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(u64::from(digit)));
            number = Some(next.ok_or_else(|| refusal("it is too long"))?);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(refusal(&format!("{:?} is no unit of time", c.to_string()))),
        };
        let count = number
            .take()
            .ok_or_else(|| refusal(&format!("a number is missing before {:?}", c.to_string())))?;
        if unit >= smallest {
            return Err(refusal("its units are not in falling order"));
        }
        smallest = unit;
        seconds = count
            .checked_mul(unit)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(|| refusal("it is too long"))?;
    }
    if number.is_some() {
        return Err(refusal("a unit is missing after the last number"));
    }
    within_range(seconds).ok_or_else(|| refusal("it is too long"))
}

/// As people read it: `30d`, `1h30m`, `0s`.
pub(crate) fn display(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, letter) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            text.push_str(&count.to_string());
            text.push(letter);
        }
    }
    text
}

/// No duration is longer than the time that certificates can express (RFC 5280 4.1.2.5).
fn within_range(seconds: u64) -> Option<Duration> {
    (seconds <= pki_core::time::UnixTime::MAX.as_secs()).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("0", 0),
            ("0s", 0),
            ("15", 15),
            ("90m", 5_400),
            ("1h30m", 5_400),
            ("30d", 2_592_000),
            ("1d12h", 129_600),
            ("87600h", 315_360_000),
            ("2w", 1_209_600),
            (" 24h ", 86_400),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            " ",
            "-1",
            "-1h",
            "h",
            "1h30",
            "30m1h",
            "1h1h",
            "1.5h",
            "1y",
            "1H",
            "1h 30m",
            "18446744073709551616",
            "99999999999999999999h",
            "300000000000",
            "٣h",
            "1e3",
            "+5",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_displayed_is_read_again() {
        for seconds in [0, 1, 59, 60, 3_600, 5_400, 86_400, 90_061, 315_360_000] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(parse(&display(duration)), Ok(duration));
        }
    }
}
