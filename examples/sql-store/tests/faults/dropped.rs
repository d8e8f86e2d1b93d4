//! Requests that are given up, as servers do when a client hangs up: the future is dropped at each of its `await`s in turn.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use scim_sql_store::SqlStore;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use super::world::{Ask, Ids, World, requests};

/// How many times a request waits, at most.
const POLLS: usize = 200;

#[tokio::test]
async fn what_is_given_up_in_sqlite_is_whole_or_nothing() {
    let folder = std::env::temp_dir().join(format!("scim-sql-store-dropped-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    each_await_is_the_last(&format!("sqlite://{}?mode=rwc", folder.join("scim.sqlite").display())).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn what_is_given_up_in_postgres_is_whole_or_nothing() {
    if let Some(url) = scim_test_postgres::database().unwrap() {
        each_await_is_the_last(&url).await;
    }
}

/// A transaction that nobody ends would show an old state to whoever gets its connection next, and keep its locks.
#[tokio::test]
async fn what_is_given_up_in_postgres_leaves_no_transaction_open() {
    let Some(url) = scim_test_postgres::database().unwrap() else { return };
    let store = SqlStore::open(&url).await.unwrap();
    let world = World::of_sql("tenant", &store);
    let ids = world.fill().await;
    let members = Ask { method: "GET", path: "/Groups/{crew}", body: Value::Null };
    let mut server = PgConnection::connect(&url).await.unwrap();
    let mut given_up = 0;
    for ask in requests().into_iter().chain([members]) {
        for polls in 1..5 {
            given_up += usize::from(dropped_after(polls, world.call(&ids, &ask)).await.is_none());
            let mut open = open_transactions(&mut server).await;
            for _ in 0..50 {
                if open > 0 {
                    // what was given up is undone in the background
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    open = open_transactions(&mut server).await;
                }
            }
            assert_eq!(open, 0, "{} {}, dropped after {polls} polls", ask.method, ask.path);
        }
    }
    assert!(given_up > 20, "only {given_up} requests were given up");
    store.close().await;
}

/// How many of the others' transactions in this database are open and at rest.
async fn open_transactions(server: &mut PgConnection) -> i64 {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND state LIKE 'idle in transaction%'";
    sqlx::query_scalar(sql).fetch_one(server).await.unwrap()
}

async fn each_await_is_the_last(url: &str) {
    let store = SqlStore::open(url).await.unwrap();
    let mut tenants = 0;
    let mut world = async || {
        tenants += 1;
        let world = World::of_sql(&format!("tenant-{tenants}"), &store);
        let ids = world.fill().await;
        (world, ids)
    };
    let writes = || requests().into_iter().filter(|ask| ask.method != "GET" && !ask.path.ends_with(".search"));
    // on a busy machine answers are there before anybody waits for them
    let several = (0..30).flat_map(|_| writes());
    let (mut requests, mut undone) = (0, 0);
    for ask in several {
        if requests >= writes().count() && undone > writes().count() {
            break;
        }
        let what = format!("{} {}", ask.method, ask.path);
        let (whole, ids) = world().await;
        assert!(whole.send(&ids, &ask).await.status.is_success(), "{what}");
        let after = ids.take_out_of(&whole.everything().await);

        let mut polls = 1;
        loop {
            let (world, ids) = world().await;
            let before = ids.take_out_of(&world.everything().await);
            assert_ne!(before, after, "{what} does nothing");
            let done = dropped_after(polls, world.call(&ids, &ask)).await.is_some();
            let now = settled(&world, &ids, [&before, &after]).await;
            assert!(now == before || now == after, "{what}, dropped after {polls} polls, leaves {now:#}");
            undone += usize::from(now == before);
            // the store goes on working, for everybody and for this request
            let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "zoe"});
            let next = world.send(&ids, &Ask { method: "POST", path: "/Users", body: user }).await;
            assert_eq!(next.status, 201, "{what}, after {polls} polls: {}", next.body);
            let again = world.send(&ids, &ask).await;
            assert!(again.status.as_u16() < 500, "{what}, after {polls} polls: {}", again.body);
            if done {
                assert_eq!(now, after, "{what}: it was done");
                break;
            }
            polls += 1;
            assert!(polls < POLLS, "{what}: it waits more often than that");
        }
        requests += 1;
    }
    assert!(undone > writes().count(), "{requests} requests were given up in time {undone} times");
    store.close().await;
}

/// What is there. All is read in two requests, and what was given up may be committed between them: what is neither the one state nor
/// the other is read again, and what is half made stays so.
async fn settled(world: &World, ids: &Ids, whole: [&Value; 2]) -> Value {
    let mut now = Value::Null;
    for _ in 0..50 {
        now = ids.take_out_of(&world.everything().await);
        if whole.contains(&&now) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    now
}

/// Polls a future so many times and drops it. `None` when it was not done by then.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |cx| {
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
