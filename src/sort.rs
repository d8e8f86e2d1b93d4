//! The order of query results (RFC 7644 §3.4.2.3).

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use crate::filter::sql::{ColumnMap, Dialect, Order};
use crate::filter::{
    LOOK, Meter, Number, compare_numbers, compare_text, folding, instant, length, number, unescaped_text,
};
use crate::resource::scan::{elements, member, write_string};
use crate::resource::{Resource, ValueRef};
use crate::schema::table::{AttrId, Node};
use crate::schema::{AttributeType, ResourceType};
use crate::{AttrPath, Budget, Compat, Exhausted, fold};

/// An order: by one attribute, ascending or descending.
///
/// Strings sort by their characters, folded unless the attribute is case exact; numbers and times by what they mean. Of
/// several values the primary one counts, or the first. What has no value comes last in ascending order and first in
/// descending. Resources that are equal keep the order of their ids, so that pages are stable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    ty: ResourceType,
    attribute: AttrId,
    sub: Option<AttrId>,
    descending: bool,
}

/// What two resources are compared by: the value that counts, and the id.
pub(crate) type Key<'k> = (Option<&'k [u8]>, Option<&'k str>);

/// The same, read and folded once: where many are compared, reading is what costs.
#[derive(Clone, Debug)]
pub(crate) struct Rank {
    value: Option<Value>,
    id: Option<Box<str>>,
}

/// A value that is sorted by.
#[derive(Clone, Debug)]
enum Value {
    Number(Option<Number>),
    Instant(Option<DateTime<Utc>>),
    /// of a text its folded characters, whose bytes are in the order of the characters
    Bytes(Box<[u8]>),
}

impl Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(Some(a)), Self::Number(Some(b))) => compare_numbers(*a, *b),
            (Self::Number(a), Self::Number(b)) => b.is_some().cmp(&a.is_some()),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            // all that is sorted by one attribute is of one kind
            _ => Ordering::Equal,
        }
    }
}

impl Rank {
    /// A place in the order of ids.
    pub(crate) fn of_id(id: Option<&str>) -> Self {
        Self { value: None, id: id.map(Box::from) }
    }

    /// How many bytes a comparison may look at.
    pub(crate) fn length(&self) -> u64 {
        let value = match &self.value {
            Some(Value::Bytes(bytes)) => length(bytes),
            _ => 0,
        };
        value.saturating_add(self.id.as_ref().map_or(0, |id| length(id.as_bytes())))
    }
}

impl Sort {
    /// An order by the attribute that `path` names. `None` when there is no such attribute, when it is never returned or written
    /// by the service itself, or when it is complex and has no `value`.
    pub(crate) fn new(ty: &ResourceType, path: &AttrPath<'_>, descending: bool, compat: Compat) -> Option<Self> {
        let (id, _) = ty.find(path, compat)?;
        let table = ty.table();
        let attribute = table.entry_of(id);
        let node = table.node(id);
        if node.is_secret() || node.is_extension() || node.is_computed_ref() {
            return None;
        }
        // no document holds it: the service writes it on the way out
        if attribute == table.meta().meta && node.name() == "location" {
            return None;
        }
        let sub = match id == attribute {
            true if node.is_complex() => Some(table.child(node.children(), "value")?),
            true => None,
            false => Some(id),
        };
        Some(Self { ty: ty.clone(), attribute, sub, descending })
    }

    /// The order by id, ascending.
    pub(crate) fn by_id(ty: &ResourceType) -> Self {
        Self { ty: ty.clone(), attribute: AttrId::ID, sub: None, descending: false }
    }

    /// The path of the attribute, in canonical spelling.
    pub fn path(&self) -> String {
        self.ty.table().path(self.sub.unwrap_or(self.attribute))
    }

    /// Whether the greatest comes first.
    pub fn is_descending(&self) -> bool {
        self.descending
    }

    pub(crate) fn attribute(&self) -> AttrId {
        self.attribute
    }

    /// The order as SQL: what stands behind ORDER BY, or `None` when the map cannot express it exactly.
    ///
    /// It holds no placeholders. It is worth having where all rows match, that is when the filter
    /// [is exact](crate::filter::sql::SqlFilter::is_exact): only then can the database cut the page.
    pub fn to_sql(&self, map: &ColumnMap, dialect: Dialect) -> Option<String> {
        map.order_by(&self.ty, self.order(), dialect)
    }

    pub(crate) fn order(&self) -> Order {
        Order { attribute: self.sub.unwrap_or(self.attribute), descending: self.descending }
    }

    /// Compares two resources in this order.
    pub fn compare(&self, a: &Resource, b: &Resource) -> Ordering {
        self.compare_keys((self.key(a), a.id()), (self.key(b), b.id()))
    }

