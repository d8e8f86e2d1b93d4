//! Pages by cursor (RFC 9865): a position in the order of a query, and the text in which clients carry it.
//!
//! A cursor says where to go on and nothing else. Whose resources, which filter and which order come from the request each
//! time, so that a cursor that was forged, found or sent by another tenant reaches nothing that the caller could not list.

use std::fmt;
use std::sync::Arc;

use crate::resource::{Resource, ValueRef};
use crate::sort::Sort;

/// Where a page by cursor begins (RFC 9865 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// With the first resource.
    Beginning,
    /// With the first resource that follows this position.
    After(Position),
    /// With the resource that this position is behind, and back from there: the nearest first.
    Before(Position),
}

impl Cursor {
    /// Whether the page is cut backwards, in the reverse of the query's order.
    pub fn goes_back(&self) -> bool {
        matches!(self, Self::Before(_))
    }

    pub(crate) fn position(&self) -> Option<&Position> {
        match self {
            Self::Beginning => None,
            Self::After(position) | Self::Before(position) => Some(position),
        }
    }
}

/// A position between two resources in the order of a query: behind the resource that has this value and this id, be it
/// there still or not.
///
/// The order is that of [`Query::sort`](crate::Query::sort) and, where that leaves two resources equal or is absent, the
/// order of the bytes of their ids.
#[derive(Clone, PartialEq, Eq)]
pub struct Position {
    value: Option<Box<[u8]>>,
    id: Box<str>,
}

impl Position {
    /// The position behind a resource. `None` for one that has no id.
    pub(crate) fn behind(resource: &Resource, sort: Option<&Sort>) -> Option<Self> {
        let value = sort.and_then(|sort| sort.key(resource)).map(Box::from);
        Some(Self { value, id: resource.id()?.into() })
    }

    /// The position behind all resources that have no value. No id begins with the last of all characters, which is none.
    pub(crate) fn behind_all_without_value() -> Self {
        Self { value: None, id: char::MAX.to_string().into() }
    }

    /// The value by which the resource was sorted; `None` when it had none or nothing is sorted by.
    pub fn value(&self) -> Option<ValueRef<'_>> {
        self.value.as_deref().map(ValueRef::new)
    }

    /// The resource's id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The value may be personal: the id only.
impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Position").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A position with the query that it belongs to, as a text of unreserved characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// says which query this is: a cursor of another one is refused
    pub(crate) query: u64,
    /// the `count` of the request, which may not change from page to page
    pub(crate) count: Option<i64>,
    /// whether it asks for what lies before the position
    pub(crate) back: bool,
    pub(crate) position: Position,
}

type Close = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;
type Open = dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync;

/// What seals cursors, where a host wants it: see [`ServiceBuilder::cursor_seal`](crate::ServiceBuilder::cursor_seal).
#[derive(Clone)]
pub(crate) struct Seal {
    pub(crate) close: Arc<Close>,
    pub(crate) open: Arc<Open>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// The first byte: the way from the position. Another form would not be mistaken for these.
const ONWARDS: u8 = 1;
const BACK: u8 = 2;

impl Token {
    pub(crate) fn to_text(&self, sort: Option<&Sort>, seal: Option<&Seal>) -> String {
        let mut plain = vec![if self.back { BACK } else { ONWARDS }];
        plain.extend_from_slice(&self.query.to_be_bytes());
        plain.push(u8::from(self.count.is_some()));
        plain.extend_from_slice(&self.count.unwrap_or_default().to_be_bytes());
        let value = self.position.value().and_then(|value| sort.map(|sort| sort.value_to_text(value)));
        plain.push(u8::from(value.is_some()));
        let id = self.position.id.as_bytes();
        plain.extend_from_slice(&u32::try_from(id.len()).unwrap_or(u32::MAX).to_be_bytes());
        plain.extend_from_slice(id);
        plain.extend_from_slice(value.unwrap_or_default().as_bytes());
        if let Some(seal) = seal {
            return base64url(&(seal.close)(&plain));
        }
        let sum = hash([plain.as_slice()]);
        scramble(&mut plain, sum);
        base64url([&sum.to_be_bytes()[..], &plain].concat().as_slice())
    }

