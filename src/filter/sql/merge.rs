//! Few subqueries in the place of many. What is asked of the rows of one table is asked once, as far as logic allows it:
//!
//! * a row that satisfies `a`, or one that satisfies `b`: a row that satisfies `a or b`;
//! * no row satisfies `a`, and none satisfies `b`: no row satisfies `a or b`;
//! * what all parts of a list have in common stands in front of it: `(a or n) and (b or n)` is `n or (a and b)`. Each `ne`
//!   brings such a part, that there is no value.
//!
//! A row for `a` and one for `b` may be two rows: they stay two subqueries. Every predicate here is true or false and never
//! NULL, and each step is an equality of logic, so that whatever side of the filter a predicate was on, it stays on.

use super::expr::{Expr, Subquery};

/// The same predicate, with NOT directly in front of what it negates, and terms on one table merged.
pub(super) fn merged(expr: Expr) -> Expr {
    turned(expr, false)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

impl Joint {
    fn other(self) -> Self {
        match self {
            Self::And => Self::Or,
            Self::Or => Self::And,
        }
    }

    /// De Morgan: a list under `not` is one of the negated parts, joined in the other way.
    fn turned(self, negated: bool) -> Self {
        if negated { self.other() } else { self }
    }

    fn of(self, parts: Vec<Expr>) -> Expr {
        match self {
            Self::And => Expr::all(parts),
            Self::Or => Expr::any(parts),
        }
    }

    /// The parts of a predicate that is such a list.
    fn parts(self, expr: &Expr) -> &[Expr] {
        match (self, expr) {
            (Self::And, Expr::All(parts)) | (Self::Or, Expr::Any(parts)) => parts,
            _ => &[],
        }
    }
}

/// The predicate or its negation. What asks for columns only stays as it was written.
fn turned(expr: Expr, negated: bool) -> Expr {
    let each = |parts: Vec<Expr>| parts.into_iter().map(|part| turned(part, negated)).collect();
    let whole = |expr: Expr| if negated { expr.negated() } else { expr };
    match expr {
        Expr::Not(inner) => turned(*inner, !negated),
        expr if !expr.looks_up() => whole(expr),
        Expr::All(parts) => joined(each(parts), Joint::And.turned(negated)),
        Expr::Any(parts) => joined(each(parts), Joint::Or.turned(negated)),
        expr => whole(expr),
    }
}

fn joined(parts: Vec<Expr>, joint: Joint) -> Expr {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, joint) {
            (Expr::All(inner), Joint::And) | (Expr::Any(inner), Joint::Or) if inner.iter().any(Expr::looks_up) => {
                flat.extend(inner);
            }
            (part, _) => flat.push(part),
        }
    }
    let mut parts = one_for_each_table(flat, joint);
    while let Some(common) = in_common(&parts, joint) {
        parts = in_front(common, parts, joint);
    }
    joint.of(parts)
}

/// Merges what asks for a row of the same table. Columns come first: they are cheap to look at.
fn one_for_each_table(parts: Vec<Expr>, joint: Joint) -> Vec<Expr> {
    let mut columns = Vec::new();
    let mut tables: Vec<(Subquery, Vec<Expr>)> = Vec::new();
    let mut others: Vec<Expr> = Vec::new();
    for part in parts {
        match (joint, part) {
            (_, part) if !part.looks_up() => columns.push(part),
            (Joint::Or, Expr::Exists(found)) => merge(found, &mut tables),
            (Joint::And, Expr::Not(inner)) => match *inner {
                Expr::Exists(found) => merge(found, &mut tables),
                inner => others.push(inner.negated()),
            },
            (_, part) if part.is_plain() => match others.iter_mut().find(|other| part.says_the_same(other)) {
                Some(other) => other.take_terms_of(&part),
                None => others.push(part),
            },
            (_, part) => others.push(part),
        }
    }
    for (found, filters) in tables {
        let found = Expr::Exists(Subquery { filter: Box::new(Expr::any(filters)), ..found });
        columns.push(if joint == Joint::And { found.negated() } else { found });
    }
    columns.extend(others);
    columns
}

