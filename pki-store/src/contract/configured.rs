//! Mounts, keys, issuers, roles, configuration.

use std::time::Duration;

use pki_core::authority::AuthorityId;
use pki_core::certificate::Certificate;
use pki_core::name::{AttributeType, DistinguishedName};

use super::fixture::{Pair, SeededRandom, fingerprint};
use crate::batch::{Expected, Op, Outcome};
use crate::block_on;
use crate::error::{Conflict, Noun, StoreError};
use crate::id::{IssuerId, KeyId, MountId, RoleId};
use crate::issuer::{CrlSigning, IssuerMatch, IssuerSettings, NewIssuer};
use crate::key::{KeyMatch, NewKey};
use crate::mount::{DEFAULT_LEASE_TTL, MountKind, NewMount};
use crate::page::{Order, PageRequest};
use crate::store::Store;

fn create_mount<S: Store>(pair: &Pair<'_, S>, name: &str) -> MountId {
    let id = MountId::from_bytes(pair.id16());
    pair.op(Op::CreateMount(NewMount::new(id, name, MountKind::Pki))).unwrap();
    id
}

pub fn mounts_are_created_tuned_and_disabled<S: Store>(pair: &Pair<'_, S>) {
    let names = || -> Vec<String> {
        block_on(pair.b.mounts()).unwrap().into_iter().map(|mount| mount.name).collect()
    };
    assert_eq!(names(), ["database", "pki"]);
    let mount = pair.pki();
    assert_eq!((mount.kind, mount.max_lease_ttl), (MountKind::Pki, DEFAULT_LEASE_TTL));

    let id = create_mount(pair, "pki_int");
    for taken in ["pki_int", "PKI_INT", "Pki"] {
        let op = Op::CreateMount(NewMount::new(MountId::from_bytes(pair.id16()), taken, MountKind::Pki));
        assert_eq!(pair.conflict(op), Conflict::NameTaken { what: Noun::Mount, name: taken.into() });
    }
    let tune = |mount, max| Op::TuneMount {
        mount,
        description: Some("below the root".into()),
        default_lease_ttl: None,
        max_lease_ttl: Some(max),
    };
    pair.op(tune(id, Duration::from_secs(43_800 * 3_600))).unwrap();
    let mount = block_on(pair.b.mount("Pki_Int")).unwrap().unwrap();
    assert_eq!(mount.max_lease_ttl, Duration::from_secs(43_800 * 3_600));
    assert_eq!((mount.default_lease_ttl, mount.description.as_str()), (DEFAULT_LEASE_TTL, "below the root"));

    pair.op(Op::DisableMount { mount: id }).unwrap();
    assert_eq!(names(), ["database", "pki"]);
    let missing = pair.conflict(tune(id, Duration::ZERO));
    assert!(matches!(missing, Conflict::NotFound { what: Noun::Mount, .. }));
    let again = create_mount(pair, "pki_int");
    assert_ne!(again, id, "the name is free, the id is another");
    assert_eq!(block_on(pair.b.mount("pki_int")).unwrap().unwrap().id, again);
}

