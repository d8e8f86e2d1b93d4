//! Races for tests, in PostgreSQL: one transaction is held open where another wants to pass.

use std::time::Duration;

use scim_provider::{Group, Key, Precondition, Projection, Resource, ResourceType, Store, StoreError, TenantId, User};
use tokio::task::JoinHandle;

use crate::members::{add, leave, mark_groups};
use crate::select::Table;
use crate::session::Session;
use crate::{Caller, SqlStore};

struct World {
    store: SqlStore,
    caller: Caller,
    users: ResourceType,
    groups: ResourceType,
    ada: String,
    crew: String,
}

impl World {
    /// A user and a group without members; `None` where there is no PostgreSQL.
    async fn new() -> Option<Self> {
        let store = SqlStore::open(&scim_test_postgres::database().unwrap()?).await.unwrap();
        let caller = Caller::authenticated(TenantId::new("acme").unwrap(), "test", "1");
        let (users, groups) = (User::resource_type().build().unwrap(), Group::resource_type().build().unwrap());
        let ada = Resource::empty(&users).with("userName", "ada").unwrap();
        let ada = store.users().create(&caller, &users, ada).await.unwrap().id().unwrap().to_owned();
        let crew = Resource::empty(&groups).with("displayName", "Crew").unwrap();
        let crew = store.groups().create(&caller, &groups, crew).await.unwrap().id().unwrap().to_owned();
        Some(Self { store, caller, users, groups, ada, crew })
    }

    /// A transaction that has added the user to the group, and goes on.
    async fn adding(&self) -> Session {
        let mut transaction = self.store.database.write("acme").await.unwrap();
        Table::Groups.for_change(&mut transaction, "acme", &self.crew).await.unwrap().unwrap();
        let members = format!(r#"[{{"value":"{}"}}]"#, self.ada);
        assert_eq!(add(&mut transaction, "acme", &self.crew, &members).await.unwrap(), 1);
        transaction
    }

    fn deletion(&self) -> JoinHandle<Result<(), StoreError>> {
        let (store, caller, users, ada) =
            (self.store.clone(), self.caller.clone(), self.users.clone(), self.ada.clone());
        tokio::spawn(async move { store.users().delete(&caller, Key::new(&users, &ada), Precondition::NONE).await })
    }

    async fn group(&self) -> Resource {
        let (groups, everything) = (self.store.groups(), Projection::everything(&self.groups));
        groups.get(&self.caller, Key::new(&self.groups, &self.crew), &everything).await.unwrap().unwrap()
    }

    /// Waits until somebody waits for a lock, or nobody is left who could.
    async fn until_waiting<T>(&self, task: &JoinHandle<T>) {
        let sql = "SELECT COUNT(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut session = self.store.database.read("acme").await.unwrap();
        while !task.is_finished() && session.row(sql, &[]).await.unwrap().unwrap().integer(0).unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn who_is_deleted_while_being_added_is_no_member_in_the_end() {
    let Some(world) = World::new().await else { return };
    let adding = world.adding().await;
    let deletion = world.deletion();
    world.until_waiting(&deletion).await;
    adding.commit().await.unwrap();
    deletion.await.unwrap().unwrap();
    assert_eq!(world.group().await.references("members").count(), 0);
}

#[tokio::test]
async fn who_is_added_while_being_deleted_is_somebody_unknown() {
    let Some(world) = World::new().await else { return };
    let mut deleting = world.store.database.write("acme").await.unwrap();
    assert_eq!(mark_groups(&mut deleting, "acme", &world.ada, 0).await.unwrap(), [""; 0]);
    Table::Users.for_deletion(&mut deleting, "acme", &world.ada, Precondition::NONE).await.unwrap();
    let sql = "DELETE FROM users WHERE tenant = $1 AND id = $2";
    assert_eq!(deleting.execute(sql, &["acme".into(), (&world.ada).into()]).await.unwrap(), 1);

    let (store, crew, members) = (world.store.clone(), world.crew.clone(), format!(r#"[{{"value":"{}"}}]"#, world.ada));
    let addition = tokio::spawn(async move {
        let mut transaction = store.database.write("acme").await.unwrap();
        add(&mut transaction, "acme", &crew, &members).await.unwrap();
        transaction.commit().await.unwrap();
    });
    world.until_waiting(&addition).await;
    deleting.commit().await.unwrap();
    addition.await.unwrap();
    let members: Vec<_> = world.group().await.references("members").collect();
    assert_eq!(members.iter().map(|member| member.kind()).collect::<Vec<_>>(), [None]);
}

#[tokio::test]
async fn who_is_being_changed_is_added_at_once() {
    let Some(world) = World::new().await else { return };
    let mut changing = world.store.database.write("acme").await.unwrap();
    Table::Users.for_change(&mut changing, "acme", &world.ada).await.unwrap().unwrap();
    let sql = "SET LOCAL lock_timeout = '1ms'";
    let mut adding = world.store.database.write("acme").await.unwrap();
    adding.execute(sql, &[]).await.unwrap();
    let members = format!(r#"[{{"value":"{}"}}]"#, world.ada);
    assert_eq!(add(&mut adding, "acme", &world.crew, &members).await.unwrap(), 1);
    adding.commit().await.unwrap();
    changing.commit().await.unwrap();
}

#[tokio::test]
async fn a_group_that_lost_a_member_late_does_not_go_back_in_time() {
    let Some(world) = World::new().await else { return };
    world.adding().await.commit().await.unwrap();
    let before = world.group().await;
    let mut leaving = world.store.database.write("acme").await.unwrap();
    let groups = mark_groups(&mut leaving, "acme", &world.ada, 1).await.unwrap();
    leave(&mut leaving, "acme", &world.ada, &groups).await.unwrap();
    leaving.commit().await.unwrap();
    let after = world.group().await;
    assert_ne!(after.version(), before.version());
    assert_eq!(after.last_modified(), before.last_modified());
}
