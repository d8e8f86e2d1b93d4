//! The parameters of a query as they travel, and what they come to for a resource type.

use std::borrow::Cow;

use super::Query;
use crate::compat::{Compat, Repairs};
use crate::cursor::{Cursor, Seal, Token, hash};
use crate::filter::{BoundFilter, Filter};
use crate::messages::{SEARCH_REQUEST_SCHEMA, SearchRequest, SortOrder};
use crate::percent::decoded;
use crate::resource::{Links, Projection};
use crate::schema::ResourceType;
use crate::schema::table::AttrId;
use crate::sort::Sort;
use crate::{AttrPath, Budget, Error, Limits, ScimType};

/// The parameters of a query as they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters<'a> {
    pub(crate) filter: Option<Cow<'a, str>>,
    pub(crate) sort_by: Option<Cow<'a, str>>,
    pub(crate) sort_order: Option<Cow<'a, str>>,
    pub(crate) start_index: Option<i128>,
    pub(crate) count: Option<i128>,
    /// empty for the first page
    pub(crate) cursor: Option<Cow<'a, str>>,
    pub(crate) attributes: Vec<Cow<'a, str>>,
    pub(crate) excluded: Vec<Cow<'a, str>>,
    /// whose query it is: a cursor of another tenant is one of another query
    tenant: &'a str,
    seal: Option<&'a Seal>,
    /// what the request may still cost, where it is a part of one
    budget: Option<Budget>,
}

impl<'a> Parameters<'a> {
    /// The same for a tenant, with what its cursors are sealed with.
    pub(crate) fn of_tenant(self, tenant: &'a str, seal: Option<&'a Seal>) -> Self {
        Self { tenant, seal, ..self }
    }

    /// The same at the expense of the request that it belongs to.
    pub(crate) fn charged_to(self, budget: &Budget) -> Self {
        Self { budget: Some(budget.clone()), ..self }
    }