    /// Compares two keys: the value that counts, and the id.
    pub(crate) fn compare_keys(&self, a: Key<'_>, b: Key<'_>) -> Ordering {
        let order = match (a.0, b.0) {
            (Some(a), Some(b)) => self.compare_values(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let order = if self.descending { order.reverse() } else { order };
        order.then_with(|| a.1.cmp(&b.1))
    }

    /// Where a resource stands in this order, at the expense of a request.
    pub(crate) fn rank(&self, resource: &Resource, budget: &Budget) -> Result<Rank, Exhausted> {
        Meter::charge(budget, |meter| {
            // of a list the primary value is looked for, in an object the part
            let walked = resource.value(self.attribute).filter(|value| matches!(value.first(), Some(b'[' | b'{')));
            let walked = walked.map_or(0, length);
            meter.take(walked.saturating_mul(4).saturating_add(LOOK))?;
            self.rank_of((self.key(resource), resource.id()), meter)
        })
    }

    /// Where a value and an id stand in this order.
    pub(crate) fn rank_of(&self, (value, id): Key<'_>, meter: &mut Meter) -> Result<Rank, Exhausted> {
        meter.take(value.map_or(0, folding))?;
        let definition = self.leaf().definition();
        let of_kind = |value| match definition.kind {
            AttributeType::Integer | AttributeType::Decimal => Value::Number(number(value)),
            AttributeType::DateTime => Value::Instant(instant(value)),
            AttributeType::Boolean => Value::Bytes(value.into()),
            _ => {
                let text = unescaped_text(value);
                let key = if definition.case_exact { text } else { fold(&text).into_owned().into() };
                Value::Bytes(key.as_bytes().into())
            }
        };
        Ok(Rank { value: value.map(of_kind), id: id.map(Box::from) })
    }

    /// Compares two ranks where nothing is sorted by.
    pub(crate) fn compare_ids(a: &Rank, b: &Rank) -> Ordering {
        a.id.cmp(&b.id)
    }

    /// Compares two ranks in this order.
    pub(crate) fn compare_ranks(&self, a: &Rank, b: &Rank) -> Ordering {
        let order = match (&a.value, &b.value) {
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let order = if self.descending { order.reverse() } else { order };
        order.then_with(|| a.id.cmp(&b.id))
    }

    /// The text that stands for a value of this order in a cursor.
    pub(crate) fn value_to_text(&self, value: ValueRef<'_>) -> String {
        let json = || String::from_utf8_lossy(value.as_json()).into_owned();
        value.as_str().map_or_else(json, Cow::into_owned)
    }

    /// The value that a text stands for. `None` when it cannot be one of this order.
    pub(crate) fn value_from_text(&self, text: &str) -> Option<Vec<u8>> {
        let quoted = || {
            let mut value = Vec::with_capacity(text.len() + 2);
            write_string(&mut value, text);
            value
        };
        let value = match self.leaf().kind() {
            AttributeType::Integer | AttributeType::Decimal => number(text.as_bytes()).map(|_| text.into())?,
            AttributeType::Boolean => matches!(text, "true" | "false").then(|| text.into())?,
            AttributeType::DateTime => instant(&quoted()).map(|_| quoted())?,
            _ => quoted(),
        };
        Some(value)
    }

    /// Whether values are ordered in the same way as by another order, of another resource type perhaps.
    pub(crate) fn orders_like(&self, other: &Self) -> bool {
        let way = |sort: &Self| (sort.leaf().kind(), sort.leaf().definition().case_exact, sort.descending);
        way(self) == way(other)
    }

    /// What is sorted by in the end.
    fn leaf(&self) -> &Node {
        self.ty.node(self.sub.unwrap_or(self.attribute))
    }

    fn compare_values(&self, a: &[u8], b: &[u8]) -> Ordering {
        let definition = self.leaf().definition();
        match definition.kind {
            AttributeType::Integer | AttributeType::Decimal => match (number(a), number(b)) {
                (Some(a), Some(b)) => compare_numbers(a, b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
            AttributeType::DateTime => instant(a).cmp(&instant(b)),
            AttributeType::Boolean => a.cmp(b),
            _ => compare_text(a, b, definition.case_exact),
        }
    }

    /// The value that counts.
    pub(crate) fn key<'r>(&self, resource: &'r Resource) -> Option<&'r [u8]> {
        let value = resource.value(self.attribute)?;
        let primary = |element: &&[u8]| member(element, "primary") == Some(b"true");
        let element = elements(value).find(primary).or_else(|| elements(value).next())?;
        match self.sub {
            None => Some(element),
            Some(sub) => member(element, self.ty.node(sub).name()),
        }
    }
}
