//! Durable state of a certificate authority: one directory, SQLite, encryption at rest, an audit log.
//!
//! The store knows files, locks, SQL and seals. It knows no policy: certificates, keys, roles and configuration
//! come and go as bytes and plain records. Time is an argument, and so is randomness.
//!
//! Everything that changes is a [`Batch`] of typed operations with preconditions, committed as a whole together
//! with its audit rows; everything that is read is one method of [`Store`].
//!
//! | file | noun |
//! | --- | --- |
//! | [`store`] | the trait |
//! | [`batch`] | operations, their preconditions and outcomes |
//! | [`id`] | immutable identifiers |
//! | [`mount`], [`key`], [`issuer`], [`role`], [`config`] | what is configured |
//! | [`certificate`], [`revocation`], [`crl`] | what was issued and taken back |
//! | [`lease`], [`account`] | database credentials: promises that end, and whose passwords are kept |
//! | [`audit`] | who did what, chained |
//! | [`seal`], [`envelope`], `mac` | secrets at rest, rows that were not edited |
//! | [`sqlite`], [`memory`] | the two implementations |

pub mod account;
pub mod audit;
pub mod batch;
pub mod certificate;
pub mod config;
#[cfg(feature = "contract")]
pub mod contract;
pub mod crl;
pub mod envelope;
pub mod error;
mod fields;
pub mod future;
pub mod id;
pub mod issuer;
pub mod key;
pub mod lease;
mod mac;
pub mod memory;
pub mod mount;
mod outcome;
pub mod page;
pub mod revocation;
pub mod role;
pub mod seal;
pub mod sqlite;
pub mod store;

pub use batch::{Batch, BatchId, BatchIds, Committed, Expected, Op, Outcome};
pub use error::{Conflict, StoreError};
pub use future::block_on;
pub use id::{AccountId, IssuerId, KeyId, MountId, RoleId, StoreId};
pub use memory::MemoryStore;
pub use page::{Cursor, Order, Page, PageRequest};
pub use sqlite::SqliteStore;
pub use store::Store;
