//! The driver against a real PostgreSQL, which the tests start themselves.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod cluster;
mod create;
mod end;
mod hostile;
mod house;
mod passwords;
mod presets;
mod tls;
mod users;
