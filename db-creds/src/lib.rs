//! Database credentials that expire by themselves.
//!
//! It decides and describes: the time and the random source are arguments, and only drivers talk to a database.
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
//! | read | for |
//! | --- | --- |
//! | [`lease`] | the states of a lease and what leads from one to the next: start here |
//! | [`ttl`] | how long; the only place that adds durations |
//! | [`ledger`] | many leases, ordered by what is due |
//! | [`grant`], [`revoke`] | the two flows |
//! | [`role`], [`statement`], [`username`], [`password`] | what a credential is made of |
//! | [`database`] | what a driver does; `postgres` (a feature) and [`memory`] are drivers |
//! | [`preset`] | roles for reading, writing and owning, by membership in a group |
//! | [`rotation`], [`static_role`], [`schedule`] | passwords of accounts that stay |
//! | [`reconcile`] | the users that exist, compared with the ledger |
//! | [`random`], [`time`] | what comes from outside |
//!
//! # Features
//!
//! | feature | gives |
//! | --- | --- |
//! | `postgres` | the PostgreSQL driver; needs a tokio runtime |

pub mod database;
mod document;
pub mod grant;
pub mod lease;
pub mod ledger;
pub mod memory;
pub mod password;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod preset;
pub mod random;
pub mod reconcile;
pub mod revoke;
pub mod role;
pub mod rotation;
pub mod schedule;
pub mod statement;
pub mod static_role;
pub mod time;
pub mod ttl;
pub mod username;