pub fn keys_have_one_name_and_one_public_half<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    let other = create_mount(pair, "other");
    let mut key = pair.new_key(mount, b"public");
    key.name = Some("Root-Key".into());
    pair.op(Op::CreateKey(key.clone())).unwrap();
    assert_eq!(pair.pki().default_key, Some(key.id), "the first key is the default");

    let mut same_name = pair.new_key(mount, b"public 2");
    same_name.name = Some("root-key".into());
    let conflict = pair.conflict(Op::CreateKey(same_name.clone()));
    assert_eq!(conflict, Conflict::NameTaken { what: Noun::Key, name: "root-key".into() });
    let same_key = pair.new_key(mount, b"public");
    assert_eq!(pair.conflict(Op::CreateKey(same_key)), Conflict::KeyExists { key: "Root-Key".into() });
    same_name.mount = other;
    pair.op(Op::CreateKey(same_name)).unwrap();
    pair.op(Op::CreateKey(pair.new_key(other, b"public"))).unwrap();

    let second = pair.new_key(mount, b"public 3");
    pair.op(Op::CreateKey(second.clone())).unwrap();
    assert_eq!(block_on(pair.b.keys(mount)).unwrap().len(), 2);
    let rename = |name: &str| Op::RenameKey { key: second.id, name: Some(name.into()) };
    assert!(matches!(pair.conflict(rename("ROOT-KEY")), Conflict::NameTaken { .. }));
    pair.op(rename("next")).unwrap();
    pair.op(rename("Next")).unwrap();
    assert_eq!(block_on(pair.b.key(second.id)).unwrap().unwrap().name.as_deref(), Some("Next"));

    let waits = |key: &NewKey, name: &str| Op::SetPendingIssuerName { key: key.id, name: Some(name.into()) };
    pair.op(waits(&second, "Issuing")).unwrap();
    pair.op(waits(&second, "issuing")).unwrap();
    assert!(matches!(pair.conflict(waits(&key, "ISSUING")), Conflict::NameTaken { what: Noun::Issuer, .. }));
    let read = block_on(pair.b.key(second.id)).unwrap().unwrap();
    assert_eq!(read.pending_issuer_name.as_deref(), Some("issuing"));
    pair.op(Op::SetPendingIssuerName { key: second.id, name: None }).unwrap();
    pair.op(waits(&key, "issuing")).unwrap();

    pair.op(Op::DeleteKey { key: key.id }).unwrap();
    assert!(block_on(pair.b.key(key.id)).unwrap().is_none());
    assert_eq!(pair.pki().default_key, None);
    let lost = pair.conflict(waits(&key, "issuing"));
    assert!(matches!(lost, Conflict::NotFound { what: Noun::Key, .. }));
    let gone = pair.conflict(Op::DeleteKey { key: key.id });
    assert!(matches!(gone, Conflict::NotFound { what: Noun::Key, .. }));
}

pub fn a_secret_opens_only_at_its_place<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    let (one, two) = (pair.new_key(mount, b"one"), pair.new_key(mount, b"two"));
    pair.op(Op::CreateKey(one.clone())).unwrap();
    let read = block_on(pair.b.key(one.id)).unwrap().unwrap();
    assert_eq!(pair.b.unseal(&read.place(), &read.private_key).unwrap().as_slice(), b"private");
    assert!(!format!("{read:?} {one:?}").contains("private_key"), "Debug shows no secret");
    let long = vec![7; 100_000];
    let place = NewKey::place(two.id);
    let envelope = pair.a.seal(&place, &long, &mut SeededRandom(1)).unwrap();
    assert_eq!(pair.b.unseal(&place, &envelope).unwrap().as_slice(), long);
}

pub fn a_pending_name_finds_its_issuer<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    let mut key = pair.new_key(mount, b"spki");
    key.pending_issuer_name = Some("Grade-Api-Intermediate".into());
    pair.op(Op::CreateKey(key.clone())).unwrap();

    let mut second = pair.new_key(mount, b"spki 2");
    second.pending_issuer_name = Some("grade-api-intermediate".into());
    assert!(matches!(pair.conflict(Op::CreateKey(second)), Conflict::NameTaken { what: Noun::Issuer, .. }));
    let mut squatter = pair.new_issuer(mount, b"spki 3", b"squatter");
    squatter.name = Some("grade-api-intermediate".into());
    assert!(matches!(pair.conflict(Op::CreateIssuer(squatter)), Conflict::NameTaken { .. }));

    // Its parent comes back with it: imported without a key, it takes no name and is no default.
    let parent = pair.new_issuer(mount, b"root spki", b"root certificate");
    let issuer = pair.new_issuer(mount, b"spki", b"signed certificate");
    let batch = pair.batch(vec![Op::CreateIssuer(parent.clone()), Op::CreateIssuer(issuer.clone())]);
    let committed = pair.commit(pair.a, batch).unwrap();
    assert_eq!(
        committed.outcomes,
        [
            Outcome::Issuer {
                id: parent.id,
                existing: false,
                name: None,
                key: None,
                crl_signing: CrlSigning::Off,
                default: false,
            },
            Outcome::Issuer {
                id: issuer.id,
                existing: false,
                name: Some("Grade-Api-Intermediate".into()),
                key: Some(key.id),
                crl_signing: CrlSigning::On,
                default: true,
            },
        ]
    );
    let found = block_on(pair.b.issuer_by_name(mount, "grade-api-INTERMEDIATE")).unwrap().unwrap();
    assert_eq!(found.id, issuer.id);
    let key = block_on(pair.b.key(key.id)).unwrap().unwrap();
    assert_eq!(key.pending_issuer_name, None);

    let again = pair.new_issuer(mount, b"spki", b"signed certificate");
    match pair.op(Op::CreateIssuer(again)).unwrap() {
        Outcome::Issuer { id, existing: true, default: true, .. } => assert_eq!(id, issuer.id),
        other => panic!("{other:?}"),
    }
    let conflict = pair.conflict(Op::DeleteKey { key: key.id });
    assert_eq!(conflict, Conflict::KeyInUse { issuer: "Grade-Api-Intermediate".into() });
}