    /// `None` for whatever was not written by [`to_text`](Self::to_text) for a query of this order.
    pub(crate) fn from_text(text: &str, sort: Option<&Sort>, seal: Option<&Seal>) -> Option<Self> {
        let bytes = from_base64url(text)?;
        let plain = match seal {
            Some(seal) => (seal.open)(&bytes)?,
            None => unscrambled(&bytes)?,
        };
        let ([form], rest) = plain.split_first_chunk()?;
        let (query, rest) = rest.split_first_chunk()?;
        let ([counted], rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let ([valued], rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (id, value) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let (id, value) = (std::str::from_utf8(id).ok()?, std::str::from_utf8(value).ok()?);
        // no resource has an id that is empty or holds NUL
        let may_be_id = !id.is_empty() && !id.contains('\0');
        let back = match *form {
            ONWARDS => false,
            BACK => true,
            _ => return None,
        };
        if !may_be_id {
            return None;
        }
        let value = match (*valued, sort) {
            (0, _) if value.is_empty() => None,
            (1, Some(sort)) => Some(sort.value_from_text(value)?.into()),
            _ => return None,
        };
        Some(Self {
            query: u64::from_be_bytes(*query),
            count: (*counted != 0).then(|| i64::from_be_bytes(*count)),
            back,
            position: Position { value, id: id.into() },
        })
    }
}

fn unscrambled(bytes: &[u8]) -> Option<Vec<u8>> {
    let (sum, scrambled) = bytes.split_first_chunk::<8>()?;
    let sum = u64::from_be_bytes(*sum);
    let mut plain = scrambled.to_vec();
    scramble(&mut plain, sum);
    (hash([plain.as_slice()]) == sum).then_some(plain)
}

/// FNV-1a over parts of which none can be mistaken for the end of another.
pub(crate) fn hash<'t>(parts: impl IntoIterator<Item = &'t [u8]>) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    parts.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
        part.iter().fold(length.iter().fold(hash, step), step)
    })
}

/// Makes the text mean nothing to a hasty reader of logs, and back. This hides nothing from somebody who wants to know, and
/// stops nobody who wants to forge: that is what a [`Seal`] is for.
fn scramble(bytes: &mut [u8], seed: u64) {
    let mut state = seed | 1;
    for byte in bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [mask, ..] = state.to_be_bytes();
        *byte ^= mask;
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 for URLs, without padding (RFC 4648 §5).
fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            let at = (word >> (18 - 6 * digit)) & 63;
            text.extend(DIGITS.get(at as usize).copied().map(char::from));
        }
    }
    text
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0_u32;
        for byte in chunk {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            word = (word << 6) | u32::from(digit);
        }
        let word = (word << (6 * (4 - chunk.len()))).to_be_bytes();
        let bits = chunk.len() * 6;
        let (whole, rest) = word.get(1..)?.split_at_checked(bits / 8)?;
        // one byte is two digits: a digit alone is none, and what stands over is nothing
        if chunk.len() == 1 || rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(whole);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttrPath, Compat, User};

    fn token(value: Option<&str>, id: &str) -> Token {
        let position = Position { value: value.map(|v| v.as_bytes().into()), id: id.into() };
        Token { query: 7, count: Some(-3), back: id < "c", position }
    }

    fn by(path: &str) -> Option<Sort> {
        let ty = User::resource_type().build().unwrap();
        Sort::new(&ty, &AttrPath::parse(path).unwrap(), false, Compat::default())
    }

    #[test]
    fn a_token_reads_back_and_has_only_unreserved_characters() {
        let times = by("meta.created");
        let (names, flags) = (by("userName"), by("active"));
        for (token, sort) in [
            (token(None, "a"), None),
            (token(None, "b"), names.as_ref()),
            (token(Some("\"Ада \\\"x\\\" \\u0000\""), "c"), names.as_ref()),
            (token(Some("true"), "d"), flags.as_ref()),
            (token(Some("\"2011-05-13T04:42:34Z\""), "e"), times.as_ref()),
        ] {
            let text = token.to_text(sort, None);
            assert_eq!(Token::from_text(&text, sort, None), Some(token), "{text}");
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        }
    }

    #[test]
    fn a_changed_character_or_another_order_makes_no_token() {
        let (names, flags) = (by("userName"), by("active"));
        let text = token(Some("\"ada\""), "2819c223").to_text(names.as_ref(), None);
        for at in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Token::from_text(std::str::from_utf8(&forged).unwrap(), names.as_ref(), None), None, "{at}");
            assert_eq!(Token::from_text(text.get(..at).unwrap(), names.as_ref(), None), None, "{at}");
        }
        assert_eq!(Token::from_text(&text, None, None), None);
        assert_eq!(Token::from_text(&text, flags.as_ref(), None), None);
        assert_eq!(Token::from_text("", None, None), None);
        assert_eq!(Token::from_text("é.~ ", None, None), None);
    }

    #[test]
    fn base64url_is_that_of_rfc_4648_10() {
        for (plain, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("\u{3ff}", "z78")]
        {
            assert_eq!(base64url(plain.as_bytes()), text);
            assert_eq!(from_base64url(text).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(from_base64url("Zh"), None);
    }
}
