//! Where a role begins: with Vault's defaults, or with everything refused; and which of Vault's are loose.

use alloc::vec::Vec;

use super::config::RoleConfig;

/// A default of Vault's that grants more than a role's writer may have thought of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LooseDefault {
    /// The field, as Vault names it.
    pub field: &'static str,
    /// What it lets through.
    pub grants: &'static str,
    /// Flags of `role patch` that refuse it.
    pub remedy: &'static str,
}

impl RoleConfig {
    /// Everything refused that a role can refuse: what is granted has to be written. Certificates are for TLS servers
    /// alone, since a certificate without a purpose serves every purpose, and last 24 hours at most.
    pub fn strict() -> Self {
        Self {
            allow_localhost: false,
            allow_wildcard_certificates: false,
            allow_ip_sans: false,
            client_flag: false,
            max_ttl: 24 * 3600,
            ..Self::default()
        }
    }

    /// The fields that still have a loose default of Vault's.
    pub fn loose_defaults(&self) -> Vec<LooseDefault> {
        LOOSE.iter().filter(|(is_loose, _)| is_loose(self)).map(|(_, loose)| *loose).collect()
    }
}

type IsLoose = fn(&RoleConfig) -> bool;

const LOOSE: [(IsLoose, LooseDefault); 5] = [
    (
        |role| role.allow_localhost,
        LooseDefault {
            field: "allow_localhost",
            grants: "localhost and localdomain, which every host trusts as itself",
            remedy: "--allow-localhost=false",
        },
    ),
    (
        |role| role.allow_wildcard_certificates,
        LooseDefault {
            field: "allow_wildcard_certificates",
            grants: "names such as *.example.org wherever the name below is allowed",
            remedy: "--allow-wildcard-certificates=false",
        },
    ),
    (
        |role| role.allow_ip_sans && role.allowed_ip_sans_cidr.is_empty(),
        LooseDefault {
            field: "allow_ip_sans",
            grants: "any IP address whatever, also that of another host",
            remedy: "--allow-ip-sans=false",
        },
    ),
    (
        |role| role.server_flag && role.client_flag,
        LooseDefault {
            field: "client_flag",
            grants: "that a server's certificate logs in as a client, too",
            remedy: "--client-flag=false",
        },
    ),
    (
        |role| role.max_ttl == 0 && role.not_after.is_empty(),
        LooseDefault { field: "max_ttl", grants: "any lifetime up to the mount's", remedy: "--max-ttl 24h" },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    #[test]
    fn vaults_defaults_are_loose_and_strict_ones_are_not() {
        let loose: Vec<&str> = RoleConfig::default().loose_defaults().iter().map(|l| l.field).collect();
        assert_eq!(
            loose,
            ["allow_localhost", "allow_wildcard_certificates", "allow_ip_sans", "client_flag", "max_ttl"]
        );
        assert_eq!(RoleConfig::strict().loose_defaults(), []);
        assert!(Role::new(RoleConfig::strict()).is_ok());
    }

    #[test]
    fn a_field_that_is_narrowed_is_no_longer_loose() {
        for (narrowed, field) in [
            (RoleConfig { allow_localhost: false, ..RoleConfig::default() }, "allow_localhost"),
            (
                RoleConfig { allow_wildcard_certificates: false, ..RoleConfig::default() },
                "allow_wildcard_certificates",
            ),
            (
                RoleConfig {
                    allowed_ip_sans_cidr: alloc::vec!["10.0.0.0/8".into()],
                    ..RoleConfig::default()
                },
                "allow_ip_sans",
            ),
            (RoleConfig { server_flag: false, ..RoleConfig::default() }, "client_flag"),
            (RoleConfig { max_ttl: 60, ..RoleConfig::default() }, "max_ttl"),
        ] {
            assert!(narrowed.loose_defaults().iter().all(|loose| loose.field != field), "{field}");
            assert_eq!(narrowed.loose_defaults().len(), LOOSE.len() - 1, "{field}");
        }
    }
}