pub fn an_issuer_joins_its_key_whichever_comes_first<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    let issuer = pair.new_issuer(mount, b"spki", b"certificate");
    let Outcome::Issuer { key: None, default: false, .. } =
        pair.op(Op::CreateIssuer(issuer.clone())).unwrap()
    else {
        panic!()
    };
    assert_eq!(pair.pki().default_issuer, None);
    pair.op(Op::CreateKey(pair.new_key(mount, b"unrelated"))).unwrap();
    assert_eq!(block_on(pair.b.issuer(issuer.id)).unwrap().unwrap().key, None);
    let key = pair.new_key(mount, b"spki");
    pair.op(Op::CreateKey(key.clone())).unwrap();
    let read = block_on(pair.b.issuer(issuer.id)).unwrap().unwrap();
    assert_eq!((read.key, read.crl_signing), (Some(key.id), CrlSigning::On));
    assert_eq!(read.authority, AuthorityId::new(b"subject", b"spki"));
    assert_eq!(pair.pki().default_issuer, Some(issuer.id));
}

pub fn one_authority_signs_crls_in_one_mount<S: Store>(pair: &Pair<'_, S>) {
    let (mount, first, authority) = pair.issuer();
    let other = create_mount(pair, "other");
    pair.op(Op::CreateKey(pair.new_key(other, b"spki"))).unwrap();
    match pair.op(Op::CreateIssuer(pair.new_issuer(other, b"spki", b"ca certificate"))).unwrap() {
        Outcome::Issuer { key: Some(_), crl_signing: CrlSigning::Off, default: true, .. } => {}
        other => panic!("{other:?}"),
    }
    // A second certificate of the same authority in the first mount shares its CRL.
    let cross = pair.new_issuer(mount, b"spki", b"cross-signed certificate");
    match pair.op(Op::CreateIssuer(cross.clone())).unwrap() {
        Outcome::Issuer { crl_signing: CrlSigning::On, default: false, .. } => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(block_on(pair.b.authorities()).unwrap().len(), 1);
    let signs = || block_on(pair.b.authority(authority)).unwrap().unwrap().crl_mount;
    assert_eq!(signs(), Some(mount));
    pair.op(Op::DeleteIssuer { issuer: first }).unwrap();
    assert_eq!(signs(), Some(mount), "the cross-signed one still speaks for it");
    pair.op(Op::DeleteIssuer { issuer: cross.id }).unwrap();
    assert_eq!(signs(), None);
}

pub fn an_issuer_is_updated_and_deleted<S: Store>(pair: &Pair<'_, S>) {
    let (mount, id, authority) = pair.issuer();
    let other = pair.new_issuer(mount, b"spki 2", b"certificate 2");
    let mut named = other.clone();
    named.name = Some("other".into());
    pair.op(Op::CreateIssuer(named)).unwrap();
    let settings =
        IssuerSettings { manual_chain: vec![id, other.id], detail: b"{\"usage\":\"crl\"}".to_vec() };
    let update = |expected, name: &str| Op::UpdateIssuer {
        issuer: id,
        expected,
        name: Some(name.into()),
        settings: settings.clone(),
    };
    assert!(matches!(pair.conflict(update(1, "OTHER")), Conflict::NameTaken { .. }));
    assert_eq!(pair.op(update(1, "root")).unwrap(), Outcome::Revision(2));
    assert!(matches!(
        pair.conflict(update(1, "stale")),
        Conflict::Revision { expected: Some(1), found: Some(2), .. }
    ));
    assert_eq!(pair.op(update(2, "Root")).unwrap(), Outcome::Revision(3));
    let read = block_on(pair.b.issuer_by_name(mount, "ROOT")).unwrap().unwrap();
    assert_eq!((read.id, &read.settings), (id, &settings));

    pair.op(Op::DeleteIssuer { issuer: id }).unwrap();
    assert!(block_on(pair.b.issuer(id)).unwrap().is_none());
    assert_eq!(block_on(pair.b.issuers(mount)).unwrap().len(), 1);
    assert_eq!(pair.pki().default_issuer, None);
    assert!(block_on(pair.b.authority(authority)).unwrap().is_some(), "its revocations stay");
    let mut again = pair.new_issuer(mount, b"spki", b"ca certificate");
    again.name = Some("root".into());
    match pair.op(Op::CreateIssuer(again.clone())).unwrap() {
        Outcome::Issuer { id, existing: false, default: true, .. } => assert_eq!(id, again.id),
        other => panic!("{other:?}"),
    }
}

pub fn issuers_are_found_by_what_they_are<S: Store>(pair: &Pair<'_, S>) {
    // A certificate that reads, beside others that do not: a label of the fixture's is enough of a certificate here.
    let der = include_bytes!("root.der").to_vec();
    let certificate = Certificate::from_der(&der).unwrap();
    let (subject, spki) = (certificate.subject().der(), certificate.public_key().spki_der());
    let (mount, other) = (pair.pki().id, create_mount(pair, "other"));
    let root = |mount| NewIssuer {
        subject: subject.to_vec(),
        public_key: spki.to_vec(),
        ..pair.new_issuer(mount, spki, &der)
    };
    let (here, there) = (root(mount), root(other));
    let stranger = pair.new_issuer(mount, b"spki", b"stranger");
    for new in [&here, &there, &stranger] {
        pair.op(Op::CreateIssuer(new.clone())).unwrap();
    }
    let found = |wanted: IssuerMatch| -> Vec<IssuerId> {
        block_on(pair.b.issuers_matching(&wanted)).unwrap().iter().map(|issuer| issuer.id).collect()
    };
    let both = vec![here.id, there.id];
    let loud = DistinguishedName::new([
        [(AttributeType::Country, "DE")],
        [(AttributeType::Organization, " CONTRACT")],
        [(AttributeType::CommonName, "contract  ROOT")],
    ])
    .unwrap();
    let identifier = certificate.subject_key_identifier().unwrap().as_bytes().to_vec();
    for (what, wanted) in [
        ("authority", IssuerMatch::Authority(certificate.authority())),
        ("certificate", IssuerMatch::Certificate(fingerprint(&der))),
        ("key identifier", IssuerMatch::KeyIdentifier(identifier.clone())),
        ("public key", IssuerMatch::PublicKey(spki.to_vec())),
        ("subject", IssuerMatch::Subject(subject.to_vec())),
        ("subject in other letters", IssuerMatch::Subject(loud.der().to_vec())),
    ] {
        assert_eq!(found(wanted), both, "{what}");
    }
    for (what, wanted) in [
        ("authority", IssuerMatch::Authority(AuthorityId::from_bytes([9; 32]))),
        ("certificate", IssuerMatch::Certificate(fingerprint(b"root"))),
        ("shorter key identifier", IssuerMatch::KeyIdentifier(identifier[..19].to_vec())),
        ("no key identifier", IssuerMatch::KeyIdentifier(Vec::new())),
        ("value of another kind", IssuerMatch::KeyIdentifier(spki.to_vec())),
        ("public key", IssuerMatch::PublicKey(b"other spki".to_vec())),
        ("empty subject", IssuerMatch::Subject(DistinguishedName::empty().der().to_vec())),
        ("no name", IssuerMatch::Subject(b"subject 2".to_vec())),
    ] {
        assert_eq!(found(wanted), [], "{what}");
    }
    assert_eq!(found(IssuerMatch::Subject(b"subject".to_vec())), [stranger.id]);
    pair.op(Op::DeleteIssuer { issuer: here.id }).unwrap();
    assert_eq!(found(IssuerMatch::KeyIdentifier(identifier.clone())), [there.id]);
    assert_eq!(found(IssuerMatch::PublicKey(spki.to_vec())), [there.id]);
    let again = root(mount);
    pair.op(Op::CreateIssuer(again.clone())).unwrap();
    assert_eq!(found(IssuerMatch::KeyIdentifier(identifier)), [there.id, again.id]);
}

pub fn issuer_pages_follow_each_other<S: Store>(pair: &Pair<'_, S>) {
    let (mount, other) = (pair.pki().id, create_mount(pair, "other"));
    let mut ids = Vec::new();
    for number in 0..23_u8 {
        let issuer = pair.new_issuer(if number % 4 == 3 { other } else { mount }, b"spki", &[number]);
        pair.op(Op::CreateIssuer(issuer.clone())).unwrap();
        if number == 5 {
            pair.op(Op::DeleteIssuer { issuer: issuer.id }).unwrap();
        } else if issuer.mount == mount {
            ids.push(issuer.id);
        }
    }
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut page = PageRequest { after: None, limit: 5, order };
        let mut listed = Vec::new();
        loop {
            let answer = block_on(pair.b.issuer_page(mount, page)).unwrap();
            assert!(answer.items.len() <= 5);
            listed.extend(answer.items.iter().map(|issuer| issuer.id));
            let Some(next) = answer.next else { break };
            page.after = Some(next);
        }
        if order == Order::NewestFirst {
            listed.reverse();
        }
        assert_eq!(listed, ids, "{order:?}");
    }
    let nowhere = MountId::from_bytes([9; 16]);
    assert_eq!(block_on(pair.b.issuer_page(nowhere, PageRequest::first(5))).unwrap().items, []);
}

