//! A source file reduced to the code that ships: comments and the contents of texts are blanked, and so is what stands
//! under `#[cfg(test)]`. Lines keep their numbers.

/// One file.
#[derive(Debug)]
pub(super) struct Source {
    /// The code that ships.
    pub(super) code: String,
    /// The modules that are declared under `#[cfg(test)]` and lie in files of their own.
    pub(super) test_modules: Vec<String>,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let all_code = without_prose(text);
        let (code, tests) = without_tests(&all_code);
        let test_modules = tests.iter().filter_map(|item| declared_module(item)).collect();
        Self { code, test_modules }
    }
}

/// Blanks comments and what stands inside quotes; the quotes of ordinary texts stay.
fn without_prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let (kept, prose) = prose_at(rest, out.chars().next_back());
        if prose > 0 {
            out.push_str(&rest[..kept]);
            let blanked =
                rest[kept..(prose - kept).max(kept)].chars().map(|char| if char == '\n' { '\n' } else { ' ' });
            out.extend(blanked);
            out.push_str(&rest[(prose - kept).max(kept)..prose]);
            rest = &rest[prose..];
        } else {
            out.push(char);
            rest = &rest[char.len_utf8()..];
        }
    }
    out
}

/// Whether a comment or a text starts here: how much of either end is kept (the quotes) and where it
/// ends, or zeros.
fn prose_at(rest: &str, before: Option<char>) -> (usize, usize) {
    let bytes = rest.as_bytes();
    if rest.starts_with("//") {
        return (0, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (0, end_of_block_comment(rest));
    }
    let in_a_name = before.is_some_and(|char| char.is_alphanumeric() || char == '_');
    let raw = rest.trim_start_matches(['b', 'c']);
    if !in_a_name && raw.starts_with('r') && rest.len() - raw.len() <= 1 {
        let hashes = raw[1..].len() - raw[1..].trim_start_matches('#').len();
        if raw[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let open = rest.len() - raw.len() + 2 + hashes;
            return (0, rest[open..].find(&end).map_or(rest.len(), |at| open + at + end.len()));
        }
    }
    match bytes[0] {
        b'"' => (1, end_of_text(bytes, b'"')),
        // A character, not a lifetime: `'a'`, `'\n'`, `'é'`.
        b'\'' if bytes.get(1) == Some(&b'\\') => (0, end_of_text(bytes, b'\'')),
        b'\'' => {
            let mut chars = rest.char_indices().skip(2);
            match chars.next() {
                Some((at, '\'')) => (0, at + 1),
                _ => (0, 0),
            }
        }
        _ => (0, 0),
    }
}

fn end_of_text(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Block comments nest.
fn end_of_block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

const ATTRIBUTE: &str = "#[cfg(test)]";

/// Blanks each item under `#[cfg(test)]`, up to its closing brace or its semicolon, and returns those items too.
fn without_tests(code: &str) -> (String, Vec<&str>) {
    let mut items = Vec::new();
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(ATTRIBUTE) {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let end = end_of_item(item, ATTRIBUTE.len());
        items.push(&item[..end]);
        out.extend(item[..end].chars().filter(|char| *char == '\n'));
        rest = &item[end..];
    }
    (out + rest, items)
}

/// `name` of `#[cfg(test)] mod name;`.
fn declared_module(item: &str) -> Option<String> {
    let declaration = item.strip_prefix(ATTRIBUTE)?.trim().strip_suffix(';')?;
    Some(declaration.rsplit_once("mod ")?.1.trim().to_owned())
}

fn end_of_item(item: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, char) in item.char_indices().skip_while(|(at, _)| *at < from) {
        match char {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn code_keeps_its_lines_and_loses_its_prose() {
    let text = "a(\"x\\\"y\n\"); // c\n/* d /* e */\n f */ g('\"', 'h', b\"i\", r\"\\\", r#\"j\"k\"#, 'l: 'm)\n";
    let source = Source::new(text);
    assert_eq!(source.code.lines().count(), 4);
    let words: Vec<&str> = source.code.split_whitespace().collect();
    assert_eq!(words.concat(), "a(\"\");g(,,b\"\",,,'l:'m)");
}
