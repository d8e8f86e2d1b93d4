//! Values of operations before they are read: which of them stand for nothing.

use serde_json::value::RawValue;

pub(super) fn is_list_of_something(value: &RawValue) -> bool {
    value.get().strip_prefix('[').is_some_and(|rest| rest.trim_start() != "]")
}

pub(super) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// A text without anything in it.
pub(super) fn says_nothing(value: &RawValue) -> bool {
    value.get() == "\"\""
}
