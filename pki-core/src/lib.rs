//! A pure certificate authority.
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod authority;
pub mod certificate;
pub mod crl;
pub mod csr;
pub mod explain;
pub mod extension;
pub mod hierarchy;
pub mod issue;
pub mod issuer;
pub mod key;
pub mod lint;
pub mod name;
pub mod oid;
pub mod pem;
pub mod profile;
pub mod random;
#[cfg(feature = "rcgen")]
pub mod rcgen;
pub mod revocation;
pub mod role;
pub mod serial;
pub mod tbs;
pub mod time;
mod tlv;
pub mod validity;
