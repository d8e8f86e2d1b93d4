//! In which media type an answer goes out (RFC 7644 §3.8, RFC 9110 §12.5.1).

use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};

use crate::Error;

pub(crate) const SCIM_JSON: &str = "application/scim+json";
pub(crate) const JSON: &str = "application/json";

/// How much a client wants something, in thousandths.
type Quality = u16;

/// The media type of the answer: the one that the client prefers, and `application/scim+json` where it does not mind.
pub(super) fn media_type(headers: &HeaderMap) -> Result<&'static str, Error> {
    let ranges = || {
        let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).filter_map(range)
    };
    if ranges().next().is_none() {
        return Ok(SCIM_JSON);
    }
    match (quality(SCIM_JSON, ranges()), quality(JSON, ranges())) {
        (0, 0) => Err(Error::new(StatusCode::NOT_ACCEPTABLE, "answers are application/scim+json or application/json")),
        (scim, json) if scim >= json => Ok(SCIM_JSON),
        _ => Ok(JSON),
    }
}

/// How much the client wants a media type: what the range says that names it most exactly.
fn quality<'h>(media_type: &str, ranges: impl Iterator<Item = (&'h str, Quality)>) -> Quality {
    let exactness = |range: &str| match range {
        _ if range.eq_ignore_ascii_case(media_type) => Some(2),
        _ if range.eq_ignore_ascii_case("application/*") => Some(1),
        "*/*" | "*" => Some(0),
        _ => None,
    };
    let wanted = ranges.filter_map(|(range, quality)| Some((exactness(range)?, quality)));
    wanted.max().map_or(0, |(_, quality)| quality)
}

/// A range with its quality.
fn range(text: &str) -> Option<(&str, Quality)> {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let name = name.trim();
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    (!name.is_empty()).then(|| (name, weight.map_or(1_000, thousandths)))
}

/// `0.5` in thousandths. What is no quality makes no difference.
fn thousandths(text: &str) -> Quality {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    match whole {
        "0" if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{digits:0<3}").parse().unwrap_or(1_000)
        }
        _ => 1_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualities_are_thousandths() {
        for (text, expected) in [
            ("0", 0),
            ("0.", 0),
            ("0.000", 0),
            ("0.5", 500),
            ("0.05", 50),
            ("0.001", 1),
            ("1", 1_000),
            ("1.000", 1_000),
        ] {
            assert_eq!(thousandths(text), expected, "{text}");
        }
        for none in ["", "x", "-1", "2", "0.0001", "0,5", "0.x", "NaN"] {
            assert_eq!(thousandths(none), 1_000, "{none}");
        }
    }
}
