//! Database credentials that expire by themselves.
//!
//! This crate is empty for now. It will decide and describe, as purely as `pki-core` does; only its drivers will
//! talk to a database. What it will be:
//!
//! A **lease** is a promise that ends. It is *pending* before its user exists, *active* while the credential may be
//! used, *revoking* until the user is gone, then *revoked*; or *frozen*. A request becomes a credential in one direction:
//!
//! ```text
//! request -> DatabaseRole::plan     user name, password, statements, expiry: nothing has happened yet
//!         -> Lease::pending         stored: the lease carries its own revocation statements
//!         -> Database::create_user  the only act in the outside world
//!         -> Lease::activate        stored
//!         -> response               lease id, duration, user name, password
//! ```
//!
//! The lease exists before the user does. A crash at any point leaves either a lease that will be revoked, or nothing:
//! never a user that nobody will remove. A revocation that fails is tried again, visibly and for as long as it takes.
//!
//! The rooms it will have: `lease` and `ledger` (what ends, and when), `ttl` (the only place that adds durations),
//! `role`, `statement` (templates parsed when the role is written), `username`, `password`, `database` (the trait a driver
//! implements), `grant` and `revoke` (the two flows), `postgres` and `memory` (drivers).
