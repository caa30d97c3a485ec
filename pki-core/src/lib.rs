//! A pure certificate authority.
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod authority;
pub mod key;
pub mod pem;
pub mod random;
pub mod revocation;
pub mod serial;
pub mod time;
