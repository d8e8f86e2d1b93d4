//! Queries in the body of a POST (RFC 7644 §3.4.3, RFC 9865 §3).

use std::fmt;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::attribute_in;

/// The schema URI of a search request.
pub const SEARCH_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A query in the body of a POST to `/.search` (RFC 7644 §3.4.3).
///
/// On reading, the names of members may be in any letter case, `null` means absent, unknown members are ignored, and
/// a member that is there twice is refused, in whichever spellings: the copies might contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchRequest {
    /// The URI of the message.
    pub schemas: Vec<String>,
    /// The attributes that the answer is to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<String>>,
    /// The attributes that the answer is to leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded_attributes: Option<Vec<String>>,
    /// Which resources the answer is to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The attribute to sort by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// The direction to sort in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<SortOrder>,
    /// The number of the first resource, from 1; less means 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_index: Option<i64>,
    /// The most resources that the answer is to hold; less than 0 means 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// The page to answer with; empty means the first (RFC 9865 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl SearchRequest {
    /// A query for everything.
    pub fn new() -> Self {
        Self {
            schemas: vec![SEARCH_REQUEST_SCHEMA.to_owned()],
            attributes: None,
            excluded_attributes: None,
            filter: None,
            sort_by: None,
            sort_order: None,
            start_index: None,
            count: None,
            cursor: None,
        }
    }

    /// Says which resources the answer is to hold.
    #[must_use]
    pub fn with_filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl<'de> Deserialize<'de> for SearchRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// The direction to sort in (RFC 7644 §3.4.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SortOrder {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

impl SortOrder {
    /// The keyword, as it is sent.
    pub fn as_keyword(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }

    /// The order by its keyword, in any letter case.
    pub fn from_keyword(keyword: &str) -> Option<Self> {
        match keyword {
            _ if keyword.eq_ignore_ascii_case("ascending") => Some(Self::Ascending),
            _ if keyword.eq_ignore_ascii_case("descending") => Some(Self::Descending),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for SortOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keyword = String::deserialize(deserializer)?;
        let message = || format!("`{}` is neither `ascending` nor `descending`", attribute_in(&keyword));
        Self::from_keyword(&keyword).ok_or_else(|| de::Error::custom(message()))
    }
}

/// An order as a search request has it: an empty text is as good as none.
struct Order(Option<SortOrder>);

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keyword = String::deserialize(deserializer)?;
        if keyword.is_empty() {
            return Ok(Self(None));
        }
        SortOrder::deserialize(de::value::StringDeserializer::new(keyword)).map(|order| Self(Some(order)))
    }
}

/// A whole number or null, of a member with this name. One beyond 64 bits is the largest or the smallest of them.
struct Whole(&'static str);

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Option<i64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<i64>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be a whole number", self.0)
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<i64>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<i64>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<i64>, D::Error> {
        deserializer.deserialize_i64(self)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<i64>, E> {
        Ok(Some(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<i64>, E> {
        Ok(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

/// A text or null, of a member with this name.
struct Text(&'static str);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be a string", self.0)
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<String>, E> {
        Ok(Some(text.to_owned()))
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = SearchRequest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a search request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SearchRequest, A::Error> {
        let mut request = SearchRequest { schemas: Vec::new(), ..SearchRequest::new() };
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "schemas" => request.schemas = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "attributes" => request.attributes = map.next_value()?,
                "excludedattributes" => request.excluded_attributes = map.next_value()?,
                "filter" => request.filter = map.next_value()?,
                "sortby" => request.sort_by = map.next_value()?,
                "sortorder" => request.sort_order = map.next_value::<Option<Order>>()?.and_then(|order| order.0),
                "startindex" => request.start_index = map.next_value_seed(Whole("`startIndex`"))?,
                "count" => request.count = map.next_value_seed(Whole("`count`"))?,
                "cursor" => request.cursor = map.next_value_seed(Text("`cursor`"))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            if seen.contains(&name) {
                return Err(de::Error::custom(format_args!("`{name}` is there twice")));
            }
            seen.push(name);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_may_be_in_any_letter_case_and_unknown_ones_are_ignored() {
        let request: SearchRequest = serde_json::from_value(json!({
            "SCHEMAS": [SEARCH_REQUEST_SCHEMA], "Filter": "active pr", "SORTORDER": "Descending", "startindex": -1,
            "count": 10, "x": {"y": [1.5]}, "cursor": null,
        }))
        .unwrap();
        let mut expected = SearchRequest::new().with_filter("active pr");
        (expected.sort_order, expected.start_index, expected.count) = (Some(SortOrder::Descending), Some(-1), Some(10));
        assert_eq!(request, expected);
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused() {
        let error = serde_json::from_str::<SearchRequest>(r#"{"filter": "a pr", "FILTER": "b pr"}"#).unwrap_err();
        assert!(error.to_string().starts_with("`filter` is there twice"), "{error}");
    }

    #[test]
    fn an_unknown_order_is_named() {
        let error = serde_json::from_value::<SearchRequest>(json!({"sortOrder": "up"})).unwrap_err();
        assert_eq!(error.to_string(), "`up` is neither `ascending` nor `descending`");
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let mut request = SearchRequest::new().with_filter("title pr");
        request.attributes = Some(vec!["userName".to_owned()]);
        request.excluded_attributes = Some(Vec::new());
        request.sort_by = Some("title".to_owned());
        request.sort_order = Some(SortOrder::Ascending);
        request.cursor = Some(String::new());
        let text = serde_json::to_string(&request).unwrap();
        assert!(text.contains(r#""sortOrder":"ascending""#), "{text}");
        assert_eq!(serde_json::from_str::<SearchRequest>(&text).unwrap(), request);
    }
}