    /// Reads a URL's query string: form-encoded, unknown parameters ignored, an empty value as good as none.
    pub(crate) fn from_url(query: &'a str, limits: &Limits) -> Result<Self, Error> {
        let mut this = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            let slot = match name.as_ref() {
                n if n.eq_ignore_ascii_case("filter") => &mut this.filter,
                n if n.eq_ignore_ascii_case("sortBy") => &mut this.sort_by,
                n if n.eq_ignore_ascii_case("sortOrder") => &mut this.sort_order,
                n if n.eq_ignore_ascii_case("startIndex") => {
                    set_once(&mut this.start_index, integer("startIndex", &decode(value)?)?, "startIndex")?;
                    continue;
                }
                n if n.eq_ignore_ascii_case("count") => {
                    let count = integer("count", &decode(value)?).map_err(|e| invalid_count(e.detail().to_owned()))?;
                    set_once(&mut this.count, count, "count")?;
                    continue;
                }
                n if n.eq_ignore_ascii_case("cursor") => {
                    // `cursor` alone asks for the first page (RFC 9865 §2)
                    if this.cursor.replace(decode(value)?).is_some() {
                        return Err(invalid("parameter `cursor` is given twice"));
                    }
                    continue;
                }
                n if n.eq_ignore_ascii_case("attributes") => {
                    names(&mut this.attributes, decode(value)?, limits)?;
                    continue;
                }
                n if n.eq_ignore_ascii_case("excludedAttributes") => {
                    names(&mut this.excluded, decode(value)?, limits)?;
                    continue;
                }
                _ => continue,
            };
            if !value.is_empty() && slot.replace(decode(value)?).is_some() {
                return Err(invalid(format!("parameter `{name}` is given twice")));
            }
        }
        Ok(this)
    }

    /// Reads the body of a `/.search` request.
    pub(crate) fn from_body(json: &[u8], limits: &Limits) -> Result<Self, Error> {
        let message: SearchRequest = serde_json::from_slice(json).map_err(|e| search_problem(&e))?;
        if !message.schemas.iter().any(|uri| uri.eq_ignore_ascii_case(SEARCH_REQUEST_SCHEMA)) {
            let detail = "`schemas` must contain `urn:ietf:params:scim:api:messages:2.0:SearchRequest`";
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail));
        }
        let names =
            |names: Option<Vec<String>>| names.unwrap_or_default().into_iter().map(Cow::Owned).collect::<Vec<_>>();
        let (attributes, excluded) = (names(message.attributes), names(message.excluded_attributes));
        if attributes.len().max(excluded.len()) > limits.projection_names {
            return Err(invalid("too many attribute names"));
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Cow::Owned);
        Ok(Self {
            filter: given(message.filter),
            sort_by: given(message.sort_by),
            sort_order: message.sort_order.map(|order| order.as_keyword().into()),
            start_index: message.start_index.map(i128::from),
            count: message.count.map(i128::from),
            cursor: message.cursor.map(Cow::Owned),
            attributes,
            excluded,
            ..Self::default()
        })
    }

    /// The projection of an answer.
    pub(crate) fn projection(&self, ty: &ResourceType, compat: Compat) -> Result<Projection, Error> {
        let all = |names: &'_ [Cow<'a, str>]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        match (self.attributes.is_empty(), self.excluded.is_empty()) {
            (true, true) => Ok(Projection::default_of(ty)),
            (false, true) => Ok(Projection::only(ty, all(&self.attributes).iter().map(String::as_str), compat)),
            (true, false) => Ok(Projection::without(ty, all(&self.excluded).iter().map(String::as_str), compat)),
            (false, false) => Err(invalid("`attributes` and `excludedAttributes` exclude each other")),
        }
    }

    /// Whether the request says what it wants to see.
    pub(crate) fn names_attributes(&self) -> bool {
        !self.attributes.is_empty() || !self.excluded.is_empty()
    }

    /// Binds the query to a resource type.
    pub(crate) fn bind(
        &self,
        ty: &ResourceType,
        compat: Compat,
        limits: &Limits,
        repairs: &mut Repairs,
        links: Option<&Links>,
    ) -> Result<Query, Error> {
        let parsed = self.parse_filter(limits)?;
        let filter =
            parsed.as_ref().map(|filter| self.bind_filter(filter, ty, (compat, links), repairs)).transpose()?;
        let sort = self.sort(ty, compat)?;
        let written = parsed.filter(|_| self.cursor.is_some()).map(|filter| filter.to_string()).unwrap_or_default();
        let identity = self.identity(ty.name(), &written, sort.as_ref());
        let cursor = self.cursor(identity, sort.as_ref())?;
        self.assemble(ty, filter, sort, cursor, identity, compat, limits)
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of the query, understood apart from the others")]
    pub(super) fn assemble(
        &self,
        ty: &ResourceType,
        filter: Option<BoundFilter>,
        sort: Option<Sort>,
        cursor: Option<Cursor>,
        identity: u64,
        compat: Compat,
        limits: &Limits,
    ) -> Result<Query, Error> {
        let answer = self.projection(ty, compat)?;
        let needs = filter.iter().flat_map(BoundFilter::attributes).chain(sort.iter().map(Sort::attribute));
        let projection = answer.and(needs.collect::<Vec<AttrId>>());
        Ok(Query {
            filter,
            sort,
            offset: self.offset(),
            cursor,
            limit: self.limit(limits),
            projection,
            answer,
            scan: limits.scan,
            bytes: limits.query_bytes,
            references: limits.listed_references,
            budget: self.budget.clone().unwrap_or_else(|| Budget::new(limits.work)),
            identity,
        })
    }

    pub(super) fn parse_filter(&self, limits: &Limits) -> Result<Option<Filter<'_>>, Error> {
        // the error is not kept as the source: it holds the filter, and the filter what somebody is looking for
        let parse = |text| Filter::parse(text, limits).map_err(|e| invalid_filter(e.to_string()));
        self.filter.as_deref().map(parse).transpose()
    }

    pub(super) fn bind_filter(
        &self,
        filter: &Filter<'_>,
        ty: &ResourceType,
        (compat, links): (Compat, Option<&Links>),
        repairs: &mut Repairs,
    ) -> Result<BoundFilter, Error> {
        let bound = filter.bind_with(ty, compat, links).map_err(|e| invalid_filter(e.to_string()))?;
        repairs.append(bound.repairs().clone());
        Ok(bound)
    }

    pub(super) fn offset(&self) -> usize {
        at_least(self.start_index.unwrap_or(1), 1) - 1
    }

    pub(super) fn limit(&self, limits: &Limits) -> usize {
        self.count.map_or(limits.page_default, |n| at_least(n, 0)).min(limits.page_max)
    }

    /// Where a page by cursor begins, when the request asks for one.
    pub(super) fn cursor(&self, identity: u64, sort: Option<&Sort>) -> Result<Option<Cursor>, Error> {
        let Some(text) = &self.cursor else { return Ok(None) };
        if self.start_index.is_some() {
            return Err(invalid("`startIndex` and `cursor` exclude each other"));
        }
        if text.is_empty() {
            return Ok(Some(Cursor::Beginning));
        }
        let token =
            Token::from_text(text, sort, self.seal).filter(|token| token.query == identity).ok_or_else(|| {
                let detail = "the cursor is not one of this query: leave it empty to begin anew";
                Error::bad_request(ScimType::InvalidCursor, detail)
            })?;
        if token.count != self.whole_count() {
            return Err(invalid_count("`count` must stay the same from page to page"));
        }
        Ok(Some(if token.back { Cursor::Before(token.position) } else { Cursor::After(token.position) }))
    }

    /// The text in which a client carries a cursor; an empty one for the beginning.
    pub(crate) fn cursor_text(&self, query: &Query, cursor: Cursor) -> String {
        self.token_text(query.identity, query.sort.as_ref(), cursor)
    }

    pub(super) fn token_text(&self, query: u64, sort: Option<&Sort>, cursor: Cursor) -> String {
        let (back, position) = match cursor {
            Cursor::Beginning => return String::new(),
            Cursor::After(position) => (false, position),
            Cursor::Before(position) => (true, position),
        };
        Token { query, count: self.whole_count(), back, position }.to_text(sort, self.seal)
    }

    fn whole_count(&self) -> Option<i64> {
        self.count.map(|count| i64::try_from(count).unwrap_or(if count < 0 { i64::MIN } else { i64::MAX }))
    }

    /// What makes two requests pages of the same query: the tenant, and all parameters but `cursor` and `count`, which is told
    /// apart. How names are spelt does not matter; the RFC's own example spells them in two ways.
    pub(super) fn identity(&self, scope: &str, filter: &str, sort: Option<&Sort>) -> u64 {
        if self.cursor.is_none() {
            return 0;
        }
        let order = sort.map(|sort| format!("{} {}", sort.path(), sort.is_descending())).unwrap_or_default();
        let names = |names: &[Cow<'_, str>]| names.join(",").to_ascii_lowercase();
        let (tenant, scope) = (self.tenant.to_owned(), scope.to_owned());
        let parts = [tenant, scope, filter.to_ascii_lowercase(), order, names(&self.attributes), names(&self.excluded)];
        hash(parts.iter().map(String::as_bytes))
    }

    pub(super) fn sort(&self, ty: &ResourceType, compat: Compat) -> Result<Option<Sort>, Error> {
        let Some(by) = &self.sort_by else { return Ok(None) };
        let keyword = self.sort_order.as_deref().map_or(Some(SortOrder::Ascending), SortOrder::from_keyword);
        let order = keyword.ok_or_else(|| invalid("`sortOrder` must be ascending or descending"))?;
        let path = AttrPath::parse(by.trim());
        let sort = path.ok().and_then(|path| Sort::new(ty, &path, order == SortOrder::Descending, compat));
        sort.map(Some).ok_or_else(|| invalid(format!("cannot sort by `{}`", crate::error::attribute_in(by))))
    }

    pub(super) fn descends(&self) -> bool {
        self.sort_order.as_deref().and_then(SortOrder::from_keyword) == Some(SortOrder::Descending)
    }
}

