//! What cannot be seen from outside: numbers in use, the clock, and who waits for whom.

use std::cell::Cell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use chrono::TimeDelta;

use super::*;
use crate::store::memory::table::Clock;
use crate::{Compat, Group, Limits, Patch, User};

fn tenant() -> TenantId {
    TenantId::new("a").unwrap()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

fn types() -> (ResourceType, ResourceType) {
    (User::resource_type().build().unwrap(), Group::resource_type().build().unwrap())
}

fn user(store: &MemoryStore, name: &str) -> Resource {
    let ty = types().0;
    let json = format!(r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{name}"}}"#);
    now(store.create(&tenant(), &ty, Resource::parse(&ty, json.as_bytes()).unwrap())).unwrap()
}

fn group(store: &MemoryStore, name: &str, members: &[String]) -> Resource {
    now(store.create(&tenant(), &types().1, group_of(name, members))).unwrap()
}

fn group_of(name: &str, members: &[String]) -> Resource {
    let members: Vec<String> = members.iter().map(|id| format!(r#"{{"value":"{id}"}}"#)).collect();
    let json = format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"{name}","members":[{}]}}"#,
        members.join(",")
    );
    Resource::parse(&types().1, json.as_bytes()).unwrap()
}

fn patch(store: &MemoryStore, ty: &ResourceType, id: &str, operations: &str) -> Resource {
    let text =
        format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operations}]}}"#);
    let patch = Patch::parse(text.as_bytes(), &Limits::default()).unwrap();
    let changes = patch.bind(ty, Compat::default(), &Limits::default()).unwrap();
    let want = Projection::everything(ty);
    let patched = now(store.patch(&tenant(), Key::new(ty, id), &changes, Precondition::NONE, &want)).unwrap();
    patched.unwrap().resource
}

fn slots(store: &MemoryStore) -> (usize, usize) {
    read(&store.table(&tenant()).unwrap()).in_use()
}

