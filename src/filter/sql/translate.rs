//! From a bound filter to a predicate, comparison by comparison. What `eval.rs` says in memory is said here in SQL; the
//! comments there tell the rules, those here what the map cannot know.

use std::collections::BTreeSet;

use super::child::Rows;
use super::explain::{Fate, Part};
use super::expr::Expr;
use super::map::{ColumnMap, Mapped};
use super::merge::merged;
use super::test::{Side, Translated, of_value};
use super::weight;
use crate::filter::bind::{Bound, Leaf};
use crate::filter::operand::Test;
use crate::schema::table::{AttrId, Table};

const NO_COLUMN: &str = "no column";
const NO_TABLE: &str = "no child table";
const TOO_MANY: &str = "too many subqueries";
const NO_OBJECT: &str = "no column tells an empty object from none";

/// Translates one filter, and takes note of what becomes of its parts.
struct Translator<'m> {
    map: &'m ColumnMap,
    parts: Vec<Part>,
    /// how many terms on child tables there were so far: their numbers
    terms: usize,
    /// the terms that the predicate has no room for
    beyond: &'m BTreeSet<usize>,
}

/// The predicate of a whole filter, whether it is the filter itself, and what became of its parts.
///
/// Which terms there is no room for is known when all others have been merged. Then they are as good as without a column, and
/// the filter is translated again: so what is left out of it goes the way of everything that is left out.
pub(super) fn translated(map: &ColumnMap, filter: &Bound) -> (Expr, bool, Vec<Part>) {
    let mut beyond = BTreeSet::new();
    loop {
        let mut translator = Translator { map, parts: Vec::new(), terms: 0, beyond: &beyond };
        let (expr, exact) = translator.bound(filter, Scope::Resource, Side::Upper);
        let (expr, parts) = (merged(expr), translator.parts);
        match weight::beyond(&expr, map.subqueries) {
            more if more.is_empty() => return (weight::led(expr), exact, parts),
            more => beyond.extend(more),
        }
    }
}

/// Where paths start.
#[derive(Clone, Copy)]
enum Scope<'m> {
    Resource,
    /// in the row of one value
    Row(&'m Rows),
    /// in the object of a complex attribute with a single value
    Object,
}