pub fn keys_are_found_by_what_they_are<S: Store>(pair: &Pair<'_, S>) {
    let (mount, other) = (pair.pki().id, create_mount(pair, "other"));
    let mut key = pair.new_key(mount, b"spki");
    key.name = Some("Root-Key".into());
    key.pending_issuer_name = Some("Root".into());
    pair.op(Op::CreateKey(key.clone())).unwrap();
    let found = |mount, wanted| block_on(pair.b.key_matching(mount, &wanted)).unwrap().map(|found| found.id);
    for wanted in [
        KeyMatch::Name("root-KEY".into()),
        KeyMatch::PublicKey(b"spki".to_vec()),
        KeyMatch::PendingIssuerName("ROOT".into()),
    ] {
        assert_eq!(found(mount, wanted.clone()), Some(key.id), "{wanted:?}");
        assert_eq!(found(other, wanted.clone()), None, "{wanted:?} in another mount");
    }
    for wanted in [
        KeyMatch::Name("root".into()),
        KeyMatch::Name(String::new()),
        KeyMatch::PublicKey(b"SPKI".to_vec()),
        KeyMatch::PendingIssuerName("root-key".into()),
    ] {
        assert_eq!(found(mount, wanted.clone()), None, "{wanted:?}");
    }
    pair.op(Op::CreateIssuer(pair.new_issuer(mount, b"spki", b"certificate"))).unwrap();
    assert_eq!(found(mount, KeyMatch::PendingIssuerName("root".into())), None, "its issuer has come");
}

