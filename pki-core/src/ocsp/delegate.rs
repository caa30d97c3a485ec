//! The certificate of a delegated responder (RFC 6960 4.2.2.2): a role like any other.

use alloc::string::ToString;
use alloc::vec;
use core::time::Duration;

use crate::role::{RoleConfig, RoleKeyType};

/// A role for certificates whose keys answer OCSP requests: one purpose, one key usage, any name, and not for long, since
/// nobody asks whether they are revoked: a certificate with this purpose alone says so (id-pkix-ocsp-nocheck).
pub fn responder_role(ttl: Duration) -> RoleConfig {
    RoleConfig {
        ttl: ttl.as_secs(),
        max_ttl: ttl.as_secs(),
        allow_any_name: true,
        enforce_hostnames: false,
        server_flag: false,
        client_flag: false,
        key_type: RoleKeyType::Any,
        key_usage: vec!["DigitalSignature".to_string()],
        ext_key_usage: vec!["OCSPSigning".to_string()],
        ..RoleConfig::default()
    }
}
