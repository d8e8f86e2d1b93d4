//! The ways in which the model can be wrong.

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Fault { $($(#[$doc])* $name,)* }

        pub(super) const ALL: &[Fault] = &[$(Fault::$name,)*];
    };
}

faults! {
    /// ids begin with `bulkId`
    IdIsBulkId,
    /// ids are numbers modulo 16
    IdsRunOut,
    /// the way that answers take knows neither members nor groups
    ShowsTheDocument,
    /// the way that answers take shows what it does not find
    ShowsNobody,
    /// a number is given again when nobody has it any more
    IdsAreReused,
    /// the version is the time of the change, in whole seconds
    VersionFromSeconds,
    /// the id is made from the name
    IdFromName,
    /// `active` is not kept
    LosesActive,
    /// names are kept in lower case
    LowersNames,
    /// blanks at the ends are cut off
    Trims,
    /// characters of four bytes are dropped
    ThreeByteCharacters,
    /// texts are cut at 255 characters
    Cuts,
    /// `externalId` is kept in lower case
    LowersExternalIds,
    /// only the first e-mail address is kept
    OneEmail,
    /// `name.givenName` is not kept
    LosesGivenNames,
    /// extensions are not kept
    LosesExtensions,
    /// a password lands in an attribute
    ShowsPasswords,
    /// the version is a hash of the content
    VersionFromContent,
    /// a user shows groups that are deleted
    DeletedGroupsStay,
    /// a user shows all groups there are
    EveryGroup,
    /// names are unique by their letters, case included
    UniqueByLetter,
    /// names are unique by their lower case
    UniqueInLowerCase,
    /// names are unique by the lower case of ASCII
    UniqueInAscii,
    /// names are unique by a folding in which one letter may be two
    UniqueInFull,
    /// the name of a deleted user stays taken
    DeletedNamesStay,
    /// a user clashes with itself
    OwnNameClashes,
    /// `externalId` is unique
    ExternalIdsUnique,
    /// a new name has to be free in all tenants
    NamesAcrossTenants,
    /// a changed name has to be free in all tenants
    RenamesAcrossTenants,
    /// a conflict names the constraint of the database
    ConflictNamesConstraint,
    /// members show names from other tenants
    MembersOfAnyTenant,
    /// a name that was given up stays taken
    FormerNamesStay,
    /// `meta.lastModified` stands still
    TimeStands,
    /// `meta.created` moves with each change
    CreationMoves,
    /// after a failure, the next call fails
    StuckAfterFailure,
    /// an unknown id is an error
    UnknownIsError,
    /// an id of another form is an error
    OddIdIsError,
    /// `get` does not ask for the tenant
    ReadsAcross,
    /// what one tenant has read, all can read
    CachesAcrossTenants,
    /// what was read once stays as it was
    CachesForever,
    /// ids are compared without regard to case and blanks
    IdsIgnoreCase,
    /// `get` does not ask for the type
    AnyType,
    /// `get` finds what is deleted
    DeletedAreRead,
    /// times lose their fraction
    WholeSeconds,
    /// id and `meta` are there on request only
    IdentityOnRequest,
    /// an attribute that is asked for alone is missing
    ForgetsWhatIsWanted,
    /// members are loaded only when all of them is asked for
    MembersOnlyWhenWhole,
    /// a list without a filter does not ask for the tenant
    ListsAcross,
    /// the index of names does not ask for the tenant
    FindsAcross,
    /// an empty list is an error
    EmptyIsError,
    /// lists hold what is deleted
    DeletedAreListed,
    /// filters find what is deleted
    DeletedAreFound,
    /// lists hold every type
    ListsEveryType,
    /// a creation looks first and has no constraint
    LooksFirst,
    /// a creation reserves the name, and inserts later
    ReservesFirst,
    /// names are not unique
    NothingIsUnique,
    /// a creation that is refused leaves a row
    InsertsBeforeTheCheck,
    /// a group is created without its members
    CreatesWithoutMembers,
    /// the answer to a creation lacks an attribute
    AnswersWithLess,
    /// a new resource was modified after its creation
    ModifiedAfterCreation,
    /// `replace` does not ask for the tenant
    ReplacesAcross,
    /// `replace` checks the version, and writes later
    ChecksThenWrites,
    /// `replace` looks whether a name is free, and writes later
    RenamesWithoutConstraint,
    /// `replace` writes what was deleted meanwhile
    ComesBack,
    /// `replace` writes the content, and the version later
    WritesInTwoSteps,
    /// `replace` brings back what is deleted
    Resurrects,
    /// `replace` creates what is not there
    Upserts,
    /// `replace` ignores the precondition
    ReplacesWhateverVersion,
    /// `replace` looks at the first version of a precondition
    LooksAtOneVersion,
    /// a refused replacement takes its name all the same
    TakesNamesOnRefusal,
    /// `replace` does not ask whether a name is taken
    ReplacesIntoTaken,
    /// `replace` keeps what is not sent
    Merges,
    /// `replace` leaves the members
    ReplacesWithoutMembers,
    /// `replace` of a user ends its memberships
    ReplacingEndsMemberships,
    /// `replace` answers with the old content
    ReplaceAnswersWithOld,
    /// `delete` does not ask for the tenant
    DeletesAcross,
    /// `delete` ends memberships, and deletes later
    LeavesGroupsFirst,
    /// `delete` looks at the first version of a precondition
    DeletesAtOneVersion,
    /// a second deletion succeeds
    DeletesTwice,
    /// `delete` refuses every precondition
    RefusesToDeleteVersions,
    /// `delete` ignores the precondition
    DeletesWhateverVersion,
    /// a deleted user stays a member
    MembersStay,
    /// a deletion ends memberships in all tenants
    DeletesMembershipsEverywhere,
    /// `patch` does not ask for the tenant
    PatchesAcross,
    /// `patch` brings back what is deleted
    PatchesDeleted,
    /// `patch` of what is not there succeeds
    PatchesNothing,
    /// PATCHes of a user at once undo each other
    LosesPatches,
    /// PATCHes of a group at once undo each other
    LosesMembers,
    /// `patch` ignores the precondition
    PatchesWhateverVersion,
    /// `patch` looks at the first version of a precondition
    PatchesAtOneVersion,
    /// a new name at the same time as new members undoes them
    RenamesUndoAdditions,
    /// a PATCH that fails is half carried out
    HalfAPatch,
    /// `patch` does not ask whether a name is taken
    PatchesIntoTaken,
    /// a PATCH without effect gives a new version
    CountsEveryPatch,
    /// a PATCH of a user keeps the version
    PatchKeepsVersion,
    /// a PATCH of a group keeps the version
    MembersKeepVersion,
    /// `patch` answers with the resource as it was
    PatchAnswersWithOld,
    /// lists end after ten
    TenRows,
    /// lists end after a hundred
    HundredRows,
    /// candidates end after a hundred
    HundredCandidates,
    /// candidates are found by their letters, case included
    CandidatesByLetters,
    /// candidates are said to be all matches
    MatchesAreCandidates,
    /// candidates are said to be the page
    PagesAreCandidates,
    /// every second list is turned round
    TurnsPages,
    /// a large offset is an error
    SmallNumbers,
    /// the page is cut before the filter
    CutsBeforeTheFilter,
    /// listed resources lack an attribute
    ListsWithoutActive,
    /// without members, a group has no name
    NamesComeWithMembers,
    /// the page is cut before the order
    CutsBeforeTheOrder,
    /// the total counts the page
    CountsThePage,
    /// the total counts whoever does not match, too
    CountsWithoutTheFilter,
    /// the total counts all tenants
    CountsEverybody,
    /// every page but the first starts one later
    StartsOneLater,
    /// after the last page comes its last resource again
    LastPageForever,
    /// a limit of 0 is none
    ZeroIsNoLimit,
    /// a page has one too many
    OneTooMany,
    /// a filter that matches nobody is left out
    NobodyIsEverybody,
    /// names are found by their letters, case included
    SearchesLetters,
    /// names are found by their lower case
    SearchesLowerCase,
    /// names are found by the lower case of ASCII
    SearchesAscii,
    /// names are found by a folding in which one letter may be two
    SearchesInFull,
    /// what is asked of a part of a name is left out
    NoColumnForNames,
    /// nobody is found by an extension
    ExtensionsNotJoined,
    /// `externalId` is found in any letter case
    FoldsExternalIds,
    /// nobody is found by id
    NoColumnForIds,
    /// `co` looks at the start only
    ContainsIsStartsWith,
    /// `%` is a wildcard
    Wildcards,
    /// an apostrophe is an error
    QuotesAreErrors,
    /// of `and`, one term is carried out
    OneTermOfAnd,
    /// of `or`, one match is found
    OneTermOfOr,
    /// `not` leaves out whoever has no value
    ThreeValuedNot,
    /// `ne` leaves out whoever has no value
    ThreeValuedInequality,
    /// `pr` finds everybody
    EverybodyIsPresent,
    /// booleans find nobody
    BooleansAreTexts,
    /// `ge` and `le` leave out the equal
    OrEqualIsForgotten,
    /// times find nobody
    TimesAreTexts,
    /// only the first value is looked at
    FirstValueOnly,
    /// the terms in brackets may hold for different values
    TermsOfAnyValue,
    /// nobody is found by members
    MembersNotJoined,
    /// `sortBy` is ignored
    IgnoresTheOrder,
    /// `sortOrder` is ignored
    AlwaysAscending,
    /// letter case counts in the order
    OrdersBytes,
    /// texts are ordered by their lower case
    OrdersLowerCase,
    /// texts are ordered by the lower case of ASCII
    OrdersAscii,
    /// texts are ordered by a folding in which one letter may be two
    OrdersInFull,
    /// parts of names do not order
    NoColumnForParts,
    /// times do not order
    TimesStandStill,
    /// whoever has no value comes first
    MissingFirst,
    /// every page by cursor is the first
    CursorsStartOver,
    /// a position counts rows
    CursorsCountRows,
    /// a position looks its row up
    CursorsNeedTheirRow,
    /// a position has no id: those of equal values are skipped
    CursorsSkipEquals,
    /// behind a value is nobody who has none
    CursorsLoseMissing,
    /// behind a cursor the filter is forgotten
    CursorsForgetTheFilter,
    /// behind a cursor the order is forgotten
    CursorsForgetTheOrder,
    /// a page by cursor has no more than the limit
    CursorsEndEarly,
    /// a page by cursor is that by index
    CursorsAreIndexes,
    /// a position with an apostrophe is an error
    CursorsQuote,
    /// pages by cursor do not ask for the tenant
    CursorsAcross,
    /// a page before a position is that before the end
    BackFromTheEnd,
    /// a page before a position is the first
    BackToTheBeginning,
    /// the resource that a position is behind does not lie before it
    BackSkipsItsRow,
    /// on the way back a position looks its row up
    BackNeedsItsRow,
    /// on the way back those of equal values are skipped
    BackSkipsEquals,
    /// on the way back nobody is met who has no value
    BackLosesMissing,
    /// on the way back the filter is forgotten
    BackForgetsTheFilter,
    /// a page before a position has no more than the limit
    BackEndsEarly,
    /// a page by cursor that would hold too much ends behind its second resource, and does not say that others follow
    StopsWithoutAWord,
    /// a page before a position ends behind its first resource, with which it begins the next time too
    BackStopsAtOnce,
    /// the total is that of the page which ended early
    CountsWhatItHolds,
    /// where one resource is too much the page has none
    HoldsNobody,
    /// a PATCH changes members, and the name later
    MembersBeforeName,
    /// a PATCH removes what it does not name
    PatchesAsAWhole,
    /// `remove` of an attribute is ignored
    NothingIsTakenAway,
    /// a new name empties the group
    NewNameEmptiesTheGroup,
    /// a filter on members is ignored
    NoMemberFilters,
    /// a member is added twice
    MembersTwice,
    /// a new member ends the other memberships
    NewMembersAlone,
    /// the removal of a member empties the group
    RemovesTooMany,
    /// the removal of listed members empties the group
    EmptiesTheGroup,
    /// the removal of no member is an error
    OnlyMembersCanGo,
    /// `replace` of members adds them
    ReplacingAdds,
    /// `remove` of all members is ignored
    NoValueIsNothing,
    /// removals are carried out after additions
    RemovesAfterAdding,
    /// a PATCH of name and members changes the members only
    NameOrMembers,
    /// members end after a hundred
    HundredMembers,
    /// creation is said to be impossible, and is not
    CreatesAllTheSame,
    /// deletion is said to be impossible, and is not
    DeletesAllTheSame,
    /// none: what a method asks for that cannot be wrong
    Nothing,
}
