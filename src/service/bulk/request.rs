//! Reading a bulk request (RFC 7644 §3.7). What is wrong with the message refuses all of it; what is wrong with one operation
//! is that operation's error.

use std::borrow::Cow;
use std::fmt;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::attribute_in;
use crate::{Compat, Error, Leniency, Limits, Repairs, ScimType, Violation};

const BULK_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A bulk request whose operations are not yet looked into.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// after how many errors to stop
    pub(super) fail_on_errors: usize,
    pub(super) operations: Vec<Operation<'a>>,
}

/// One operation as it was sent.
#[derive(Debug, Default)]
pub(super) struct Operation<'a> {
    pub(super) method: Option<Method>,
    pub(super) bulk_id: Option<Cow<'a, str>>,
    pub(super) version: Option<Cow<'a, str>>,
    pub(super) path: Cow<'a, str>,
    pub(super) data: Option<&'a str>,
    /// what is wrong with it by itself
    pub(super) fault: Option<Error>,
}

impl<'a> Message<'a> {
    /// # Errors
    /// 413 when there are more operations than the limit, else 400.
    pub(super) fn read(json: &'a [u8], limits: &Limits, compat: Compat, repairs: &mut Repairs) -> Result<Self, Error> {
        let mut body = Body { most: limits.bulk_operations, ..Body::default() };
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let read = BodySeed(&mut body).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        if body.too_many {
            let detail =
                format!("the bulk request has more operations than the maxOperations ({})", limits.bulk_operations);
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        read.map_err(|error| match body.twice {
            Some(name) => syntax(format!("`{name}` is given twice")),
            None => syntax(Violation::syntax(&error).to_string()),
        })?;
        let mut accepts = |leniency, at: &str| repairs.accept(compat, leniency, || at);
        let uris = body.schemas.unwrap_or_default();
        let is_named = uris.iter().any(|uri| uri.eq_ignore_ascii_case(BULK_REQUEST_SCHEMA));
        if !(is_named || uris.is_empty() && accepts(Leniency::MissingSchemas, "schemas")) {
            return Err(syntax(format!("`schemas` must contain `{BULK_REQUEST_SCHEMA}`")));
        }
        let operations = body.operations.ok_or_else(|| syntax("`Operations` must be an array, and is not there"))?;
        let zero = body.fail_on_errors.filter(|raw| raw.get() == "0");
        let without = zero.is_some_and(|_| accepts(Leniency::ZeroFailOnErrors, "failOnErrors"));
        Ok(Self {
            fail_on_errors: fail_on_errors(body.fail_on_errors.filter(|_| !without))?,
            operations: operations.into_iter().map(|raw| Operation::read(raw.get(), limits)).collect(),
        })
    }
}

impl<'a> Operation<'a> {
    /// Reads what can be read: an operation that is wrong in one part may still say which resource it is about.
    fn read(json: &'a str, limits: &Limits) -> Self {
        let mut this = Self::default();
        let mut members = Members::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        if MembersSeed(&mut members).deserialize(&mut deserializer).is_err() || members.twice {
            let found = if members.twice { "has one of them twice" } else { "is none" };
            this.fault =
                Some(syntax(format!("an operation must be an object with each of its attributes once, and {found}")));
        }
        this.fill(&members, limits);
        this
    }

    fn fill(&mut self, members: &Members<'a>, limits: &Limits) {
        // first what tells the client which operation this was
        self.bulk_id = self.sound(text("bulkId", members.bulk_id));
        if self.bulk_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > limits.id_bytes) {
            self.bulk_id = None;
            self.wrong(invalid(format!("`bulkId` must have 1 to {} bytes", limits.id_bytes)));
        }
        self.method = match self.sound(text("method", members.method)).as_deref() {
            Some("POST") => Some(Method::POST),
            Some("PUT") => Some(Method::PUT),
            Some("PATCH") => Some(Method::PATCH),
            Some("DELETE") => Some(Method::DELETE),
            Some(other) => {
                let detail = format!("`method` must be POST, PUT, PATCH or DELETE, not `{}`", attribute_in(other));
                self.wrong(invalid(detail));
                None
            }
            None => {
                self.wrong(syntax("an operation must have a `method`"));
                None
            }
        };
        let is = |this: &Self, wanted: Method| this.method == Some(wanted);
        if is(self, Method::POST) && self.bulk_id.is_none() {
            self.wrong(syntax("a POST must have a `bulkId`"));
        }
        match self.sound(text("path", members.path)) {
            Some(path) => self.path = path,
            None => self.wrong(syntax("an operation must have a `path`")),
        }
        self.version = self.sound(text("version", members.version));
        // a DELETE has no use for data, wherever it may come from
        self.data = members.data.map(RawValue::get).filter(|data| *data != "null" && !is(self, Method::DELETE));
        if self.data.is_none() && !is(self, Method::DELETE) {
            self.wrong(syntax("an operation must have `data`, unless it is a DELETE"));
        }
    }

