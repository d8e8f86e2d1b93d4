//! One test of one column's value.
//!
//! A column that knows less than the document gives two answers: what may hold (for a filter) and what must hold (for one
//! under `not`). See [`Side`].

use super::SqlValue;
use super::expr::{Cmp, Expr};
use super::map::{Holds, Mapped};
use crate::filter::ast::{CompareOp, Number};
use crate::filter::operand::{Instant, Test};

/// From which side a predicate may differ from the filter where the map cannot express it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It holds wherever the filter holds, and perhaps elsewhere.
    Upper,
    /// It holds nowhere but where the filter holds. Its negation is the upper side of the negated filter.
    Lower,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Upper => Self::Lower,
            Self::Lower => Self::Upper,
        }
    }

    /// What is said of something about which nothing is known.
    pub(super) fn unknown(self) -> Expr {
        Expr::Const(self == Self::Upper)
    }
}

/// A predicate, and whether it is the filter itself.
#[derive(Clone, Debug)]
pub(super) struct Translated {
    pub(super) expr: Expr,
    /// what was lost, when something was
    pub(super) lost: Option<&'static str>,
}

impl Translated {
    fn exact(expr: Expr) -> Self {
        Self { expr, lost: None }
    }

    pub(super) fn unknown(side: Side, why: &'static str) -> Self {
        Self { expr: side.unknown(), lost: Some(why) }
    }
}

/// The test of a value that is there; what it says of NULL does not matter.
pub(super) fn of_value(column: Mapped, test: &Test, side: Side) -> Translated {
    let is_text = matches!(column.holds, Holds::Text | Holds::Presence { text: true });
    let empty = if is_text && !column.assigned { Expr::Empty(column) } else { Expr::Const(false) };
    match (test, column.holds) {
        (Test::Present, _) => Translated::exact(empty.negated()),
        (Test::Absent, _) => Translated::exact(empty),
        (Test::Boolean { is, .. }, Holds::Boolean) => Translated::exact(Expr::Flag(column, *is)),
        (Test::Text(op, text), Holds::Text) => Translated::exact(of_text(column, *op, text.key())),
        (Test::Number(op, number), Holds::Integer) => Translated::exact(of_integer(column, *op, *number)),
        (Test::Number(op, number), Holds::Decimal) => of_decimal(column, *op, *number, side),
        (Test::Instant(op, at), Holds::Time { whole }) => of_time(column, *op, *at, whole, side),
        _ => Translated::unknown(side, "the column says only whether there is a value"),
    }
}

fn of_text(column: Mapped, op: CompareOp, key: &str) -> Expr {
    if let Some((before, _)) = key.split_once('\0') {
        return of_nul(column, op, before);
    }
    let text = |cmp, text: &str| Expr::Compare(column, cmp, SqlValue::Text(text.to_owned()));
    match op {
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew if key.is_empty() => Expr::Const(true),
        CompareOp::Co => Expr::Contains(column, key.to_owned()),
        CompareOp::Ew => Expr::Ends(column, key.to_owned()),
        // a range of the order of characters: what an index can be asked for, and nothing to escape as LIKE would have
        CompareOp::Sw => {
            let below = successor(key).map_or(Expr::Const(true), |end| text(Cmp::Lt, &end));
            Expr::all(vec![text(Cmp::Ge, key), below])
        }
        _ => ordering(op).map_or(Expr::Const(false), |cmp| text(cmp, key)),
    }
}

/// A comparison with a text that holds U+0000, behind `before`. A filter that was made by hand can have one; no document
/// has, and PostgreSQL cannot be given one. A value is less up to `before` and greater from there on.
fn of_nul(column: Mapped, op: CompareOp, before: &str) -> Expr {
    let text = |cmp| Expr::Compare(column, cmp, SqlValue::Text(before.to_owned()));
    match op {
        CompareOp::Gt | CompareOp::Ge => text(Cmp::Gt),
        CompareOp::Lt | CompareOp::Le => text(Cmp::Le),
        CompareOp::Ne => Expr::Const(true),
        CompareOp::Eq | CompareOp::Co | CompareOp::Sw | CompareOp::Ew => Expr::Const(false),
    }
}

