//! The conformance kit on the product's tables, and what they cannot do.

#![allow(clippy::expect_used, reason = "these are tests: they stop at what is wrong")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use existing_users_example::{deprovisioning, groups, open, provisioning};
use scim_provider::TenantId;
use scim_provider::conformance::{Fixture, Stop, Tenant, store_cases};
use scim_provider::schema::ResourceTypeBuilder;

/// The second step, with nobody in the tables, which lie in a file, as those of the product do.
struct Product {
    file: PathBuf,
    users: provisioning::Users,
    groups: groups::Groups,
}

impl Fixture for Product {
    type Context = TenantId;
    type Users = provisioning::Users;
    type Groups = groups::Groups;

    async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("existing-users-{}-{number}.sqlite", std::process::id()));
        let pool = open(&format!("sqlite://{}?mode=rwc", file.display())).await.expect("a database in a file");
        let setup = format!("{} DELETE FROM users;", include_str!("../src/groups.sql"));
        sqlx::raw_sql(sqlx::AssertSqlSafe(setup)).execute(&pool).await.expect("the tables of groups");
        Self { file, users: provisioning::Users::new(pool.clone()), groups: groups::Groups::new(pool) }
    }

    fn users(&self) -> &provisioning::Users {
        &self.users
    }

    fn groups(&self) -> Option<&groups::Groups> {
        Some(&self.groups)
    }

    fn tenant(&self, tenant: Tenant) -> TenantId {
        TenantId::new(tenant.to_string()).expect("a name")
    }

    /// There is one customer.
    fn has_tenants() -> bool {
        false
    }

    fn keeps(_: &str) -> bool {
        false
    }

    fn user_type() -> ResourceTypeBuilder {
        deprovisioning::user_type()
    }

    fn group_type() -> ResourceTypeBuilder {
        groups::group_type()
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).expect("the file of the test");
    }
}

/// What the product's own table of users, as it is, does not allow.
const GIVEN_UP: &[&str] = &[
    // addresses are in lower case
    "create::letter_case_is_kept",
    "sort::order_ignores_letter_case",
    "sort::order_is_that_of_folded_texts",
    "unique::the_own_name_is_no_conflict",
    // nobody notes when a row is written
    "create::meta_is_complete",
    "replace::the_time_follows_the_changes",
    // versions are made of the content: with an earlier one, the earlier version is back
    "replace::a_version_never_comes_back",
];

#[tokio::test]
async fn the_product_passes_what_its_tables_allow() {
    let (mut failed, mut passed, mut told) = (BTreeSet::new(), 0, String::new());
    for case in store_cases::<Product>() {
        match case.run(&Product::new().await).await {
            Ok(()) => passed += 1,
            Err(Stop::Failed(failure)) => {
                failed.insert(case.name());
                told.push_str(&format!("{}: {failure}\n", case.name()));
            }
            Err(_) => {} // it asks for what the product does not have
        }
    }
    assert_eq!(failed, GIVEN_UP.iter().copied().collect(), "{told}");
    assert_eq!(passed, 179, "the README tells how many");
}