fn merge(found: Subquery, tables: &mut Vec<(Subquery, Vec<Expr>)>) {
    let Subquery { filter, .. } = found;
    let found = Subquery { filter: Box::new(Expr::Const(true)), ..found };
    let inner = match *filter {
        Expr::Any(parts) => parts,
        filter => vec![filter],
    };
    match tables.iter_mut().find(|(other, _)| other.is_of_table(&found)) {
        Some((other, filters)) => {
            other.terms.extend(found.terms);
            filters.extend(inner);
        }
        None => tables.push((found, inner)),
    }
}

/// A subquery that is in several lists among the parts. Only [plain](Expr::is_plain) ones are looked for.
fn in_common(parts: &[Expr], joint: Joint) -> Option<Expr> {
    let mut seen: Vec<&Expr> = Vec::new();
    for part in parts {
        let literals = || joint.other().parts(part).iter().filter(|literal| literal.is_plain());
        if let Some(common) = literals().find(|literal| seen.iter().any(|other| literal.says_the_same(other))) {
            return Some(common.clone());
        }
        seen.extend(literals());
    }
    None
}

/// Takes a part out of the lists that have it, and puts it in front of what is left of them.
fn in_front(mut common: Expr, parts: Vec<Expr>, joint: Joint) -> Vec<Expr> {
    let (mut kept, mut rests) = (Vec::new(), Vec::new());
    for part in parts {
        let inner = match (part, joint) {
            (Expr::Any(inner), Joint::And) | (Expr::All(inner), Joint::Or) => inner,
            (part, _) => {
                kept.push(part);
                continue;
            }
        };
        let (same, rest): (Vec<_>, Vec<_>) = inner.into_iter().partition(|literal| literal.says_the_same(&common));
        same.iter().for_each(|literal| common.take_terms_of(literal));
        let rest = joint.other().of(rest);
        if same.is_empty() { kept.push(rest) } else { rests.push(rest) }
    }
    let rest = joined(rests, joint);
    kept.push(joined(vec![common, rest], joint.other()));
    kept
}

impl Expr {
    /// Whether it looks into a child table.
    pub(super) fn looks_up(&self) -> bool {
        match self {
            Self::Exists(_) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::looks_up),
            Self::Not(inner) => inner.looks_up(),
            _ => false,
        }
    }

    /// The subquery that this is, or whose negation it is.
    pub(super) fn subquery(&self) -> Option<(&Subquery, bool)> {
        match self {
            Self::Exists(found) => Some((found, false)),
            Self::Not(inner) => match &**inner {
                Self::Exists(found) => Some((found, true)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether both are the same subquery, and a plain one.
    fn says_the_same(&self, other: &Self) -> bool {
        match (self.subquery(), other.subquery()) {
            (Some((one, negated)), Some((other, other_negated))) => {
                negated == other_negated
                    && one.filter.is_simple(2)
                    && one.is_of_table(other)
                    && one.filter == other.filter
            }
            _ => false,
        }
    }

    /// Whether this is a subquery for a test without an operand. There are a few of them for each column of the map, however
    /// long a filter is: to compare all with all of them is no work.
    fn is_plain(&self) -> bool {
        self.subquery().is_some_and(|(found, _)| found.filter.is_simple(2))
    }

    fn is_simple(&self, depth: usize) -> bool {
        match self {
            Self::Const(_) | Self::Null(_) | Self::Empty(_) | Self::Flag(..) => true,
            Self::Not(inner) => inner.is_simple(depth),
            Self::All(parts) | Self::Any(parts) if depth > 1 && parts.len() < 3 => {
                parts.iter().all(|part| part.is_simple(1))
            }
            _ => false,
        }
    }

    fn take_terms_of(&mut self, other: &Self) {
        let Some((Subquery { terms, .. }, _)) = other.subquery() else { return };
        match self {
            Self::Exists(found) => found.terms.extend(terms),
            Self::Not(inner) => inner.take_terms_of(other),
            _ => {}
        }
    }
}

impl Subquery {
    fn is_of_table(&self, other: &Self) -> bool {
        self.from == other.from && self.tie == other.tie
    }
}
