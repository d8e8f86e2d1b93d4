//! Telling canonical text from other JSON, and reading its directory off. One pass, and no trust: what a database prints
//! after it has reordered the members of an object looks almost the same.

use super::Entry;
use super::assemble::entry;
use super::scan::write_string;
use crate::schema::table::{AttrId, Node, Table};
use crate::schema::{AttributeType, ResourceType};

/// The directory of canonical text; `None` for text that this crate would write otherwise, or not at all.
pub(super) fn directory(ty: &ResourceType, json: &[u8]) -> Option<Box<[Entry]>> {
    if u32::try_from(json.len()).is_err() || std::str::from_utf8(json).is_err() {
        return None;
    }
    let mut walk = Walk { table: ty.table(), json, at: 0, entries: Vec::with_capacity(32) };
    walk.object(AttrId::ROOT)?;
    (walk.at == json.len() && walk.names_its_schemas()?).then(|| walk.entries.into())
}

struct Walk<'w> {
    table: &'w Table,
    json: &'w [u8],
    at: usize,
    entries: Vec<Entry>,
}

impl<'w> Walk<'w> {
    /// At least one member, in the spelling and the order of the schema.
    fn object(&mut self, parent: AttrId) -> Option<()> {
        let of = self.table.node(parent);
        let listed = parent == AttrId::ROOT || of.is_extension();
        let mut last = None;
        self.expect(b'{')?;
        loop {
            let start = self.at;
            let id = self.name(of)?;
            if last.replace(id).is_some_and(|last| last >= id) || self.is_elsewhere(id, parent) {
                return None;
            }
            let place = self.entries.len();
            if listed {
                self.entries.push(entry(id, start, start));
            }
            self.value(id)?;
            if let Some(own) = self.entries.get_mut(place).filter(|_| listed) {
                *own = entry(id, start, self.at);
            }
            if self.closes(b'}')? {
                return Some(());
            }
        }
    }

    /// The name of a member with the colon behind it.
    fn name(&mut self, of: &Node) -> Option<AttrId> {
        let rest = self.rest();
        let length = rest.get(1..)?.iter().position(|b| *b == b'"')?;
        let name = std::str::from_utf8(rest.get(1..=length)?).ok()?;
        let id = self.table.child(of.children(), name)?;
        let key = self.table.node(id).key();
        rest.starts_with(key.as_bytes()).then(|| self.at += key.len())?;
        Some(id)
    }

    /// Whether documents never hold the attribute: secrets, and what depends on the base URL.
    fn is_elsewhere(&self, id: AttrId, parent: AttrId) -> bool {
        let node = self.table.node(id);
        node.is_secret() || node.is_computed_ref() || (parent == self.table.meta().meta && node.name() == "location")
    }

    fn value(&mut self, id: AttrId) -> Option<()> {
        let node = self.table.node(id);
        if !node.is_multi() {
            return self.element(id, node);
        }
        self.expect(b'[')?;
        loop {
            self.element(id, node)?;
            if self.closes(b']')? {
                return Some(());
            }
        }
    }

    fn element(&mut self, id: AttrId, node: &Node) -> Option<()> {
        match node.kind() {
            AttributeType::Complex => self.object(id),
            AttributeType::Boolean => {
                let word: &[u8] = if self.rest().starts_with(b"true") { b"true" } else { b"false" };
                self.rest().starts_with(word).then(|| self.at += word.len())
            }
            AttributeType::Integer => self.number(false),
            AttributeType::Decimal => self.number(true),
            _ => self.string(),
        }
    }

