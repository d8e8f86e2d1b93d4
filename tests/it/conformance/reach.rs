//! Which faults a case can meet at all. A store behaves as a right one until the fault is reached, so that a case which never
//! makes the call that the fault is in need not be run with it.

use super::faults::Fault;

/// What a case asked of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Any,
    List,
    Filter,
    Sort,
    Cursor,
    Replace,
    Delete,
    Patch,
}

impl Fault {
    /// The call without which the fault is not reached.
    pub(super) fn call(self) -> Call {
        use Fault::*;
        match self {
            TenRows
            | HundredRows
            | HundredCandidates
            | MatchesAreCandidates
            | PagesAreCandidates
            | TurnsPages
            | SmallNumbers
            | CutsBeforeTheFilter
            | ListsWithoutActive
            | NamesComeWithMembers
            | CountsThePage
            | CountsWithoutTheFilter
            | CountsEverybody
            | StartsOneLater
            | LastPageForever
            | ZeroIsNoLimit
            | OneTooMany
            | ListsAcross
            | EmptyIsError
            | DeletedAreListed
            | ListsEveryType => Call::List,
            NobodyIsEverybody
            | SearchesLetters
            | SearchesLowerCase
            | SearchesAscii
            | SearchesInFull
            | NoColumnForNames
            | ExtensionsNotJoined
            | FoldsExternalIds
            | NoColumnForIds
            | ContainsIsStartsWith
            | Wildcards
            | QuotesAreErrors
            | OneTermOfAnd
            | OneTermOfOr
            | ThreeValuedNot
            | ThreeValuedInequality
            | EverybodyIsPresent
            | BooleansAreTexts
            | OrEqualIsForgotten
            | TimesAreTexts
            | FirstValueOnly
            | TermsOfAnyValue
            | MembersNotJoined
            | FindsAcross
            | DeletedAreFound
            | CandidatesByLetters => Call::Filter,
            IgnoresTheOrder | AlwaysAscending | OrdersBytes | OrdersLowerCase | OrdersAscii | OrdersInFull
            | NoColumnForParts | TimesStandStill | MissingFirst | CutsBeforeTheOrder => Call::Sort,
            CursorsStartOver
            | CursorsCountRows
            | CursorsNeedTheirRow
            | CursorsSkipEquals
            | CursorsLoseMissing
            | CursorsForgetTheFilter
            | CursorsForgetTheOrder
            | CursorsEndEarly
            | CursorsAreIndexes
            | CursorsQuote
            | CursorsAcross => Call::Cursor,
            ReplacesAcross
            | ChecksThenWrites
            | RenamesWithoutConstraint
            | ComesBack
            | WritesInTwoSteps
            | Resurrects
            | Upserts
            | ReplacesWhateverVersion
            | LooksAtOneVersion
            | TakesNamesOnRefusal
            | ReplacesIntoTaken
            | Merges
            | ReplacesWithoutMembers
            | ReplacingEndsMemberships
            | ReplaceAnswersWithOld => Call::Replace,
            DeletesAcross
            | LeavesGroupsFirst
            | DeletesAtOneVersion
            | DeletesTwice
            | RefusesToDeleteVersions
            | DeletesWhateverVersion
            | MembersStay
            | DeletesMembershipsEverywhere => Call::Delete,
            PatchesAcross
            | PatchesDeleted
            | PatchesNothing
            | LosesPatches
            | LosesMembers
            | PatchesWhateverVersion
            | PatchesAtOneVersion
            | RenamesUndoAdditions
            | HalfAPatch
            | PatchesIntoTaken
            | CountsEveryPatch
            | PatchKeepsVersion
            | MembersKeepVersion
            | PatchAnswersWithOld
            | MembersBeforeName
            | PatchesAsAWhole
            | NothingIsTakenAway
            | NewNameEmptiesTheGroup
            | NoMemberFilters
            | MembersTwice
            | NewMembersAlone
            | RemovesTooMany
            | EmptiesTheGroup
            | OnlyMembersCanGo
            | ReplacingAdds
            | NoValueIsNothing
            | RemovesAfterAdding
            | NameOrMembers
            | HundredMembers => Call::Patch,
            _ => Call::Any,
        }
    }
}
