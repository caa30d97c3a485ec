//! Password policies, and schedules, which are as short.
#![no_main]

use db_creds::password::PasswordPolicy;
use db_creds::schedule::Schedule;
use db_creds::time::UnixTime;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = PasswordPolicy::parse(text);
    let Ok(schedule) = Schedule::parse(text) else { return };
    assert!(schedule.next_after(UnixTime::MIN).is_some_and(|next| next > UnixTime::MIN));
});