    fn sound<T>(&mut self, read: Result<Option<T>, Error>) -> Option<T> {
        read.unwrap_or_else(|fault| {
            self.wrong(fault);
            None
        })
    }

    /// Notes what is wrong, unless something was before.
    fn wrong(&mut self, fault: Error) {
        self.fault.get_or_insert(fault);
    }
}

/// A count from 1; absence is as good as infinity.
fn fail_on_errors(raw: Option<&RawValue>) -> Result<usize, Error> {
    let text = raw.map_or("null", RawValue::get);
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<usize>() {
        _ if text == "null" => Ok(usize::MAX),
        Ok(count) if count > 0 => Ok(count),
        Err(_) if digits => Ok(usize::MAX),
        _ => Err(invalid("`failOnErrors` must be a whole number from 1, and is none")),
    }
}

fn text<'a>(name: &str, raw: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, Error> {
    #[derive(Deserialize)]
    struct Text<'t>(#[serde(borrow)] Cow<'t, str>);
    match raw.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(raw) => {
            let text = serde_json::from_str::<Text<'a>>(raw);
            text.map(|text| Some(text.0)).map_err(|_| syntax(format!("`{name}` must be a string, and is none")))
        }
    }
}

fn syntax(detail: impl Into<Cow<'static, str>>) -> Error {
    Error::bad_request(ScimType::InvalidSyntax, detail)
}

fn invalid(detail: impl Into<Cow<'static, str>>) -> Error {
    Error::bad_request(ScimType::InvalidValue, detail)
}

/// The members of the message. Names are read in any letter case, and none may be there twice.
#[derive(Default)]
struct Body<'a> {
    most: usize,
    schemas: Option<Vec<String>>,
    fail_on_errors: Option<&'a RawValue>,
    operations: Option<Vec<&'a RawValue>>,
    too_many: bool,
    twice: Option<&'static str>,
}

impl Body<'_> {
    fn given_twice<E: serde::de::Error>(&mut self, name: &'static str) -> E {
        self.twice = Some(name);
        E::custom("twice")
    }
}

struct BodySeed<'m, 'a>(&'m mut Body<'a>);

impl<'de> DeserializeSeed<'de> for BodySeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BodySeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `Operations`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let body = self.0;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match name.to_ascii_lowercase().as_str() {
                "schemas" if body.schemas.replace(map.next_value::<Option<_>>()?.unwrap_or_default()).is_some() => {
                    return Err(body.given_twice("schemas"));
                }
                "failonerrors" if body.fail_on_errors.replace(map.next_value()?).is_some() => {
                    return Err(body.given_twice("failOnErrors"));
                }
                "operations" if body.operations.is_some() => return Err(body.given_twice("Operations")),
                "operations" => map.next_value_seed(OperationsSeed(body))?,
                "schemas" | "failonerrors" => {}
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct OperationsSeed<'m, 'a>(&'m mut Body<'a>);

impl<'de> DeserializeSeed<'de> for OperationsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OperationsSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array in `Operations`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let operations = self.0.operations.insert(Vec::new());
        while let Some(operation) = seq.next_element::<&'de RawValue>()? {
            if operations.len() >= self.0.most {
                self.0.too_many = true;
                return Err(A::Error::custom("too many"));
            }
            operations.push(operation);
        }
        Ok(())
    }
}

/// The members of one operation.
#[derive(Default)]
struct Members<'a> {
    method: Option<&'a RawValue>,
    bulk_id: Option<&'a RawValue>,
    version: Option<&'a RawValue>,
    path: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    /// whether one of them is there twice: then the first counts
    twice: bool,
}

struct MembersSeed<'m, 'a>(&'m mut Members<'a>);

impl<'de> DeserializeSeed<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object in `Operations`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let slot = match name.to_ascii_lowercase().as_str() {
                "method" => &mut self.0.method,
                "bulkid" => &mut self.0.bulk_id,
                "version" => &mut self.0.version,
                "path" => &mut self.0.path,
                "data" => &mut self.0.data,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value()?;
            match slot {
                None => *slot = Some(value),
                Some(_) => self.0.twice = true,
            }
        }
        Ok(())
    }
}
