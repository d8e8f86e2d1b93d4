//! Answers that hold several resources (RFC 7644 §3.4.2, RFC 9865 §2).

use serde::{Deserialize, Serialize};

/// The schema URI of a list response.
pub const LIST_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// An answer that holds several resources, or one page of them (RFC 7644 §3.4.2).
///
/// `T` is [`User`](crate::User), [`Group`](crate::Group), the host's own type, or `serde_json::Value` for mixed lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
#[non_exhaustive]
pub struct ListResponse<T> {
    /// The URI of the message.
    #[serde(default, deserialize_with = "crate::unassigned::or_default")]
    pub schemas: Vec<String>,
    /// How many resources there are in all, on this page and on others. Absent at most from a page by cursor, where a service
    /// provider cannot tell (RFC 9865 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_results: Option<u64>,
    /// How many resources are on this page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_per_page: Option<u64>,
    /// The number of the first resource of this page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_index: Option<u64>,
    /// Asks for the next page (RFC 9865 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Asks for the previous page (RFC 9865 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_cursor: Option<String>,
    /// The resources of this page. Written even when there are none, because some clients insist on it.
    #[serde(rename = "Resources", default = "Vec::new", deserialize_with = "crate::unassigned::or_default")]
    pub resources: Vec<T>,
}

impl<T> ListResponse<T> {
    /// A page of resources, out of so many in all.
    pub fn new(resources: Vec<T>, total_results: u64) -> Self {
        Self {
            schemas: vec![LIST_RESPONSE_SCHEMA.to_owned()],
            total_results: Some(total_results),
            items_per_page: u64::try_from(resources.len()).ok(),
            start_index: None,
            next_cursor: None,
            previous_cursor: None,
            resources,
        }
    }

    /// Says where the page starts, counted from 1.
    #[must_use]
    pub fn starting_at(mut self, start_index: u64) -> Self {
        self.start_index = Some(start_index);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::User;

    #[test]
    fn a_page_says_what_it_is_part_of() {
        let page = ListResponse::new(vec![User::new("ada")], 12).starting_at(11);
        assert_eq!(
            serde_json::to_value(&page).unwrap(),
            json!({
                "schemas": [LIST_RESPONSE_SCHEMA],
                "totalResults": 12,
                "itemsPerPage": 1,
                "startIndex": 11,
                "Resources": [{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}],
            })
        );
    }

    #[test]
    fn nothing_found_may_come_without_resources_and_is_written_with_them() {
        for text in [r#"{"totalResults": 0}"#, r#"{"totalResults": 0, "Resources": null}"#] {
            let list: ListResponse<User> = serde_json::from_str(text).unwrap();
            assert!(list.resources.is_empty());
        }
        let unknown: ListResponse<User> = serde_json::from_str(r#"{"nextCursor": "x", "Resources": []}"#).unwrap();
        assert_eq!((unknown.total_results, unknown.next_cursor.as_deref()), (None, Some("x")));
        assert_eq!(serde_json::to_value(&unknown).unwrap().get("totalResults"), None);
        let none = serde_json::to_value(ListResponse::<Value>::new(Vec::new(), 0)).unwrap();
        assert_eq!(none["Resources"], json!([]));
    }
}
