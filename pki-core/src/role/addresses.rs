//! Which IP addresses a role grants.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::config::{Complaints, RoleConfig};
use super::names::switch;
use super::remedy::list_with;
use crate::explain::{Inquiry, No, Remedy, RuleId};

/// The networks that addresses must lie in; any where there are none.
#[derive(Clone, Debug)]
pub(super) struct Addresses(Vec<Network>);

impl Addresses {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        let mut networks = Vec::new();
        for text in &mut config.allowed_ip_sans_cidr {
            match Network::parse(text) {
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
            let because = |network: &Network| alloc::format!("allowed_ip_sans_cidr has {network}");
            let _ = inquiry.ask_because(RuleId::IP_NETWORK, value, network, because);
        }
    }

    fn ip_network(&self, role: &RoleConfig, address: IpAddr) -> Result<Network, No> {
        if let Some(network) = self.0.iter().find(|network| network.contains(address)) {
            return Ok(*network);
        }
        let single = Network { address, prefix: width(address) }.to_string();
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

/// A network: its first address, and how many bits of it are fixed (RFC 4632 3.1, RFC 4291 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.trim().split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        // Digits alone: "+8" and "08" are nobody's prefix.
        let plain = prefix == "0" || !(prefix.starts_with('0') || prefix.starts_with('+'));
        let prefix: u32 = prefix.parse().ok().filter(|&bits| plain && bits <= width(address))?;
        Some(Self { address: first_of(address, prefix), prefix })
    }

    /// Families do not mix: an IPv4 address written as IPv6 is another octet string in a certificate.
    fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && first_of(address, self.prefix) == self.address
    }
}

/// The address with the bits behind the prefix cleared.
fn first_of(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_lose_their_host_bits() {
        for (text, wanted) in [
            ("1.2.3.4/31", "1.2.3.4/31"),
            ("1.2.3.5/31", "1.2.3.4/31"),
            ("10.9.8.7/8", "10.0.0.0/8"),
            ("1.2.3.4/0", "0.0.0.0/0"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::1/128", "::1/128"),
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), wanted);
        }
        for text in [
            "",
            "1.2.3.4",
            "1.2.3.4/33",
            "1.2.3.4/-1",
            "1.2.3.4/+8",
            "1.2.3.4/08",
            "1.2.3/8",
            "::1/129",
            "x/8",
            "1.2.3.4/",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn families_do_not_mix() {
        let all = Network::parse("0.0.0.0/0").unwrap();
        assert!(all.contains("255.0.0.1".parse().unwrap()));
        assert!(!all.contains("::ffff:1.2.3.4".parse().unwrap()));
    }
}
