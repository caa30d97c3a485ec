use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::issue::{AskedLifetime, AskedNames, CommonName, IssueRequest};
use crate::key::KeyType;
use crate::name::{DnsName, GeneralName, Uri};
use crate::role::{Limits, Role, RoleConfig, RoleKeyType};
use crate::time::UnixTime;

fn now() -> UnixTime {
    UnixTime::from_secs(1_800_000_000).unwrap()
}

fn narrow() -> RoleConfig {
    RoleConfig {
        allowed_domains: alloc::vec!["secret.example".to_owned()],
        allow_subdomains: true,
        allow_wildcard_certificates: false,
        allow_ip_sans: false,
        key_type: RoleKeyType::Any,
        not_after: "2030-01-01T00:00:00Z".to_owned(),
        ..RoleConfig::default()
    }
}

fn ask(common_name: Option<&str>, names: &[&str]) -> IssueRequest {
    IssueRequest {
        names: AskedNames {
            common_name: common_name.map(|name| CommonName::parse(name).unwrap()),
            alternative_names: names
                .iter()
                .map(|name| GeneralName::Dns(DnsName::parse(name).unwrap()))
                .collect(),
            ..AskedNames::default()
        },
        lifetime: AskedLifetime::Default,
        key: Some((KeyType::Ec, 256)),
        ..IssueRequest::default()
    }
}

fn lines(trace: &DecisionTrace) -> Vec<(&str, &str, &str)> {
    trace.decisions().iter().map(|d| (d.rule.as_str(), d.value.as_str(), d.answer.as_str())).collect()
}

#[test]
fn every_rule_is_asked_also_after_a_refusal() {
    let role = Role::new(narrow()).unwrap();
    let mut request = ask(None, &["*.other.example", "www.secret.example"]);
    request.names.alternative_names.push(GeneralName::Ip("192.0.2.1".parse().unwrap()));
    request.names.alternative_names.push(GeneralName::Uri(Uri::parse("urn:x").unwrap()));
    request.lifetime = AskedLifetime::Ttl(core::time::Duration::from_secs(60));
    request.key = None;
    let explanation = role.explain(&request, None, &Limits::default(), now());
    assert_eq!(
        lines(&explanation.trace),
        [
            ("key.type", "any", "refuse"),
            ("common-name.required", "", "refuse"),
            ("name.wildcard", "*.other.example", "refuse"),
            ("name.wildcard-place", "*.other.example", "permit"),
            ("name.hostname", "*.other.example", "permit"),
            ("name.domain", "*.other.example", "refuse"),
            ("name.hostname", "www.secret.example", "permit"),
            ("name.domain", "www.secret.example", "permit"),
            ("ip.allowed", "192.0.2.1", "refuse"),
            ("uri.allowed", "urn:x", "refuse"),
            ("lifetime.conflict", "60s", "refuse"),
            ("subject.value", "", "permit"),
            ("subject.nobody", "", "permit"),
        ]
    );
    // Issuing says the same: the first "no", and all of them with it.
    let refusal = role.permit(request, &Limits::default(), now()).unwrap_err();
    assert_eq!(refusal.rule(), RuleId::KEY_TYPE);
    let refused = |trace: &DecisionTrace| trace.refusals().cloned().collect::<Vec<_>>();
    assert_eq!(refused(refusal.trace()), refused(&explanation.trace));
    assert_eq!(explanation.outcome.unwrap_err().rule(), RuleId::KEY_TYPE);
}

#[test]
fn what_is_permitted_says_by_what() {
    let role = Role::new(RoleConfig { not_after: String::new(), ..narrow() }).unwrap();
    let request = ask(Some("a.secret.example"), &[]);
    let explanation = role.explain(&request, None, &Limits::default(), now());
    assert_eq!(explanation.trace.verdict(), Answer::Permit);
    let domain = explanation.trace.decisions().iter().find(|d| d.rule == RuleId::NAME_DOMAIN).unwrap();
    assert_eq!(domain.reason, "allow_subdomains with secret.example of allowed_domains");
    assert_eq!(explanation.outcome.unwrap(), role.permit(request, &Limits::default(), now()).unwrap());
}

#[test]
fn a_requester_sees_no_list_of_what_a_role_allows() {
    let role = Role::new(narrow()).unwrap();
    let permitted = ask(Some("a.secret.example"), &[]);
    for request in [ask(Some("other.example"), &["*.test"]), permitted] {
        let trace = role.explain(&request, None, &Limits::default(), now()).trace;
        let operator = trace.seen_by(View::Operator);
        let requester = trace.seen_by(View::Requester);
        assert!(operator.to_string().contains("allowed_domains") || operator.to_string().contains("none of"));
        // Its own names it may see; the list in the role it may not.
        let shown = requester.to_string().replace("a.secret.example", "");
        assert!(!shown.contains("secret.example"), "{shown}");
        for line in requester.decisions() {
            assert_eq!((line.reason, line.role_change), (None, None), "{}", line.rule);
        }
        assert_eq!(operator.decisions().count(), requester.decisions().count());
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_trace_is_json_with_a_version() {
    let role = Role::new(narrow()).unwrap();
    let trace = role.explain(&ask(Some("other.example"), &[]), None, &Limits::default(), now()).trace;
    let json = serde_json::to_value(trace.seen_by(View::Operator)).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["verdict"], "refuse");
    assert_eq!(json["unlisted"], 0);
    let line = &json["decisions"][5];
    assert_eq!(line["rule"], "name.domain");
    assert_eq!(line["value"], "other.example");
    assert_eq!(line["answer"], "refuse");
    assert_eq!(line["role_change"], "--allowed-domains secret.example,other.example --allow-bare-domains");
    let json = serde_json::to_value(trace.seen_by(View::Requester)).unwrap();
    assert!(!json.to_string().contains("secret"));
}

#[test]
fn a_trace_has_an_end() {
    let names: Vec<String> = (0..1_000).map(|n| alloc::format!("n{n}.other.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let role = Role::new(RoleConfig { require_cn: false, ..narrow() }).unwrap();
    let trace = role.explain(&ask(None, &names), None, &Limits::default(), now()).trace;
    assert_eq!(trace.decisions().len(), 256);
    assert_eq!(trace.decisions().len() + trace.unlisted(), 2_000 + 8);
    // A single refusal behind many permissions is not lost.
    let mut names: Vec<&str> = names.iter().map(|_| "a.secret.example").collect();
    names.push("other.example");
    let trace = role.explain(&ask(None, &names), None, &Limits::default(), now()).trace;
    assert_eq!(trace.verdict(), Answer::Refuse);
    assert_eq!(trace.refusals().next().unwrap().value, "other.example");
}

#[test]
fn a_word_is_one_word_of_a_shell() {
    for (text, wanted) in [
        ("a.example,b.example", "a.example,b.example"),
        ("*.example", "'*.example'"),
        ("", "''"),
        ("it's $HOME", "'it'\\''s $HOME'"),
    ] {
        assert_eq!(word(text), wanted);
    }
}

#[test]
fn every_rule_has_a_name_and_a_statement() {
    for rule in RuleId::ALL {
        assert!(rule.statement().ends_with(['.', ')']), "{rule}: {}", rule.statement());
        assert!(rule.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '-'), "{rule}");
    }
    let mut names: Vec<&str> = RuleId::ALL.iter().map(|rule| rule.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RuleId::ALL.len());
}
