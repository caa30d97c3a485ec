//! Templates of user names: a name of an accepted one fits, and begins as all its names do.
#![no_main]

use db_creds::time::UnixTime;
use db_creds::username::{UsernameMetadata, UsernameTemplate};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(template) = UsernameTemplate::parse(text) else { return };
    let metadata = UsernameMetadata { display_name: "k8s-ns-\u{e9}", role_name: "ro" };
    let mut rng = |out: &mut [u8]| {
        out.fill(7);
        Ok(())
    };
    let Ok(name) = template.generate(&metadata, 63, UnixTime::MIN, &mut rng) else { return };
    assert!(name.len() <= 63 && name.starts_with(template.prefix()), "{name}");
});
