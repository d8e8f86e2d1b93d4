//! Leniency towards identity providers: each form that a provider is known to send and the RFCs do not allow has a name.

use std::fmt;

/// Which departures from the RFCs are accepted. The default accepts every documented one; [`Compat::strict`] none.
///
/// Leniency is a value and not a cargo feature, so that no other crate can switch it on behind a host's back. Each repair
/// that was made is reported to the [`Observer`](crate::Observer).
///
/// ```
/// # use scim_provider::{Compat, Leniency};
/// let compat = Compat::default().without(Leniency::UnqualifiedExtension);
/// assert!(compat.accepts(Leniency::BooleanText));
/// assert!(!compat.accepts(Leniency::UnqualifiedExtension));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Compat(u64);

impl Compat {
    /// The RFCs to the letter.
    pub const fn strict() -> Self {
        Self(0)
    }

    /// Accepts one more form.
    #[must_use]
    pub const fn with(self, leniency: Leniency) -> Self {
        Self(self.0 | leniency.bit())
    }

    /// Accepts one form less.
    #[must_use]
    pub const fn without(self, leniency: Leniency) -> Self {
        Self(self.0 & !leniency.bit())
    }

    /// Whether the form is accepted.
    pub const fn accepts(self, leniency: Leniency) -> bool {
        self.0 & leniency.bit() != 0
    }
}

impl Default for Compat {
    fn default() -> Self {
        Leniency::ALL.iter().fold(Self::strict(), |compat, l| compat.with(*l))
    }
}

impl fmt::Debug for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Leniency::ALL.iter().filter(|l| self.accepts(**l))).finish()
    }
}

/// A request was not what the RFCs ask for, and was understood all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The form that was accepted.
    pub leniency: Leniency,
    /// The attribute, path or message member that it concerned.
    pub at: String,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`", self.leniency, self.at)
    }
}

/// The repairs of one request, and what of it was left out. Only the first 64 of each are kept: they answer "what does this
/// client send?", and cost nothing more.
#[derive(Clone, Debug, Default)]
pub struct Repairs {
    made: Vec<Repair>,
    ignored: Vec<String>,
}

impl Repairs {
    const KEPT: usize = 64;

    /// Whether a form is accepted; if so, it is noted, with its place.
    pub(crate) fn accept<S: Into<String>>(
        &mut self,
        compat: Compat,
        leniency: Leniency,
        at: impl FnOnce() -> S,
    ) -> bool {
        let accepted = compat.accepts(leniency);
        if accepted {
            self.note(leniency, at());
        }
        accepted
    }

    /// Notes a repair, once for each place.
    pub(crate) fn note(&mut self, leniency: Leniency, at: impl Into<String>) {
        let repair = Repair { leniency, at: at.into() };
        if self.made.len() < Self::KEPT && !self.made.contains(&repair) {
            self.made.push(repair);
        }
    }

    /// Notes that something was left out, once for each place.
    pub(crate) fn leave_out(&mut self, at: impl FnOnce() -> String) {
        if self.ignored.len() < Self::KEPT {
            let at = at();
            if !self.ignored.contains(&at) {
                self.ignored.push(at);
            }
        }
    }

    /// The repairs in the order in which they were made.
    pub fn as_slice(&self) -> &[Repair] {
        &self.made
    }

    /// What was left out, by path and never by value: attributes that no schema defines, operations on such, values of a list
    /// that refer to nothing (`members[1]`, counted from 0). What only the service provider may set is not among it.
    ///
    /// ```
    /// # use scim_provider::{Compat, Limits, Patch, User};
    /// let users = User::resource_type().build()?;
    /// let patch = br#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    ///     "Operations": [{"op": "replace", "value": {"title": "Dr", "companyName": "Ory"}}]}"#;
    /// let changes = Patch::parse(patch, &Limits::default())?.bind(&users, Compat::default(), &Limits::default())?;
    /// assert_eq!(changes.repairs().ignored(), ["companyName"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Takes over the repairs of a part of the request.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.made.append(&mut other.made);
        self.made.truncate(Self::KEPT);
        self.ignored.append(&mut other.ignored);
        self.ignored.truncate(Self::KEPT);
    }
}

