//! A pure certificate authority: CA hierarchies, role policy, certificates, CSRs, CRLs and OCSP.
//!
//! Nothing here reads a clock, draws randomness, opens a file or a socket: time, randomness and keys are arguments, and
//! certificates, refusals and records are results. The crate is `no_std` with `alloc`.
//!
//! ```
//! # #[cfg(any(feature = "rustcrypto", feature = "aws-lc"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use pki_core::{extension::Endpoints, hierarchy::CaRequest, issue::{CommonName, IssueRequest}, issuer::Issuer};
//! use pki_core::{key::{KeyAlgorithm, KeyType, SigningKey, software::SoftwareKey}, name::DistinguishedName};
//! use pki_core::{random::RandomError, role::{Limits, Role, RoleConfig}, time::UnixTime};
//!
//! let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
//! let now = UnixTime::parse_rfc3339("2026-11-23T06:00:00Z").ok_or("a time")?;
//! let limits = Limits::default();
//! let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng)?;
//! let root = CaRequest::new(DistinguishedName::with_common_name("Example Root")?);
//! let ca = Issuer::self_signed(root, key, &limits, now, &mut rng)?;
//!
//! let role = Role::new(RoleConfig::for_domains(["example.com"]))?;
//! let mut request = IssueRequest { key: Some((KeyType::Ec, 256)), ..IssueRequest::default() };
//! request.names.common_name = Some(CommonName::parse("db.example.com")?);
//! let permitted = role.permit(request, &limits, now)?;
//! let key = SoftwareKey::generate(permitted.key_algorithm(), &mut rng)?;
//! let permitted = permitted.with_key(key.public_key().clone())?;
//! let certificate = ca.issue(permitted, &Endpoints::default(), now, &mut rng)?;
//! assert_eq!(certificate.subject().to_string(), "CN=db.example.com");
//! # Ok(())
//! # }
//! # #[cfg(not(any(feature = "rustcrypto", feature = "aws-lc")))]
//! # fn main() {}
//! ```
//!
//! | read | for |
//! | --- | --- |
//! | [`issue`] | the way of a certificate, top to bottom: start here |
//! | [`role`] | who may have what: the configuration, and the rules it makes |
//! | [`hierarchy`] | what a CA may put below itself; CA certificates; the order of chains |
//! | [`issuer`] | a CA certificate joined with its key: prepare, sign |
//! | [`explain`] | refusals, remedies, warnings, the decision trace |
//! | [`csr`], [`certificate`], [`crl`], [`tbs`] | what is read and written |
//! | [`ocsp`] | requests for the status of certificates, and the answers |
//! | [`name`], [`profile`], [`extension`], [`validity`], [`serial`], [`revocation`], [`authority`], [`time`], [`oid`] | the nouns that they are made of |
//! | [`key`], [`pem`] | keys behind one trait, and their files |
//! | [`lint`] | a second opinion on finished bytes |
//!
//! # Features
//!
//! | feature | gives |
//! | --- | --- |
//! | `rustcrypto` (default) | the portable signature backend: pure Rust, deterministic ECDSA, no operating system |
//! | `aws-lc` | the fast signature backend; needs std |
//! | `serde` | serde implementations for what a store keeps |
//! | `pkcs12` | key stores and trust stores in PKCS#12 |
//! | `rcgen` | the bridge to programs that speak rcgen; needs std |
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
pub mod identity;
pub mod issue;
pub mod issuer;
pub mod key;
pub mod lint;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod pem;
#[cfg(feature = "pkcs12")]
pub mod pkcs12;
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
