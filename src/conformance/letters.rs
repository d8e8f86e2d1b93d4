//! Names that a database, a language's lower case and Unicode's full folding compare otherwise than [`fold`](crate::fold) does.

use crate::fold;

/// Two spellings each. The names of different pairs are different.
const SPELLINGS: [(&str, &str); 16] = [
    ("änne", "ÄNNE"),
    // a sigma at the end of a word: one capital letter, two small ones
    ("οδυσσευς", "ΟΔΥΣΣΕΥΣ"),
    ("αχιλλευσ", "αχιλλευς"),
    // the sign of Kelvin, and the long s
    ("kelvin", "\u{212A}elvin"),
    ("sam", "\u{17F}am"),
    ("\u{B5}-ada", "\u{3BC}-ada"),
    ("groẞ", "groß"),
    ("пётр", "ПЁТР"),
    // one letter is not two
    ("straße", "STRASSE"),
    ("\u{FB01}ona", "fiona"),
    ("o\u{308}zil", "özil"),
    // Turkish: the dot makes a letter
    ("irmak", "ırmak"),
    ("Isparta", "ısparta"),
    ("istanbul", "İstanbul"),
    ("i\u{307}zmir", "İzmir"),
    // and letters of other alphabets that look the same
    ("ada", "\u{430}d\u{430}"),
];

/// Pairs that are one name.
pub(super) fn same() -> impl Iterator<Item = (&'static str, &'static str)> {
    SPELLINGS.into_iter().filter(|(one, other)| fold(one) == fold(other))
}

/// Pairs that are two names, however alike.
pub(super) fn different() -> impl Iterator<Item = (&'static str, &'static str)> {
    SPELLINGS.into_iter().filter(|(one, other)| fold(one) != fold(other))
}
