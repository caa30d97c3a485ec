//! Database accounts and their sealed passwords.

use super::fixture::{Pair, SeededRandom, at};
use crate::account::{AccountKind, NewAccount};
use crate::batch::{Expected, Op, Outcome};
use crate::block_on;
use crate::error::{Conflict, Noun};
use crate::id::{AccountId, MountId};
use crate::store::Store;

fn account<S: Store>(pair: &Pair<'_, S>, kind: AccountKind, name: &str, expected: Expected) -> NewAccount {
    NewAccount {
        mount: block_on(pair.b.mount("database")).unwrap().unwrap().id,
        kind,
        name: name.into(),
        new_id: AccountId::from_bytes(pair.id16()),
        expected,
        json: b"{\"plugin_name\":\"postgresql-database-plugin\"}".to_vec(),
        password: None,
        candidate: None,
    }
}

pub fn a_password_is_changed_in_two_phases<S: Store>(pair: &Pair<'_, S>) {
    let mut new = account(pair, AccountKind::Connection, "Grade-DB", Expected::Absent);
    let id = new.new_id;
    let mut rng = SeededRandom(5);
    let mut seal = |secret: &[u8]| Some(pair.a.seal(&NewAccount::place(id), secret, &mut rng).unwrap());
    let (first, second) = (seal(b"first"), seal(b"second"));
    new.password = first.clone();
    assert_eq!(pair.op(Op::PutAccount(new.clone())).unwrap(), Outcome::Revision(1));
    let read = || block_on(pair.b.account(new.mount, new.kind, "grade-db")).unwrap().unwrap();
    let opened = |envelope: Option<crate::envelope::Envelope>| {
        envelope.map(|envelope| pair.b.unseal(&read().place(), &envelope).unwrap().to_vec())
    };
    assert_eq!((opened(read().password), opened(read().candidate)), (Some(b"first".to_vec()), None));

    let candidate = NewAccount { expected: Expected::Revision(1), candidate: second.clone(), ..new.clone() };
    assert_eq!(pair.op(Op::PutAccount(candidate.clone())).unwrap(), Outcome::Revision(2));
    let both = (Some(b"first".to_vec()), Some(b"second".to_vec()));
    assert_eq!((opened(read().password), opened(read().candidate)), both);
    // Another rotation that began from the same revision comes too late.
    assert!(matches!(
        pair.conflict(Op::PutAccount(candidate)),
        Conflict::Revision { what: Noun::Account, expected: Some(1), found: Some(2), .. }
    ));
    let rotated = NewAccount { expected: Expected::Revision(2), password: second, ..new.clone() };
    pair.op(Op::PutAccount(rotated)).unwrap();
    assert_eq!((opened(read().password), opened(read().candidate)), (Some(b"second".to_vec()), None));
    let account = read();
    assert_eq!((account.id, account.name.as_str(), account.revision), (id, "Grade-DB", 3));
    assert_eq!((account.created_at, account.updated_at), (at(0), at(0)));
}

pub fn accounts_are_listed_by_kind_and_deleted<S: Store>(pair: &Pair<'_, S>) {
    use AccountKind::{Connection, StaticRole};
    for (kind, name) in [(Connection, "b"), (StaticRole, "a"), (Connection, "A")] {
        pair.op(Op::PutAccount(account(pair, kind, name, Expected::Absent))).unwrap();
    }
    let mount = account(pair, Connection, "x", Expected::Any).mount;
    let names = |kind| -> Vec<String> {
        block_on(pair.b.accounts(mount, kind)).unwrap().into_iter().map(|account| account.name).collect()
    };
    assert_eq!((names(Connection), names(StaticRole)), (vec!["A".into(), "b".into()], vec!["a".into()]));
    let taken = account(pair, Connection, "B", Expected::Absent);
    assert!(matches!(pair.conflict(Op::PutAccount(taken)), Conflict::Revision { expected: None, .. }));
    let before = block_on(pair.b.account(mount, Connection, "b")).unwrap().unwrap();
    let same_id = NewAccount { new_id: before.id, ..account(pair, Connection, "c", Expected::Absent) };
    assert_eq!(pair.conflict(Op::PutAccount(same_id)), Conflict::IdTaken);
    let nowhere =
        NewAccount { mount: MountId::from_bytes([9; 16]), ..account(pair, Connection, "d", Expected::Any) };
    assert!(matches!(pair.conflict(Op::PutAccount(nowhere)), Conflict::NotFound { what: Noun::Mount, .. }));

    let delete = |kind, expected| Op::DeleteAccount { mount, kind, name: "B".into(), expected };
    assert!(matches!(pair.conflict(delete(Connection, Expected::Revision(2))), Conflict::Revision { .. }));
    pair.op(delete(Connection, Expected::Revision(1))).unwrap();
    pair.op(delete(Connection, Expected::Any)).unwrap();
    assert_eq!(names(Connection), ["A"]);
    assert_eq!(block_on(pair.b.account(mount, StaticRole, "b")).unwrap(), None);
    pair.op(Op::PutAccount(account(pair, Connection, "b", Expected::Absent))).unwrap();
    let again = block_on(pair.b.account(mount, Connection, "b")).unwrap().unwrap();
    assert_ne!(again.id, before.id);
    assert_eq!(again.revision, 1);
}
