//! Some thousand cases of the machine of random roles; `random_roles --cases 1000000` goes on from there.

use std::time::Duration;

use pki_core::extension::Endpoints;
use pki_core::issue::AskedLifetime;
use pki_core::key::SigningKey as _;
use pki_core::role::{Role, RoleConfig, RoleKeyType, Storage};
use verify_tests::random_roles::draw::{Drawn, DrawnNames, DrawnRequest};
use verify_tests::random_roles::{self, judge};

#[test]
fn what_is_issued_is_permitted_and_explained_alike() {
    const SEED: u64 = 4;
    let house = random_roles::house(SEED).unwrap();
    let tally = random_roles::run(&house, SEED, 0..4_000, 20).unwrap();
    // Cases of which nearly all are refused, or none, would show nothing.
    assert!(tally.issued > 300 && tally.refused > 300 && tally.by_openssl > 5, "{tally:?}");
    assert_eq!(tally.issued + tally.refused + tally.unwritable, 4_000);
    assert!(tally.unwritable < 100, "{tally:?}");
}

/// A judge who never complains would show nothing either: a certificate that one role permits, before others that do
/// not.
#[test]
fn the_judge_complains_of_what_a_role_does_not_permit() {
    let house = random_roles::house(5).unwrap();
    let signer = house.signers.last().unwrap();
    let own = |text: &str| text.to_owned();
    let role = RoleConfig {
        key_type: RoleKeyType::Ec,
        allowed_domains: vec![own("example.com")],
        allow_bare_domains: true,
        allow_subdomains: true,
        allowed_uri_sans: vec![own("urn:*")],
        allowed_other_sans: vec![own("1.2.3;utf8:x")],
        allowed_user_ids: vec![own("ann")],
        ou: vec![own("Sales")],
        ..RoleConfig::default()
    };
    let request = DrawnRequest {
        names: DrawnNames {
            common_name: Some(Drawn::Dns(own("www.example.com"))),
            alternative_names: vec![
                Drawn::Dns(own("*.example.com")),
                Drawn::Email(own("ann@example.com")),
                Drawn::Ip([10, 0, 0, 1].into()),
                Drawn::Uri(own("urn:x")),
                Drawn::Other(own("1.2.3"), own("x")),
            ],
            serial_numbers: Vec::new(),
            user_ids: vec![own("ann")],
        },
        exclude_common_name: false,
        in_csr: None,
        lifetime: AskedLifetime::Ttl(Duration::from_secs(86_400)),
        key: 0,
    };
    let accepted = Role::new(role).unwrap();
    let role = accepted.config().clone();
    let permitted = accepted.permit(request.for_issue(&house).unwrap(), &house.limits, house.now).unwrap();
    let permitted = permitted.with_key(house.keys[0].1.public_key().clone()).unwrap();
    let mut rng = random_roles::house::random;
    let issued = signer.issuer.issue(permitted, &Endpoints::default(), house.now, &mut rng).unwrap();
    let judge = |role: &RoleConfig, request: &DrawnRequest| {
        judge::certificate(role, request, &house, signer, issued.der())
    };
    judge(&role, &request).unwrap();

    let narrowed: [(&str, Narrow); 19] = [
        ("sub-domains", |role| role.allow_subdomains = false),
        ("wildcards", |role| role.allow_wildcard_certificates = false),
        ("bare domains", |role| role.allow_bare_domains = false),
        ("another domain", |role| role.allowed_domains = vec!["ample.com".to_owned()]),
        ("IP addresses", |role| role.allow_ip_sans = false),
        ("another network", |role| role.allowed_ip_sans_cidr = vec!["10.0.0.0/32".to_owned()]),
        ("URIs", |role| role.allowed_uri_sans = vec!["urn:y".to_owned()]),
        ("other names", |role| role.allowed_other_sans.clear()),
        ("user ids", |role| role.allowed_user_ids.clear()),
        ("another OU", |role| role.ou = vec!["IT".to_owned()]),
        ("clients", |role| role.client_flag = false),
        ("programs", |role| role.code_signing_flag = true),
        ("key usages", |role| role.key_usage = vec!["KeyAgreement".to_owned()]),
        ("another type of key", |role| role.key_type = RoleKeyType::Ed25519),
        ("longer keys", |role| role.key_bits = 384),
        ("shorter lives", |role| role.max_ttl = 3_600),
        ("earlier beginnings", |role| role.not_before_duration = 60),
        ("nothing stored", |role| role.storage = Storage::None),
        ("no CA said", |role| role.basic_constraints_valid_for_non_ca = true),
    ];
    for (row, narrow) in narrowed {
        let mut other = role.clone();
        narrow(&mut other);
        assert!(judge(&other, &request).is_err(), "{row}");
    }
    let mut fewer = request.clone();
    fewer.names.alternative_names.pop();
    assert!(judge(&role, &fewer).is_err(), "a name that nobody asked for");
    let mut more = request.clone();
    more.names.alternative_names.push(Drawn::Dns(own("mail.example.com")));
    assert!(judge(&role, &more).is_err(), "a name that was lost");
}

type Narrow = fn(&mut RoleConfig);
