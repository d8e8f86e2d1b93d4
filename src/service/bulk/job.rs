//! The operations of a bulk request before they are carried out: where each goes and what it refers to.

use std::borrow::Cow;
use std::collections::HashMap;

use http::Method;

use super::plan::Waits;
use super::reference::{Meaning, PREFIX, Rewriter, may_refer};
use super::request::{Message, Operation};
use crate::percent::encoded;
use crate::service::Inner;
use crate::service::request::{Route, route};
use crate::{Error, ScimType};

/// One operation, with its place among the others.
pub(super) struct Task<'a> {
    pub(super) operation: Operation<'a>,
    pub(super) target: Option<Target<'a>>,
    /// the operations that create what this one refers to
    pub(super) needs: Vec<usize>,
}

/// What an operation is about.
pub(super) enum Target<'a> {
    /// a resource to be made, of the type with this number
    Type(usize),
    /// a resource that is there
    Resource(usize, Cow<'a, str>),
    /// the resource that another operation makes
    New(usize, usize),
}

/// All operations.
pub(super) struct Job<'a> {
    pub(super) tasks: Vec<Task<'a>>,
    /// which operation makes what a name stands for
    pub(super) makers: HashMap<Box<str>, usize>,
}

impl<'a> Job<'a> {
    /// # Errors
    /// When two operations create under the same `bulkId`: nobody could say which of them is meant.
    pub(super) fn new<C>(inner: &Inner<C>, message: Message<'a>) -> Result<Self, Error> {
        let mut makers = HashMap::new();
        for (number, operation) in message.operations.iter().enumerate() {
            let Some(name) = operation.bulk_id.as_deref().filter(|_| operation.method == Some(Method::POST)) else {
                continue;
            };
            if makers.insert(Box::from(name), number).is_some() {
                let detail = format!("`bulkId` `{}` is given to two operations", crate::error::excerpt(name));
                return Err(Error::bad_request(ScimType::InvalidValue, detail));
            }
        }
        let tasks: Vec<_> = message.operations.into_iter().map(|o| Task::new(inner, &makers, o)).collect();
        let mut job = Self { tasks, makers };
        for number in 0..job.tasks.len() {
            // the type of what is made is known only when all targets are
            let needs = job.needs(inner, number);
            let Some(task) = job.tasks.get_mut(number) else { continue };
            match needs {
                Ok(needs) => task.needs = needs,
                Err(fault) => task.operation.fault = task.operation.fault.take().or(Some(fault)),
            }
        }
        Ok(job)
    }

    /// What each operation waits for: those that make what it refers to, and the last one before it on the same resource.
    pub(super) fn waits(&self) -> Waits {
        let mut last: HashMap<(usize, &str), usize> = HashMap::new();
        let mut waits = Vec::with_capacity(self.tasks.len());
        for (number, task) in self.tasks.iter().enumerate() {
            let mut waiting = task.needs.clone();
            let place = match &task.target {
                Some(Target::Resource(at, id)) => Some((*at, id.as_ref())),
                Some(Target::New(at, maker)) => {
                    self.tasks.get(*maker).and_then(|task| Some((*at, task.operation.bulk_id.as_deref()?)))
                }
                Some(Target::Type(_)) | None => None,
            };
            if let Some(before) = place.and_then(|place| last.insert(place, number)) {
                waiting.push(before);
            }
            waits.push(waiting);
        }
        waits
    }

    /// The types of the resources that the operations are about.
    pub(super) fn types(&self) -> Vec<Option<usize>> {
        (0..self.tasks.len()).map(|number| self.type_of(number)).collect()
    }

    /// The type of the resource that an operation is about.
    pub(super) fn type_of(&self, number: usize) -> Option<usize> {
        match self.tasks.get(number)?.target.as_ref()? {
            Target::Type(at) | Target::Resource(at, _) | Target::New(at, _) => Some(*at),
        }
    }

    fn needs<C>(&self, inner: &Inner<C>, number: usize) -> Result<Vec<usize>, Error> {
        let mut needs = Vec::new();
        let mut unknown = None;
        let Some(task) = self.tasks.get(number) else { return Ok(needs) };
        if let Some(Target::New(_, maker)) = &task.target {
            needs.push(*maker);
        }
        if task.operation.fault.is_some() {
            return Ok(needs);
        }
        let registered = self.type_of(number).and_then(|at| inner.types.get(at));
        if let (Some(registered), Some(data)) = (registered, task.operation.data.filter(|data| may_refer(data))) {
            let mut meaning = |name: &str| {
                match self.makers.get(name) {
                    Some(maker) => needs.push(*maker),
                    None => unknown = Some(name.to_owned()),
                }
                Meaning::Keep
            };
            let rewriter = Rewriter::new(&registered.ty, inner.compat, &inner.limits, &mut meaning);
            match task.operation.method == Some(Method::PATCH) {
                true => drop(rewriter.patch(data)),
                false => drop(rewriter.resource(data)),
            }
        }
        if let Some(name) = unknown {
            return Err(no_such_bulk_id(&name));
        }
        needs.sort_unstable();
        needs.dedup();
        Ok(needs)
    }
}

impl<'a> Task<'a> {
    fn new<C>(inner: &Inner<C>, makers: &HashMap<Box<str>, usize>, mut operation: Operation<'a>) -> Self {
        // where an operation goes is part of its result, whatever else is wrong with it
        let target = match find(inner, makers, &operation) {
            Ok(found) => Some(found),
            Err(fault) => {
                operation.fault.get_or_insert(fault);
                None
            }
        };
        Self { operation, target, needs: Vec::new() }
    }

    /// Where an operation went that found no resource: the URL of its path, as it was sent. A creation has none.
    pub(super) fn place<C>(&self, inner: &Inner<C>) -> Option<String> {
        let path = Some(self.operation.path.as_ref()).filter(|path| path.starts_with('/'));
        let path = path.filter(|_| self.operation.method != Some(Method::POST))?;
        let path = path.strip_prefix(inner.prefix.as_str()).filter(|rest| rest.starts_with('/')).unwrap_or(path);
        let mut url = inner.links.base().to_owned();
        let stands_in_a_url = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        url.extend(encoded(path.as_bytes(), stands_in_a_url).map(char::from));
        Some(url)
    }
}

/// Where an operation goes: to the endpoint of a type to create, to a resource for everything else.
fn find<'a, C>(
    inner: &Inner<C>,
    makers: &HashMap<Box<str>, usize>,
    operation: &Operation<'a>,
) -> Result<Target<'a>, Error> {
    let creates = operation.method == Some(Method::POST);
    match (route(inner, &operation.path)?, creates) {
        (Route::Collection(at), true) => Ok(Target::Type(at)),
        (Route::Resource(at, id), false) => match id.strip_prefix(PREFIX) {
            None => Ok(Target::Resource(at, Cow::Owned(id.into_owned()))),
            Some(name) => makers.get(name).map(|maker| Target::New(at, *maker)).ok_or_else(|| no_such_bulk_id(name)),
        },
        (Route::Resource(..), true) => Err(misplaced("a POST must go to the endpoint of a resource type")),
        (Route::Collection(_), false) => Err(misplaced("a PUT, PATCH or DELETE must go to a resource")),
        _ => Err(misplaced("an operation must go to a resource type or a resource")),
    }
}

fn misplaced(detail: &'static str) -> Error {
    Error::bad_request(ScimType::InvalidValue, detail)
}

fn no_such_bulk_id(name: &str) -> Error {
    let detail = format!("no operation creates `bulkId` `{}`", crate::error::excerpt(name));
    Error::bad_request(ScimType::InvalidValue, detail)
}
