//! Ends of validity as people read them.

use pki_core::time::UnixTime;

/// The instant, and how far away it is: `2027-01-01T00:00:00Z (38 days left)`.
pub(crate) fn until(end: UnixTime, now: UnixTime) -> String {
    format!("{end} ({})", left(end, now))
}

/// How far away the end is, in the largest fitting unit.
pub(crate) fn left(end: UnixTime, now: UnixTime) -> String {
    if end < now {
        return format!("expired {} ago", span(now.saturating_since(end).as_secs()));
    }
    format!("{} left", span(end.saturating_since(now).as_secs()))
}

fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_near_or_far() {
        let at = |seconds| UnixTime::from_secs(seconds).unwrap();
        for (end, now, text) in [
            (100, 100, "0 seconds left"),
            (100, 99, "1 second left"),
            (7_200, 0, "2 hours left"),
            (172_800, 0, "2 days left"),
            (0, 90, "expired 1 minute ago"),
        ] {
            assert_eq!(left(at(end), at(now)), text);
        }
    }
}