/// What is wrong with a search request: in its own words where it speaks of a member, without those of the JSON reader.
fn search_problem(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let expects = |name| text.rsplit_once(", expected ").is_some_and(|(_, expected)| expected.starts_with(name));
    match error.classify() {
        serde_json::error::Category::Data if text.starts_with('`') => invalid(text),
        // as in a URL; what the client sent stands before what was expected, and cannot be taken for it
        serde_json::error::Category::Data if expects("`count`") => invalid_count("`count` must be a whole number"),
        serde_json::error::Category::Data if expects("`startIndex`") => invalid("`startIndex` must be a whole number"),
        serde_json::error::Category::Data if expects("`cursor`") => {
            Error::bad_request(ScimType::InvalidCursor, "`cursor` must be a string")
        }
        serde_json::error::Category::Data => {
            let place = format!("line {}, column {}", error.line(), error.column());
            let detail = format!("a member of the search request has the wrong type at {place}");
            Error::bad_request(ScimType::InvalidSyntax, detail)
        }
        _ => Error::bad_request(ScimType::InvalidSyntax, crate::resource::Violation::syntax(error).to_string()),
    }
}

fn names<'a>(list: &mut Vec<Cow<'a, str>>, value: Cow<'a, str>, limits: &Limits) -> Result<(), Error> {
    for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if list.len() >= limits.projection_names {
            return Err(invalid("too many attribute names"));
        }
        list.push(Cow::Owned(name.to_owned()));
    }
    Ok(())
}

