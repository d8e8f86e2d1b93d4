//! What a predicate costs, how much of it there is room for, and with which of its tables a database may begin.

use super::expr::{Cmp, Expr, Subquery};
use super::map::{Mapped, Source};

/// How many subqueries a filter becomes at the most, unless the map [says otherwise](super::ColumnMapBuilder::subqueries).
pub const SUBQUERIES: usize = 32;

/// With how many child tables the database may begin. Each is looked through once, and SQLite keeps what it finds.
const LEADING: usize = 4;

/// The terms of the filter that have to go, so that no more subqueries are left than `most`.
///
/// Where NOT stands in front of subqueries only, leaving one out of an `and` lets more rows through. Of an `or` nothing can be
/// left out: it goes as a whole.
pub(super) fn beyond(expr: &Expr, most: usize) -> Vec<usize> {
    let mut terms = Vec::new();
    if expr.subqueries() > most {
        kept(expr, most, &mut terms);
    }
    terms
}

/// How many subqueries are kept; `None` when nothing is left of the predicate.
fn kept(expr: &Expr, most: usize, beyond: &mut Vec<usize>) -> Option<usize> {
    if let Some((found, _)) = expr.subquery() {
        if most == 0 {
            beyond.extend(&found.terms);
            return None;
        }
        return Some(1);
    }
    match expr {
        Expr::All(parts) => {
            let mut parts: Vec<&Expr> = parts.iter().collect();
            // an index is worth most, and what asks for little takes little room
            parts.sort_by_key(|part| (std::cmp::Reverse(part.sought()), part.subqueries()));
            let (mut left, mut any) = (most, false);
            for part in parts {
                if let Some(used) = kept(part, left, beyond) {
                    left = left.saturating_sub(used);
                    any = true;
                }
            }
            any.then_some(most.saturating_sub(left))
        }
        Expr::Any(parts) => {
            let mut left = most;
            let mut others = parts.iter().filter(|part| part.looks_up()).count();
            for part in parts {
                // each of the others needs one at least
                others = others.saturating_sub(usize::from(part.looks_up()));
                left = left.saturating_sub(kept(part, left.saturating_sub(others), beyond)?);
            }
            Some(most.saturating_sub(left))
        }
        _ => Some(0),
    }
}

/// Says with which tables the database may begin: in a conjunction with one, that of which an index finds the fewest rows.
pub(super) fn led(mut expr: Expr) -> Expr {
    lead(&mut expr, &mut 0);
    expr
}

fn lead(expr: &mut Expr, leading: &mut usize) {
    match expr {
        Expr::Exists(found) if *leading < LEADING => {
            found.leads = true;
            *leading = leading.saturating_add(1);
        }
        Expr::Not(inner) => lead(inner, leading),
        Expr::All(parts) => {
            // the first of the best
            let best = parts.iter_mut().rev().filter(|part| part.looks_up()).max_by_key(|part| part.sought());
            if let Some(best) = best {
                lead(best, leading);
            }
        }
        Expr::Any(parts) => parts.iter_mut().for_each(|part| lead(part, leading)),
        _ => {}
    }
}

/// How much is compared for each row, of the resource first.
pub(super) fn comparisons(expr: &Expr) -> Vec<(Option<&'static str>, usize)> {
    let mut tables = Vec::new();
    count(expr, None, &mut tables);
    tables.sort_by_key(|(from, _)| from.is_some());
    tables
}

fn count(expr: &Expr, from: Option<&'static str>, tables: &mut Vec<(Option<&'static str>, usize)>) {
    let each = match expr {
        Expr::All(parts) | Expr::Any(parts) => return parts.iter().for_each(|part| count(part, from, tables)),
        Expr::Not(inner) => return count(inner, from, tables),
        Expr::Exists(Subquery { from, filter, .. }) => return count(filter, Some(from), tables),
        Expr::Const(_) | Expr::Null(_) => return,
        Expr::Empty(column) | Expr::Flag(column, _) | Expr::Compare(column, ..) => reached(*column),
        Expr::Contains(column, text) | Expr::Ends(column, text) => {
            reached(*column).saturating_add(1).saturating_add(text.len() / 64)
        }
    };
    match tables.iter_mut().find(|(other, _)| *other == from) {
        Some((_, sum)) => *sum = sum.saturating_add(each),
        None => tables.push((from, each)),
    }
}

fn reached(column: Mapped) -> usize {
    match column.source {
        Source::Sql(_) => 1,
        Source::Json(..) => 5,
    }
}

impl Expr {
    pub(super) fn subqueries(&self) -> usize {
        match self {
            Self::Exists(_) => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::subqueries).sum(),
            Self::Not(inner) => inner.subqueries(),
            _ => 0,
        }
    }

    /// How well an index can be asked for what satisfies, as far as its form goes: 0, not at all; 3, for one value.
    pub(super) fn sought(&self) -> u8 {
        match self {
            Self::Compare(_, Cmp::Ne, _) => 0,
            Self::Compare(column, Cmp::Eq, _) => {
                if column.is_value {
                    3
                } else {
                    2
                }
            }
            Self::Compare(..) => 1,
            Self::All(parts) => parts.iter().map(Self::sought).max().unwrap_or(0),
            Self::Any(parts) => parts.iter().map(Self::sought).min().unwrap_or(0),
            Self::Exists(found) => found.filter.sought(),
            _ => 0,
        }
    }
}