    /// A number as the reader writes it.
    fn number(&mut self, decimal: bool) -> Option<()> {
        let rest = self.rest();
        let length = rest.iter().position(|b| matches!(b, b',' | b'}' | b']'))?;
        let text = std::str::from_utf8(rest.get(..length)?).ok()?;
        let whole = text.parse::<i64>().ok().is_some_and(|number| number.to_string() == text);
        let float = || text.parse::<f64>().ok().is_some_and(|n| n.is_finite() && format!("{n:?}") == text);
        (whole || (decimal && float())).then(|| self.at += length)
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            let run = self.rest().iter().position(|b| *b < 0x20 || matches!(b, b'"' | b'\\'))?;
            self.at += run;
            match self.rest().first()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += escape_len(self.rest())?,
                _ => return None,
            }
        }
    }

    /// `,` goes on, the bracket ends.
    fn closes(&mut self, bracket: u8) -> Option<bool> {
        let byte = *self.rest().first()?;
        self.at += 1;
        match byte {
            b',' => Some(false),
            _ => (byte == bracket).then_some(true),
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.rest().first() == Some(&byte)).then(|| self.at += 1)
    }

    fn rest(&self) -> &'w [u8] {
        self.json.get(self.at..).unwrap_or_default()
    }

    /// Whether `schemas` comes first and follows from the rest (RFC 7643 §3.3).
    fn names_its_schemas(&self) -> Option<bool> {
        let first = self.entries.first().filter(|first| first.id == AttrId::SCHEMAS)?;
        let mut expected = b"\"schemas\":[".to_vec();
        write_string(&mut expected, self.table.base());
        for extension in self.entries.iter().map(|e| self.table.node(e.id)).filter(|node| node.is_extension()) {
            expected.push(b',');
            expected.extend_from_slice(extension.key().trim_end_matches(':').as_bytes());
        }
        expected.push(b']');
        Some(self.json.get(first.start as usize..first.end as usize)? == expected)
    }
}

/// The length of an escape that is the shortest one for its character; NUL has none.
fn escape_len(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => {
            let digits = text.get(2..6)?;
            let (high, low) = (digits.strip_prefix(b"00")?.first()?, digits.last()?);
            let shorter = *high == b'0' && matches!(low, b'0' | b'8' | b'9' | b'a' | b'c' | b'd');
            let control = matches!(high, b'0' | b'1') && matches!(low, b'0'..=b'9' | b'a'..=b'f');
            (control && !shorter).then_some(6)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Resource, User};

    const HEAD: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]"#;

    #[test]
    fn what_the_reader_writes_is_canonical() {
        let users = User::resource_type().build().unwrap();
        let text = r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a", "title": "\u0001\n\u00e9\"",
            "emails": [{"primary": true, "value": "x"}, {"type": "work"}], "active": false}"#;
        let read = Resource::parse(&users, text.as_bytes()).unwrap();
        assert!(directory(&users, read.as_json()).is_some_and(|d| d.iter().copied().eq(read.document().entries())));
    }

    #[test]
    fn what_the_reader_would_write_otherwise_is_not_canonical() {
        let users = User::resource_type().build().unwrap();
        let users = &users;
        let is_canonical = |rest: &str| directory(users, format!("{HEAD}{rest}").as_bytes()).is_some();
        assert!(is_canonical(r#","userName":"a","name":{"familyName":"b","givenName":"c"}}"#));
        for rest in [
            r#","userName":"a","name":{"givenName":"c","familyName":"b"}}"#,
            r#","userName":"a","name":{"FAMILYNAME":"b"}}"#,
            r#","userName":"a","name":{}}"#,
            r#","userName":"a","emails":[]}"#,
            r#","userName":"a","emails":[{}]}"#,
            r#","userName":"a","title":null}"#,
            r#","userName":"\u00e9"}"#,
            r#","userName":"\u000a"}"#,
            r#","userName":"\u001F"}"#,
            r#","userName":"\ud83e\udd80"}"#,
            r#","userName":"\u0000"}"#,
            r#","userName":"\/"}"#,
            r#","userName":7}"#,
            r#","active":"true"}"#,
            r#","userName":"a","password":"b"}"#,
            r#","userName":"a","meta":{"location":"b"}}"#,
            r#","userName":"a","zip":"b"}"#,
            r#","title":"a","userName":"b"}"#,
            r#","userName":"a"}}"#,
            r#","userName":"a""#,
            r#","userName":"a",}"#,
            r#", "userName":"a"}"#,
        ] {
            assert!(!is_canonical(rest), "{rest}");
        }
        let wrong = HEAD.replace("]", ",\"urn:x:y\"]") + ",\"userName\":\"a\"}";
        assert!(directory(users, wrong.as_bytes()).is_none());
        assert!(directory(users, b"{\"userName\":\"a\"}").is_none());
        assert!(directory(users, &[HEAD.as_bytes(), b",\"userName\":\"\xff\"}"].concat()).is_none());
    }
}