#[test]
fn ids_of_members_that_are_gone_take_no_room() {
    let (store, (_, groups)) = (MemoryStore::new(), types());
    let id = group(&store, "g", &[]).id().unwrap().to_owned();
    let before = slots(&store);
    let members: Vec<String> = (0..5_000).map(|n| format!(r#"{{"value":"m{n}"}}"#)).collect();
    let add = format!(r#"{{"op":"add","path":"members","value":[{}]}}"#, members.join(","));
    patch(&store, &groups, &id, &add);
    assert!(slots(&store).0 > 5_000);
    patch(&store, &groups, &id, r#"{"op":"remove","path":"members"}"#);
    assert_eq!(slots(&store).0, before.0, "after all members have been removed");
    assert!(slots(&store).1 < 200, "room for {} is kept", slots(&store).1);
    patch(&store, &groups, &id, &add);
    let named: Vec<String> =
        (0..100).map(|n| format!(r#"{{"op":"remove","path":"members[value eq \"m{n}\"]"}}"#)).collect();
    patch(&store, &groups, &id, &named.join(","));
    assert_eq!(slots(&store).0, before.0 + 4_900);
    let other = group(&store, "h", &["m4999".to_owned()]);
    now(store.delete(&tenant(), Key::new(&groups, &id), Precondition::NONE)).unwrap();
    assert_eq!(slots(&store).0, 2, "the other group and its member");
    now(store.delete(&tenant(), Key::new(&groups, other.id().unwrap()), Precondition::NONE)).unwrap();
    assert_eq!(slots(&store).0, 0);
    // numbers are given anew, and mean what they say
    let again = group(&store, "i", &["m1".to_owned(), "m2".to_owned()]);
    assert!(std::str::from_utf8(again.as_json()).unwrap().contains("m2"));
    assert_eq!(slots(&store).0, 3);
}

/// However long a list was, it is gone at once, and what it leaves behind is cleared away while others have their turn, even when
/// nobody waits for it any more.
#[test]
fn a_long_list_ends_at_once_and_is_cleared_away_bit_by_bit() {
    let (store, (users, groups)) = (MemoryStore::new(), types());
    let ada = user(&store, "ada").id().unwrap().to_owned();
    let groups_of_ada = || {
        let found = now(store.get(&tenant(), Key::new(&users, &ada), &Projection::everything(&users))).unwrap();
        found.unwrap().references("groups").count()
    };
    let mut members: Vec<String> = (0..9_000).map(|n| format!("m{n}")).collect();
    members.push(ada.clone());
    let endings: [&dyn Fn(&str) -> usize; 3] = [
        &|id| polled_once(store.delete(&tenant(), Key::new(&groups, id), Precondition::NONE)),
        &|id| {
            let none = group_of("g", &[]);
            polled_once(store.replace(&tenant(), Key::new(&groups, id), none, Precondition::NONE))
        },
        &|id| {
            let text = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members"}]}"#;
            let patch = Patch::parse(text.as_bytes(), &Limits::default()).unwrap();
            let changes = patch.bind(&groups, Compat::default(), &Limits::default()).unwrap();
            let want = Projection::everything(&groups);
            polled_once(store.patch(&tenant(), Key::new(&groups, id), &changes, Precondition::NONE, &want))
        },
    ];
    for end in endings {
        let (other, long) = (group(&store, "h", &members[8_990..]), group(&store, "g", &members));
        let id = long.id().unwrap();
        assert_eq!(groups_of_ada(), 2);
        assert_eq!(end(id), 0, "one turn is not enough, and nobody waits for another");
        assert_eq!(groups_of_ada(), 1, "it is gone all the same");
        assert!(slots(&store).0 > 7_000);
        // the members of before mean nothing to a group that has them anew
        let again = group(&store, "i", &members[..5]);
        for n in 0..100 {
            let name = format!("n{n}");
            let id = user(&store, &name).id().unwrap().to_owned();
            now(store.delete(&tenant(), Key::new(&users, &id), Precondition::NONE)).unwrap();
        }
        let left = now(store.get(&tenant(), Key::new(&groups, again.id().unwrap()), &Projection::everything(&groups)));
        assert_eq!(left.unwrap().unwrap().references("members").count(), 5);
        for group in [other.id().unwrap(), again.id().unwrap(), id] {
            now(store.delete(&tenant(), Key::new(&groups, group), Precondition::NONE)).unwrap_or_default();
        }
        assert_eq!(slots(&store).0, 1, "nobody is left but the user");
    }
}

/// Polls a future once and drops it: 1 when it was done.
fn polled_once<T>(future: impl Future<Output = T>) -> usize {
    usize::from(pin!(future).as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())).is_ready())
}

thread_local! {
    static HOURS: Cell<i64> = const { Cell::new(0) };
}

#[test]
fn last_modified_never_runs_backwards() {
    let (store, (users, _)) = (MemoryStore::new(), types());
    let id = user(&store, "ada").id().unwrap().to_owned();
    let table = store.table(&tenant()).unwrap();
    write(&table).set_clock(Clock(|| chrono::DateTime::UNIX_EPOCH + TimeDelta::hours(HOURS.get() + 1_000_000)));
    let mut times = Vec::new();
    for (n, hours) in [0, 5, 3, -2_000_000, 6].into_iter().enumerate() {
        HOURS.set(hours);
        let title = format!(r#"{{"op":"add","path":"title","value":"{n}"}}"#);
        times.push(patch(&store, &users, &id, &title).text("meta.lastModified").unwrap().into_owned());
    }
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!((times[1] == times[2], times[3] < times[4]), (true, true), "{times:?}");
}

/// A query of users that costs many steps.
fn long(query: &str) -> Query {
    Query::from_url(&types().0, query, Compat::default(), &Limits::default()).unwrap()
}

#[test]
fn writers_are_let_in_while_a_long_query_runs() {
    let (store, (users, _)) = (MemoryStore::<TenantId>::new(), types());
    let ids: Vec<String> = (0..300).map(|n| user(&store, &format!("u{n:03}")).id().unwrap().to_owned()).collect();
    let table = store.table(&tenant()).unwrap();
    let terms = vec!["userName co \"u\" and userName co \"q\""; 100].join(" or ");
    let text = format!("count=300&sortBy=userName&filter=userName+pr+and+not+({})", terms.replace(' ', "+"));
    let (query, turns, tenant) = (long(&text.replace('"', "%22")), AtomicUsize::new(0), tenant());
    let mut list = pin!(store.list(&tenant, &users, &query));
    let page = loop {
        match list.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Ready(page) => break page.unwrap(),
            Poll::Pending => assert!(table.try_write().is_ok(), "a lock is held while others have their turn"),
        }
        // one is renamed to what comes last, one is deleted, one comes
        match turns.fetch_add(1, Ordering::SeqCst) {
            0 => drop(patch(&store, &users, &ids[5], r#"{"op":"replace","path":"userName","value":"zoe"}"#)),
            1 => drop(user(&store, "u999")),
            _ => {}
        }
    };
    assert!(turns.into_inner() >= 2);
    let names: Vec<String> = page.resources().iter().map(|r| r.text("userName").unwrap().into_owned()).collect();
    assert!(names.is_sorted() && !names.contains(&"u999".to_owned()), "{names:?}");
    assert_eq!((names.len(), page.total()), (200, Some(300)));
}

#[test]
fn a_group_that_changes_while_it_is_listed_is_shown_as_it_is() {
    let (store, (_, groups)) = (MemoryStore::<TenantId>::new(), types());
    let ids: Vec<String> = (0..300).map(|n| group(&store, &format!("g{n:03}"), &[]).id().unwrap().to_owned()).collect();
    let terms = vec!["displayName co \"q\""; 200].join(" or ").replace(' ', "+").replace('"', "%22");
    for (change, last) in [
        (r#"{"op":"add","path":"members","value":[{"value":"m"}]}"#, "g005"),
        (r#"{"op":"replace","path":"displayName","value":"g000x"}"#, "g005"),
    ] {
        let text = format!("count=6&sortBy=displayName&filter=not+({terms})");
        let query = Query::from_url(&groups, &text, Compat::default(), &Limits::default()).unwrap();
        let (mut changed, tenant) = (false, tenant());
        let mut list = pin!(store.list(&tenant, &groups, &query));
        let page = loop {
            match list.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
                Poll::Ready(page) => break page.unwrap(),
                Poll::Pending if changed => {}
                Poll::Pending => {
                    patch(&store, &groups, &ids[3], change);
                    changed = true;
                }
            }
        };
        assert!(changed);
        for listed in page.resources() {
            let id = listed.id().unwrap();
            let now =
                now(store.get(&tenant, Key::new(&groups, id), &Projection::everything(&groups))).unwrap().unwrap();
            assert_eq!(listed.as_json(), now.as_json());
        }
        assert_eq!(page.resources().last().unwrap().text("displayName").as_deref(), Some(last));
    }
}