pub fn defaults_are_set_and_follow<S: Store>(pair: &Pair<'_, S>) {
    let (mount, first, _) = pair.issuer();
    let other_mount = create_mount(pair, "other");
    pair.op(Op::CreateKey(pair.new_key(mount, b"spki 2"))).unwrap();
    let second = pair.new_issuer(mount, b"spki 2", b"certificate 2");
    pair.op(Op::CreateIssuer(second.clone())).unwrap();
    assert_eq!(pair.pki().default_issuer, Some(first));
    let set = |mount, issuer, follows_latest| Op::SetDefaultIssuer { mount, issuer, follows_latest };
    pair.op(set(mount, second.id, true)).unwrap();
    assert_eq!(pair.pki().default_issuer, Some(second.id));
    let stranger = pair.conflict(set(other_mount, second.id, false));
    assert!(matches!(stranger, Conflict::NotFound { what: Noun::Issuer, .. }));
    let nobody = IssuerId::from_bytes([9; 16]);
    assert!(matches!(pair.conflict(set(mount, nobody, false)), Conflict::NotFound { .. }));

    let keyless = pair.new_issuer(mount, b"spki 3", b"certificate 3");
    pair.op(Op::CreateIssuer(keyless)).unwrap();
    assert_eq!(pair.pki().default_issuer, Some(second.id), "only issuers with a key are followed");
    let third_key = pair.new_key(mount, b"spki 4");
    pair.op(Op::CreateKey(third_key.clone())).unwrap();
    let third = pair.new_issuer(mount, b"spki 4", b"certificate 4");
    pair.op(Op::CreateIssuer(third.clone())).unwrap();
    assert_eq!(pair.pki().default_issuer, Some(third.id));

    pair.op(Op::SetDefaultKey { mount, key: third_key.id }).unwrap();
    assert_eq!(pair.pki().default_key, Some(third_key.id));
    let nobody = Op::SetDefaultKey { mount, key: KeyId::from_bytes([9; 16]) };
    assert!(matches!(pair.conflict(nobody), Conflict::NotFound { what: Noun::Key, .. }));
}