/// The least text that is greater than every text that starts with `prefix`.
fn successor(prefix: &str) -> Option<String> {
    let (at, last) = prefix.char_indices().rfind(|(_, c)| *c != char::MAX)?;
    let next = (last..=char::MAX).nth(1)?;
    let mut end = prefix.get(..at)?.to_owned();
    end.push(next);
    Some(end)
}

/// Where an operand lies among the whole numbers.
enum Point {
    At(i64),
    /// between this one and the next
    After(i64),
    Below,
    Above,
}

/// A comparison of whole numbers with a point that need not be one of them: nothing is lost.
fn of_whole(column: Mapped, op: CompareOp, point: &Point) -> Expr {
    let number = |cmp, n| Expr::Compare(column, cmp, SqlValue::Integer(n));
    let greater = matches!(op, CompareOp::Gt | CompareOp::Ge);
    let less = matches!(op, CompareOp::Lt | CompareOp::Le);
    match point {
        Point::At(n) => ordering(op).map_or(Expr::Const(false), |cmp| number(cmp, *n)),
        Point::After(n) if greater => number(Cmp::Gt, *n),
        Point::After(n) if less => number(Cmp::Le, *n),
        Point::After(_) => Expr::Const(op == CompareOp::Ne),
        Point::Below => Expr::Const(greater || op == CompareOp::Ne),
        Point::Above => Expr::Const(less || op == CompareOp::Ne),
    }
}

fn of_integer(column: Mapped, op: CompareOp, number: Number) -> Expr {
    /// 2^63, the first float that no i64 reaches
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let point = match number {
        Number::Int(n) => Point::At(n),
        Number::Float(f) if f >= BEYOND => Point::Above,
        Number::Float(f) if f < -BEYOND => Point::Below,
        Number::Float(f) if f.fract() == 0.0 => Point::At(f as i64),
        Number::Float(f) => Point::After(f.floor() as i64),
    };
    of_whole(column, op, &point)
}

fn of_decimal(column: Mapped, op: CompareOp, number: Number, side: Side) -> Translated {
    /// 2^53: up to here a float stands for one whole number only
    const PRECISE: f64 = 9_007_199_254_740_992.0;
    let operand = number.as_f64();
    let value = SqlValue::Float(operand);
    if operand.abs() < PRECISE {
        return Translated::exact(ordering(op).map_or(Expr::Const(false), |cmp| Expr::Compare(column, cmp, value)));
    }
    around(column, op, value, side, "a column of floats cannot tell large numbers apart")
}

fn of_time(column: Mapped, op: CompareOp, at: Instant, whole: bool, side: Side) -> Translated {
    let millis = at.0.timestamp_millis();
    let between = !at.0.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    // what was rounded down is at or after its millisecond
    let told = !between && matches!(op, CompareOp::Ge | CompareOp::Lt);
    if whole || told {
        let point = if between { Point::After(millis) } else { Point::At(millis) };
        return Translated::exact(of_whole(column, op, &point));
    }
    around(column, op, SqlValue::Integer(millis), side, "the column holds rounded milliseconds")
}

/// A comparison where less is less and greater is greater, and equal may be any of the three.
fn around(column: Mapped, op: CompareOp, value: SqlValue, side: Side, lost: &'static str) -> Translated {
    let upper = side == Side::Upper;
    let cmp = match op {
        CompareOp::Gt | CompareOp::Ge => Some(if upper { Cmp::Ge } else { Cmp::Gt }),
        CompareOp::Lt | CompareOp::Le => Some(if upper { Cmp::Le } else { Cmp::Lt }),
        CompareOp::Eq if upper => Some(Cmp::Eq),
        CompareOp::Ne if !upper => Some(Cmp::Ne),
        _ => None,
    };
    let expr = cmp.map_or(side.unknown(), |cmp| Expr::Compare(column, cmp, value));
    Translated { expr, lost: Some(lost) }
}

fn ordering(op: CompareOp) -> Option<Cmp> {
    Some(match op {
        CompareOp::Eq => Cmp::Eq,
        CompareOp::Ne => Cmp::Ne,
        CompareOp::Gt => Cmp::Gt,
        CompareOp::Ge => Cmp::Ge,
        CompareOp::Lt => Cmp::Lt,
        CompareOp::Le => Cmp::Le,
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::successor;

    #[test]
    fn the_end_of_a_prefix_is_the_next_text_without_it() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("az", Some("a{")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("🦀", Some("🦁")),
        ] {
            assert_eq!(successor(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