impl<'m> Translator<'m> {
    fn table(&self) -> &'m Table {
        self.map.ty.table()
    }

    fn bound(&mut self, filter: &Bound, scope: Scope<'m>, side: Side) -> (Expr, bool) {
        let first = self.parts.len();
        let (expr, exact) = match filter {
            Bound::And(filters) => {
                let (parts, exact) = self.each(filters, scope, side);
                (Expr::all(parts), exact)
            }
            Bound::Or(filters) => {
                let (parts, exact) = self.each(filters, scope, side);
                (Expr::any(parts), exact)
            }
            Bound::Not(filter) => {
                let (inner, exact) = self.bound(filter, scope, side.other());
                (inner.negated(), exact)
            }
            Bound::Leaf(leaf) => return self.leaf(leaf, scope, side),
            Bound::Element { attribute, filter } => self.element(*attribute, filter, side),
        };
        if !exact && matches!(expr, Expr::Const(_)) {
            self.drop_parts(first);
        }
        (expr, exact)
    }

    fn each(&mut self, filters: &[Bound], scope: Scope<'m>, side: Side) -> (Vec<Expr>, bool) {
        let mut all_exact = true;
        let mut parts = Vec::with_capacity(filters.len());
        for filter in filters {
            let (expr, exact) = self.bound(filter, scope, side);
            all_exact &= exact;
            parts.push(expr);
        }
        (parts, all_exact)
    }

    /// Nothing is left of what was noted since: what could be pushed stands beside what could not, in an `or`.
    fn drop_parts(&mut self, first: usize) {
        for part in self.parts.iter_mut().skip(first) {
            if !matches!(part.fate, Fate::Memory(_)) {
                part.fate = Fate::Memory("decides nothing without the others");
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf, scope: Scope<'m>, side: Side) -> (Expr, bool) {
        let Translated { expr, lost } = match scope {
            Scope::Row(rows) => self.in_row(leaf, rows, side),
            Scope::Object => self.single(leaf, true, side),
            Scope::Resource if self.table().node(leaf.attribute).is_multi() => match self.term() {
                Some(term) => self.multi(leaf, term, side),
                None => Translated::unknown(side, TOO_MANY),
            },
            Scope::Resource => self.single(leaf, false, side),
        };
        let fate = match lost {
            None => Fate::Pushed,
            Some(why) if matches!(expr, Expr::Const(_)) => Fate::Memory(why),
            Some(why) => Fate::Weaker(why),
        };
        let table = self.table();
        let path = match (scope, leaf.sub) {
            (Scope::Resource, sub) => table.path(sub.unwrap_or(leaf.attribute)),
            (_, sub) => {
                let name = sub.map_or("value", |sub| table.node(sub).name());
                format!("{}[{name}]", table.path(leaf.attribute))
            }
        };
        self.parts.push(Part { path, op: Part::operator(&leaf.test), fate });
        (expr, lost.is_none())
    }

    /// A single-valued attribute or a part of one; `assigned`: the object is known to be there.
    fn single(&self, leaf: &Leaf, assigned: bool, side: Side) -> Translated {
        let node = self.table().node(leaf.attribute);
        if leaf.sub.is_none() && node.is_complex() {
            return self.object(leaf, side);
        }
        let Some(column) = self.map.mapped(leaf.sub.unwrap_or(leaf.attribute)) else {
            return Translated::unknown(side, NO_COLUMN);
        };
        let missing = leaf.test.holds_missing();
        let unassigned = leaf.test.holds_unassigned();
        let null = match leaf.sub {
            None => unassigned,
            Some(_) if assigned || missing == unassigned => missing,
            // the part is missing, or the whole: the column does not tell
            Some(_) => side == Side::Upper,
        };
        let told = leaf.sub.is_none() || assigned || missing == unassigned;
        let value = of_value(column, &leaf.test, side);
        let lost = if told { value.lost } else { value.lost.or(Some(NO_OBJECT)) };
        Translated { expr: value.expr.guarded(column, null), lost }
    }

    /// `pr` and `eq null` of a single complex attribute: the columns of its parts prove that there is something in it, and
    /// nothing proves the contrary, since it may have parts that are in no column.
    fn object(&self, leaf: &Leaf, side: Side) -> Translated {
        let extension = self.table().node(leaf.attribute).is_extension();
        let known = if extension { Vec::new() } else { self.map.parts(leaf.attribute).map(present).collect() };
        let expr = match (&leaf.test, side) {
            (Test::Present, Side::Lower) => Expr::any(known),
            (Test::Absent, Side::Upper) => Expr::any(known).negated(),
            _ => side.unknown(),
        };
        Translated { expr, lost: Some(NO_OBJECT) }
    }

    /// A multi-valued attribute: any of its values, or that there is none.
    fn multi(&self, leaf: &Leaf, term: usize, side: Side) -> Translated {
        if let Test::Absent = leaf.test {
            let present = self.multi(&Leaf { test: Test::Present, ..*leaf }, term, side.other());
            return Translated { expr: present.expr.negated(), lost: present.lost };
        }
        let Some(rows) = self.map.rows(leaf.attribute) else {
            return Translated::unknown(side, NO_TABLE);
        };
        let exists = |filter| Expr::exists(rows, filter, term);
        if leaf.sub.is_none() && self.table().node(leaf.attribute).is_complex() {
            // a row may be of a value with nothing in it, or with nothing that has a column, unless one always has
            let proof = Expr::any(rows.columns.values().copied().map(present).collect());
            let lost = if proof.is(true) { None } else { Some(NO_OBJECT) };
            let something = if side == Side::Upper { Expr::Const(true) } else { proof };
            return Translated { expr: exists(something), lost };
        }
        let Some(column) = rows.columns.get(&leaf.sub.unwrap_or(leaf.attribute)).copied() else {
            return Translated::unknown(side, NO_COLUMN);
        };
        let value = of_value(column, &leaf.test, side);
        let reads_missing_as_false = matches!(leaf.test, Test::Boolean { missing_is_false: true, .. });
        let null = reads_missing_as_false && leaf.test.holds_missing();
        let found = exists(value.expr.guarded(column, null));
        let assigned = if reads_missing_as_false { Expr::Const(true) } else { Expr::not_null(column) };
        let expr = match leaf.test.holds_unassigned() {
            true => Expr::any(vec![found, exists(assigned).negated()]),
            false => found,
        };
        Translated { expr, lost: value.lost }
    }

    /// Within one value.
    fn in_row(&self, leaf: &Leaf, rows: &Rows, side: Side) -> Translated {
        let Some(column) = rows.columns.get(&leaf.sub.unwrap_or(leaf.attribute)).copied() else {
            return Translated::unknown(side, NO_COLUMN);
        };
        let value = of_value(column, &leaf.test, side);
        let null = leaf.sub.is_some() && leaf.test.holds_missing();
        Translated { expr: value.expr.guarded(column, null), lost: value.lost }
    }

    /// A value path: one subquery, so that everything in the brackets is about the same value.
    fn element(&mut self, attribute: AttrId, filter: &Bound, side: Side) -> (Expr, bool) {
        let node = self.table().node(attribute);
        if node.is_multi() {
            let Some(rows) = self.map.rows(attribute) else {
                return self.unknown_element(attribute, NO_TABLE, side);
            };
            let Some(term) = self.term() else {
                return self.unknown_element(attribute, TOO_MANY, side);
            };
            let (inner, exact) = self.bound(filter, Scope::Row(rows), side);
            return (Expr::exists(rows, inner, term), exact);
        }
        if node.is_extension() {
            return self.unknown_element(attribute, NO_OBJECT, side);
        }
        let (inner, exact) = self.bound(filter, Scope::Object, side);
        if !holds_of_nothing(filter) {
            // without the object every column is NULL, and the filter does not hold then anyway
            return (inner, exact);
        }
        let expr = match side {
            Side::Upper => inner,
            Side::Lower => {
                let known = self.map.parts(attribute).map(Expr::not_null);
                Expr::all(vec![inner, Expr::any(known.collect())])
            }
        };
        (expr, false)
    }

    /// The number of the next term on a child table; `None` where there is no room for it.
    fn term(&mut self) -> Option<usize> {
        let term = self.terms;
        self.terms = term.saturating_add(1);
        (!self.beyond.contains(&term)).then_some(term)
    }

    fn unknown_element(&mut self, attribute: AttrId, why: &'static str, side: Side) -> (Expr, bool) {
        self.parts.push(Part { path: self.table().path(attribute), op: "[ ]", fate: Fate::Memory(why) });
        (side.unknown(), false)
    }
}

/// Whether a part of a value is known to be there and not empty.
fn present(column: Mapped) -> Expr {
    of_value(column, &Test::Present, Side::Lower).expr.guarded(column, false)
}

/// Whether a filter in brackets holds for an object without any parts.
fn holds_of_nothing(filter: &Bound) -> bool {
    match filter {
        Bound::And(filters) => filters.iter().all(holds_of_nothing),
        Bound::Or(filters) => filters.iter().any(holds_of_nothing),
        Bound::Not(filter) => !holds_of_nothing(filter),
        Bound::Leaf(leaf) => leaf.test.holds_missing(),
        Bound::Element { .. } => false,
    }
}