macro_rules! leniencies {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One form that an identity provider sends and the RFCs do not allow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Leniency { $($(#[$doc])* $variant,)* }

        impl Leniency {
            /// Every form that has a name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that logs and documentation use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

leniencies! {
    /// `Add`, `Replace`, `Remove` and every other letter case of `op` (Entra ID).
    OpCase = "op-case",
    /// `"True"`, `"false"`: text where a boolean is expected, in bodies, PATCH values and filters (Entra ID, Keycloak).
    BooleanText = "boolean-text",
    /// `Replace` through a value path that matches nothing creates the element, as Entra ID expects. It applies to requests
    /// of Entra ID only (the capitalised op of its default dialect, or the header `ADSCIMVersion`): for all others RFC 7644
    /// §3.5.2.3 holds, `noTarget`.
    ReplaceCreates = "replace-creates",
    /// `remove` with a path to references and a `value` removes the named ones only (Entra ID, JumpCloud, authentik).
    RemoveListed = "remove-listed",
    /// `remove` whose `value` is an object with the reference attribute in it, with or without a path (Salesforce style).
    RemoveWrapped = "remove-wrapped",
    /// Keys such as `name.familyName` or `urn:…:User:department`, in the value of an operation without a path (Entra ID) and in
    /// a resource.
    PathKeys = "path-keys",
    /// A plain string where a reference object is expected: `"manager": "26"` (Entra ID), `members` as one id.
    PlainReference = "plain-reference",
    /// An array of one where a single value is expected: `manager` as `[{"value": "26"}]` (Entra ID), `active` as `[false]`, one
    /// value at a value path.
    ArrayOfOne = "array-of-one",
    /// One object or value where an array is expected: `emails` as an object (OneLogin), `schemas` as a text.
    SingleValue = "single-value",
    /// A text in place of an object in a list whose values have a `value`, kept as that: `emails` as `["ada@example.com"]`
    /// (WSO2), `roles` as a JSON document in a text (Entra ID's `AppRoleAssignmentsComplex`).
    PlainValue = "plain-value",
    /// `""` or `{"value": ""}` unassigns a single reference such as `manager` (Entra ID's validator).
    EmptyReference = "empty-reference",
    /// An extension's attribute without its URN, in paths, keys and filters, as long as only one schema has it: `manager` (Entra ID).
    UnqualifiedExtension = "unqualified-extension",
    /// A comparison with a single complex attribute means its `value`: `manager eq "26"` (Entra ID).
    ComplexComparison = "complex-comparison",
    /// `emails[type eq "work"].value eq "x"` in a filter (Entra ID).
    ValuePathComparison = "value-path-comparison",
    /// A dot between an extension's URN and its attribute: `urn:…:enterprise:2.0:User.manager` (Entra ID's old jobs).
    DottedExtension = "dotted-extension",
    /// URIs in `schemas` that the resource type does not know, next to its own (Entra ID, JumpCloud).
    UnknownSchema = "unknown-schema",
    /// The URNs from before the standard: `urn:scim:schemas:core:1.0`, `urn:scim:schemas:extension:enterprise:1.0` with its
    /// `manager.managerId` (OneLogin, Okta).
    LegacySchema = "legacy-schema",
    /// `display` of a reference is kept as the client sent it while the store cannot compute it (Okta).
    ReferenceDisplay = "reference-display",
    /// A body without `Content-Type` is read as JSON.
    MissingContentType = "missing-content-type",
    /// `schemas` that is missing, empty or spells the URI in another way: what the endpoint asks for is taken (authentik,
    /// scimgateway, WSO2).
    MissingSchemas = "missing-schemas",
    /// A URI that `schemas` names twice (Databricks).
    RepeatedSchema = "repeated-schema",
    /// Several values of a list that are primary: the first one stays it (PingOne, Gluu).
    SeveralPrimaries = "several-primaries",
    /// `{"value": x}` where `x` alone is expected: `active` as `[{"value": "False"}]` (Entra ID).
    WrappedValue = "wrapped-value",
    /// A number where a text is expected: `externalId` as `157663` (WSO2).
    NumberText = "number-text",
    /// `{"members": [...]}` as the value of an `add` or `replace` at the path `members` (Salesforce style).
    WrappedList = "wrapped-list",
    /// Values of `members` that refer to nothing, in a list with others that do: those are taken. A list of nothing else is
    /// refused in any case.
    UnusableReference = "unusable-reference",
    /// An operation whose path leads to an attribute that no schema defines is left out, as long as another one is left
    /// (Entra ID, Ory Polis, WSO2). Where unknown attributes are kept or refused
    /// ([`UnknownAttributes`](crate::UnknownAttributes)) it is so here, too.
    UnknownPath = "unknown-path",
    /// A PATCH without any operation changes nothing (Microsoft's validator).
    EmptyOperations = "empty-operations",
    /// `remove` of a list with `""` for a value takes all of it, as without a value (SAP).
    BlankRemove = "blank-remove",
    /// A word without quotes in a filter is a text: `displayName eq Sales` (authentik, WSO2).
    BareWord = "bare-word",
    /// A byte order mark in front of a body.
    ByteOrderMark = "byte-order-mark",
    /// `failOnErrors: 0` in a bulk request is none.
    ZeroFailOnErrors = "zero-fail-on-errors",
}

impl Leniency {
    const fn bit(self) -> u64 {
        1 << self as u32
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_accepts_nothing_and_names_are_distinct() {
        assert!(Leniency::ALL.iter().all(|l| !Compat::strict().accepts(*l)));
        let names: std::collections::BTreeSet<_> = Leniency::ALL.iter().map(|l| l.name()).collect();
        assert_eq!(names.len(), Leniency::ALL.len());
    }

    #[test]
    fn one_form_is_switched_without_the_others() {
        for leniency in Leniency::ALL {
            let compat = Compat::strict().with(*leniency);
            assert_eq!(Leniency::ALL.iter().filter(|l| compat.accepts(**l)).count(), 1);
            assert_eq!(compat.without(*leniency), Compat::strict());
        }
    }
}