fn set_once(slot: &mut Option<i128>, value: Option<i128>, name: &str) -> Result<(), Error> {
    match (value, &slot) {
        (None, _) => Ok(()),
        (Some(value), None) => {
            *slot = Some(value);
            Ok(())
        }
        (Some(_), Some(_)) => Err(invalid(format!("parameter `{name}` is given twice"))),
    }
}

fn integer(name: &str, text: &str) -> Result<Option<i128>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.trim().parse().map(Some).map_err(|_| invalid(format!("`{name}` must be a whole number")))
}

fn invalid_count(detail: impl Into<Cow<'static, str>>) -> Error {
    Error::bad_request(ScimType::InvalidCount, detail)
}

fn invalid_filter(detail: String) -> Error {
    Error::bad_request(ScimType::InvalidFilter, detail)
}

/// A number as it was sent, brought into range.
fn at_least(number: i128, least: i128) -> usize {
    usize::try_from(number.max(least)).unwrap_or(usize::MAX)
}

pub(super) fn invalid(detail: impl Into<Cow<'static, str>>) -> Error {
    Error::bad_request(ScimType::InvalidValue, detail)
}

/// Decodes form encoding: `+` is a blank, `%XX` a byte. What is no UTF-8 or no encoding is refused.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, Error> {
    if !text.contains(['+', '%']) {
        return Ok(Cow::Borrowed(text));
    }
    let bytes = decoded(text.bytes().map(|b| if b == b'+' { b' ' } else { b }));
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Cow::Owned).ok_or_else(|| invalid("the URL is not correctly encoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Parameters<'_>, String> {
        Parameters::from_url(query, &Limits::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn form_encoding_and_dangling_separators_are_understood() {
        let p = read("filter=userName+eq+%22a%2Bb%22&&aadOptscim062020&attributes=id, userName,&").unwrap();
        assert_eq!(p.filter.as_deref(), Some("userName eq \"a+b\""));
        assert_eq!(p.attributes, ["id", "userName"]);
    }

    #[test]
    fn what_is_no_number_or_given_twice_is_refused() {
        for query in [
            "count=abc",
            "startIndex=1.5",
            "startIndex=0x1",
            "count=1&count=2",
            "filter=%ff",
            "filter=%2",
            "filter=a&filter=b",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
        assert_eq!(read("count=&startIndex=").unwrap().count, None);
        assert_eq!(read("startIndex=18446744073709551616").unwrap().start_index, Some(1 << 64));
    }
}
