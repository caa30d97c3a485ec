//! Which IP addresses a role grants.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::config::{Complaints, RoleConfig};
use super::names::switch;
use super::remedy::list_with;
use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::name::IpNetwork;

/// The networks that addresses must lie in; any where there are none.
#[derive(Clone, Debug)]
pub(super) struct Addresses(Vec<IpNetwork>);

impl Addresses {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        let mut networks = Vec::new();
        for text in &mut config.allowed_ip_sans_cidr {
            match IpNetwork::parse(text.trim()) {
                Some(network) => {
                    *text = network.to_string();
                    networks.push(network);
                }
                None => complaints.add(
                    "allowed_ip_sans_cidr",
                    alloc::format!("{text:?} is not a network"),
                    "networks such as 192.0.2.0/24, 2001:db8::/32, or one address as 192.0.2.1/32",
                ),
            }
        }
        Self(networks)
    }

    /// IP addresses are allowed, and this one lies in one of the networks.
    pub(super) fn ask(&self, role: &RoleConfig, address: IpAddr, inquiry: &mut Inquiry) {
        let value = || address.to_string();
        let because = |(): &()| switch("allow_ip_sans", role.allow_ip_sans);
        let _ = inquiry.ask_because(RuleId::IP_ALLOWED, value, || ip_allowed(role, address), because);
        if !self.0.is_empty() {
            let network = || self.ip_network(role, address);
            let because = |network: &IpNetwork| alloc::format!("allowed_ip_sans_cidr has {network}");
            let _ = inquiry.ask_because(RuleId::IP_NETWORK, value, network, because);
        }
    }

    fn ip_network(&self, role: &RoleConfig, address: IpAddr) -> Result<IpNetwork, No> {
        if let Some(network) = self.0.iter().find(|network| network.has(address)) {
            return Ok(*network);
        }
        let single = alloc::format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 });
        Err(No {
            rule: RuleId::IP_NETWORK,
            value: address.to_string(),
            reason: alloc::format!(
                "the IP address {address} is in none of the networks that this role allows"
            ),
            remedy: Remedy::Role(list_with("--allowed-ip-sans-cidr", &role.allowed_ip_sans_cidr, &single)),
        })
    }
}

fn ip_allowed(role: &RoleConfig, address: IpAddr) -> Result<(), No> {
    if role.allow_ip_sans {
        return Ok(());
    }
    Err(No {
        rule: RuleId::IP_ALLOWED,
        value: address.to_string(),
        reason: alloc::format!("the IP address {address} is not allowed: this role allows no IP SANs"),
        remedy: Remedy::Role("--allow-ip-sans".to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;
    use alloc::borrow::ToOwned;

    #[test]
    fn networks_are_stored_without_their_host_bits() {
        let role = |text: &str| {
            let allowed_ip_sans_cidr = alloc::vec![text.to_owned()];
            Role::new(RoleConfig { allowed_ip_sans_cidr, ..RoleConfig::default() })
        };
        for (text, wanted) in [
            ("1.2.3.4/31", "1.2.3.4/31"),
            ("1.2.3.5/31", "1.2.3.4/31"),
            ("10.9.8.7/8", "10.0.0.0/8"),
            ("1.2.3.4/0", "0.0.0.0/0"),
            (" 2001:db8::1/32", "2001:db8::/32"),
            ("::1/128", "::1/128"),
        ] {
            assert_eq!(role(text).unwrap().config().allowed_ip_sans_cidr, [wanted]);
        }
        for text in
            ["", "1.2.3.4", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3/8", "::1/129", "x/8", "1.2.3.4/"]
        {
            assert!(role(text).is_err(), "{text}");
        }
    }
}