fn put_role<S: Store>(pair: &Pair<'_, S>, name: &str, expected: Expected, json: &str) -> Op {
    Op::PutRole {
        mount: pair.pki().id,
        name: name.into(),
        new_id: RoleId::from_bytes(pair.id16()),
        expected,
        json: json.as_bytes().to_vec(),
    }
}

pub fn roles_have_revisions_and_history<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    assert!(matches!(
        pair.conflict(put_role(pair, "web", Expected::Revision(1), "{}")),
        Conflict::Revision { expected: Some(1), found: None, .. }
    ));
    let Outcome::Role(first) = pair.op(put_role(pair, "Web", Expected::Absent, "{\"a\":1}")).unwrap() else {
        panic!()
    };
    assert_eq!(first.revision, 1);
    assert!(matches!(
        pair.conflict(put_role(pair, "web", Expected::Absent, "{}")),
        Conflict::Revision { expected: None, found: Some(1), .. }
    ));
    let Outcome::Role(second) = pair.op(put_role(pair, "web", Expected::Revision(1), "{\"a\":2}")).unwrap()
    else {
        panic!()
    };
    assert_eq!((second.id, second.revision), (first.id, 2));
    pair.op(put_role(pair, "WEB", Expected::Any, "{\"a\":3}")).unwrap();
    pair.op(put_role(pair, "api", Expected::Any, "{}")).unwrap();

    let role = block_on(pair.b.role(mount, "wEB")).unwrap().unwrap();
    assert_eq!((role.revision, role.name.as_str(), role.json.as_slice()), (3, "Web", &b"{\"a\":3}"[..]));
    let names: Vec<String> =
        block_on(pair.b.roles(mount)).unwrap().into_iter().map(|role| role.name).collect();
    assert_eq!(names, ["api", "Web"]);
    let history = block_on(pair.b.role_history(role.id)).unwrap();
    let versions: Vec<(u64, &[u8])> = history.iter().map(|role| (role.revision, &role.json[..])).collect();
    assert_eq!(versions, [(1, &b"{\"a\":1}"[..]), (2, b"{\"a\":2}"), (3, b"{\"a\":3}")]);
}

pub fn a_role_written_again_after_deletion_is_another<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    let Outcome::Role(first) = pair.op(put_role(pair, "web", Expected::Absent, "1")).unwrap() else {
        panic!()
    };
    let delete = |expected| Op::DeleteRole { mount, name: "WEB".into(), expected };
    assert!(matches!(pair.conflict(delete(Expected::Revision(2))), Conflict::Revision { .. }));
    pair.op(delete(Expected::Revision(1))).unwrap();
    pair.op(delete(Expected::Any)).unwrap();
    assert!(block_on(pair.b.role(mount, "web")).unwrap().is_none());
    assert_eq!(block_on(pair.b.roles(mount)).unwrap(), []);
    assert_eq!(block_on(pair.b.role_history(first.id)).unwrap().len(), 1);
    let Outcome::Role(second) = pair.op(put_role(pair, "web", Expected::Absent, "2")).unwrap() else {
        panic!()
    };
    assert_ne!(second.id, first.id);
    assert_eq!(second.revision, 1);
}

pub fn configuration_has_revisions<S: Store>(pair: &Pair<'_, S>) {
    let mount = pair.pki().id;
    let put = |mount, expected, json: &str| Op::PutConfig {
        mount,
        key: "urls".into(),
        expected,
        json: json.as_bytes().to_vec(),
    };
    assert_eq!(block_on(pair.b.config(mount, "urls")).unwrap(), None);
    assert_eq!(pair.op(put(mount, Expected::Absent, "{}")).unwrap(), Outcome::Revision(1));
    assert!(matches!(pair.conflict(put(mount, Expected::Absent, "{}")), Conflict::Revision { .. }));
    assert_eq!(pair.op(put(mount, Expected::Revision(1), "[]")).unwrap(), Outcome::Revision(2));
    let config = block_on(pair.b.config(mount, "urls")).unwrap().unwrap();
    assert_eq!((config.revision, config.json.as_slice()), (2, &b"[]"[..]));
    assert_eq!(block_on(pair.b.config(mount, "crl")).unwrap(), None);
    let nowhere = MountId::from_bytes([9; 16]);
    match pair.op(put(nowhere, Expected::Any, "{}")) {
        Err(StoreError::Conflict(Conflict::NotFound { what: Noun::Mount, .. })) => {}
        other => panic!("{other:?}"),
    }
}
