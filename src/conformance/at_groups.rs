//! The store of groups in the place of that of users: users and groups may be two implementations, and each has to keep
//! what the contract asks of every store.

use std::future::{Future, pending};

use super::{Fixture, Stop, Tenant};
use crate::schema::ResourceTypeBuilder;

/// A fixture as seen by a case about any store, which takes the store of users: here it meets that of groups.
pub(super) struct AtGroups<'f, F: Fixture> {
    fixture: &'f F,
    groups: &'f F::Groups,
}

impl<'f, F: Fixture> AtGroups<'f, F> {
    /// The view, where there are groups.
    pub(super) fn of(fixture: &'f F) -> Result<Self, Stop> {
        let groups = fixture.groups().ok_or(Stop::NotApplicable("the fixture has no groups"))?;
        Ok(Self { fixture, groups })
    }
}

impl<F: Fixture> Fixture for AtGroups<'_, F> {
    type Context = F::Context;
    type Users = F::Groups;
    type Groups = F::Groups;

    /// A view is made of a fixture, and never by itself.
    fn new() -> impl Future<Output = Self> + Send {
        pending()
    }

    fn users(&self) -> &F::Groups {
        self.groups
    }

    fn tenant(&self, tenant: Tenant) -> F::Context {
        self.fixture.tenant(tenant)
    }

    fn has_tenants() -> bool {
        F::has_tenants()
    }

    fn user_type() -> ResourceTypeBuilder {
        F::group_type()
    }

    /// All that is known of a group.
    fn keeps(attribute: &str) -> bool {
        attribute == "displayName"
    }
}

/// Declares cases of the module once more, for the store of groups.
macro_rules! at_groups {
    ($($again:ident: $case:ident,)*) => { $(
        #[doc = concat!("The same of groups as [`", stringify!($case), "`] of users.")]
        pub async fn $again<F: crate::conformance::Fixture>(fixture: &F) -> crate::conformance::Verdict {
            $case(&crate::conformance::at_groups::AtGroups::of(fixture)?).await
        }
    )* };
}

pub(super) use at_groups;
