//! Certificate policies along a chain (RFC 5280 4.2.1.11, 6.1), where the chain requires one.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use der::Decode;

use super::{Proposal, is_root};
use crate::certificate::Certificate;
use crate::explain::{No, Remedy, RuleId};
use crate::issuer::IssuerCertificate;
use crate::oid::{self, Oid};
use crate::profile::Profile;
use crate::tlv;

/// A chain with requireExplicitPolicy wants at least one policy that every certificate below the root asserts. `chain`
/// begins with the issuer.
pub(super) fn policies(chain: &[&IssuerCertificate], proposal: &Proposal<'_>) -> Result<(), No> {
    let Some(requiring) = requiring(chain)? else { return Ok(()) };
    let authority = matches!(proposal.profile, Profile::Authority { .. });
    let asked: Vec<Oid> = proposal.policies.iter().map(|policy| policy.id).collect();
    // RFC 5280 6.1: the trust anchor's own policies do not count.
    let members = || chain.iter().map(|member| member.certificate()).filter(|member| !is_root(member));
    for member in members() {
        if member.extension(oid::POLICY_MAPPINGS).is_some() {
            return Err(refusal(
                member,
                "maps policies, which cannot be followed here, while a policy is required",
                Remedy::Request("use an issuer whose chain maps no policies: --issuer-ref".to_string()),
            ));
        }
    }
    // RFC 5280 6.1.3 (d)(2): anyPolicy stands for all, unless a CA above inhibits that.
    let inhibited = members().any(|member| member.extension(oid::INHIBIT_ANY_POLICY).is_some());
    let mut lists = Vec::new();
    for member in members() {
        let listed = member.policies().map_err(|error| {
            refusal(
                member,
                &alloc::format!("has policies that cannot be read ({error})"),
                Remedy::Request("use another issuer: --issuer-ref".to_string()),
            )
        })?;
        let listed: Vec<Oid> = listed.into_iter().map(|policy| policy.id).collect();
        if inhibited || !listed.contains(&Oid(oid::ANY_POLICY)) {
            lists.push(listed);
        }
    }
    let valid = |policy: &Oid| lists.iter().all(|listed| listed.contains(policy));
    // A CA that asserts anyPolicy leaves the choice to what stands below it.
    let open = authority && !inhibited && asked.contains(&Oid(oid::ANY_POLICY));
    if open || asked.iter().any(valid) {
        return Ok(());
    }
    let offered: Vec<String> = match lists.split_first() {
        Some((first, rest)) => {
            let common = first.iter().filter(|policy| rest.iter().all(|listed| listed.contains(policy)));
            common.map(ToString::to_string).collect()
        }
        None => Vec::new(),
    };
    let remedy = match (offered.is_empty(), lists.is_empty(), authority) {
        (false, _, false) => Remedy::Role(alloc::format!("--policy-identifiers {}", offered.join(","))),
        (true, true, false) => Remedy::Role("--policy-identifiers OID".to_string()),
        _ => Remedy::Request("use an issuer whose chain requires no policy: --issuer-ref".to_string()),
    };
    Err(refusal(
        requiring,
        "requires a policy that each certificate below it asserts (RFC 5280 4.2.1.11), and there is none",
        remedy,
    ))
}

fn refusal(member: &Certificate, what: &str, remedy: Remedy) -> No {
    No {
        rule: RuleId::ISSUER_POLICIES,
        value: member.subject().to_string(),
        reason: alloc::format!("the CA \"{}\" {what}", member.subject()),
        remedy,
    }
}

/// The member, if any, that requires a policy of the certificate below the issuer.
fn requiring<'a>(chain: &[&'a IssuerCertificate]) -> Result<Option<&'a Certificate>, No> {
    for (depth, member) in chain.iter().enumerate() {
        let certificate = member.certificate();
        let Some(extension) = certificate.extension(oid::POLICY_CONSTRAINTS) else { continue };
        let skip = read_explicit_policy(&extension.value).map_err(|_| {
            refusal(
                certificate,
                "has policy constraints that cannot be read",
                Remedy::Request("use another issuer: --issuer-ref".to_string()),
            )
        })?;
        // RFC 5280 6.1.4 (h), (i), 6.1.5 (a): the count falls by one with each certificate, the last one included.
        if skip.is_some_and(|skip| usize::try_from(skip).unwrap_or(usize::MAX) <= depth + 1) {
            return Ok(Some(certificate));
        }
    }
    Ok(None)
}

/// PolicyConstraints: requireExplicitPolicy.
fn read_explicit_policy(value: &[u8]) -> der::Result<Option<u32>> {
    tlv::read_sequence(value, |reader| {
        let explicit = tlv::optional_context(reader, 0, false)?;
        tlv::optional_context(reader, 1, false)?;
        explicit.map(read_count).transpose()
    })
}

/// A SkipCerts with an implicit tag: the content octets of an INTEGER.
fn read_count(content: &[u8]) -> der::Result<u32> {
    let mut integer = alloc::vec![tlv::INTEGER, u8::try_from(content.len()).unwrap_or(u8::MAX)];
    integer.extend_from_slice(content);
    u32::from_der(&integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_policy_constraints_require() {
        for (octets, wanted) in [
            (&b"\x30\x03\x80\x01\x00"[..], Ok(Some(0))),
            (b"\x30\x06\x80\x01\x03\x81\x01\x00", Ok(Some(3))),
            (b"\x30\x03\x81\x01\x00", Ok(None)),
            (b"\x30\x00", Ok(None)),
            (b"\x30\x03\x80\x01\xff", Err(())),
            (b"\x30\x02\x80\x00", Err(())),
            (b"\x30\x03\x80\x01", Err(())),
            (b"\x30\x06\x81\x01\x00\x80\x01\x00", Err(())),
            (b"", Err(())),
        ] {
            assert_eq!(read_explicit_policy(octets).map_err(|_| ()), wanted, "{octets:?}");
        }
    }
}
