//! Carrying the operations of a bulk request out, each as if it had come alone (RFC 7644 §3.7).

use std::borrow::Cow;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};

use super::job::{Job, Target, Task};
use super::plan::plan;
use super::reference::{Deferred, Meaning, Rewriter, may_refer};
use crate::budget::yield_now;
use crate::etag::Tags;
use crate::messages::PATCH_OP_SCHEMA;
use crate::resource::scan::write_string;
use crate::service::answer::Reply;
use crate::service::observe::Trace;
use crate::service::request::{Call, Route};
use crate::service::{Inner, Refusal, Registered};
use crate::store::{Context, Key, Precondition};
use crate::{Error, ScimType};

/// What it costs to put ids into a body, in nanoseconds for each byte.
const REWRITING: u64 = 10;

/// What an operation costs besides what it does.
const DISPATCH: u64 = 1_500;
/// What it costs to make a PATCH of the references that were left out, and to carry it out, besides the write.
const COMPLETING: u64 = 12_000;

/// What came of an operation.
pub(super) struct Done {
    trace: Trace,
    pub(super) outcome: Result<Reply, Refusal>,
    pub(super) location: Option<String>,
    elapsed: Duration,
}

/// A job while it is carried out.
pub(super) struct Run<'r, C> {
    inner: &'r Inner<C>,
    cx: &'r C,
    /// the bulk request itself
    call: &'r Call<'r>,
    job: &'r Job<'r>,
    /// the ids of what was made, by operation
    made: Vec<Option<String>>,
    faults: Vec<Option<Error>>,
    pub(super) done: Vec<Option<Done>>,
    pub(super) errors: usize,
}

/// An operation that was tried as a part of a circle.
struct Attempt {
    number: usize,
    trace: Trace,
    start: Instant,
    outcome: Result<Reply, Error>,
    deferred: Vec<Deferred>,
}

impl<'r, C: Context> Run<'r, C> {
    pub(super) fn new(
        inner: &'r Inner<C>,
        cx: &'r C,
        call: &'r Call<'r>,
        job: &'r Job<'r>,
        faults: Vec<Option<Error>>,
    ) -> Self {
        let made = vec![None; job.tasks.len()];
        let done = job.tasks.iter().map(|_| None).collect();
        Self { inner, cx, call, job, made, faults, done, errors: 0 }
    }

    /// Tries everything, until there are so many errors.
    pub(super) async fn all(&mut self, fail_on_errors: usize) {
        for unit in plan(&self.job.waits(), &self.job.types()) {
            if self.errors >= fail_on_errors {
                return;
            }
            // a store in memory never waits, and a request with many operations is not the only one
            yield_now().await;
            match unit.operations.as_slice() {
                [number] if !unit.circular => self.one(*number).await,
                operations => self.circle(operations).await,
            }
        }
    }

    async fn one(&mut self, number: usize) {
        let attempt = self.attempt(number, &[]).await;
        self.finish(attempt);
    }

    /// Creates what refers to each other in a circle without the references that lead to what is not there yet, and adds
    /// those when it is (RFC 7644 §3.7.1). All of it or nothing: where one fails, the others are taken back.
    async fn circle(&mut self, numbers: &[usize]) {
        let mut attempts = Vec::with_capacity(numbers.len());
        if !self.affords(numbers) {
            for number in numbers {
                let (start, trace, deferred) = (Instant::now(), Trace::default(), Vec::new());
                self.finish(Attempt { number: *number, trace, start, outcome: Err(self.spent()), deferred });
            }
            return;
        }
        for number in numbers {
            yield_now().await;
            let attempt = self.attempt(*number, numbers).await;
            let failed = attempt.outcome.is_err();
            attempts.push(attempt);
            if failed {
                return self.undo(numbers, attempts).await;
            }
        }
        for at in 0..attempts.len() {
            let Some(attempt) = attempts.get_mut(at) else { continue };
            yield_now().await;
            self.complete(attempt).await;
            if attempt.outcome.is_err() {
                return self.undo(numbers, attempts).await;
            }
        }
        attempts.into_iter().for_each(|attempt| self.finish(attempt));
    }

    /// Tries one operation. References within `circle` that lead nowhere yet are left out.
    async fn attempt(&mut self, number: usize, circle: &[usize]) -> Attempt {
        let (start, mut trace) = (Instant::now(), Trace::default());
        let mut deferred = Vec::new();
        let outcome = match self.faults.get_mut(number).and_then(Option::take) {
            Some(fault) => {
                self.note(number, &mut trace);
                Err(fault)
            }
            None => self.carry(number, circle, &mut trace, &mut deferred).await,
        };
        if let (Ok(_), Some(slot), Some(Target::Type(_))) =
            (&outcome, self.made.get_mut(number), self.job.tasks.get(number).and_then(|task| task.target.as_ref()))
        {
            *slot = trace.id.clone();
        }
        Attempt { number, trace, start, outcome, deferred }
    }

    async fn carry(
        &self,
        number: usize,
        circle: &[usize],
        trace: &mut Trace,
        deferred: &mut Vec<Deferred>,
    ) -> Result<Reply, Error> {
        self.note(number, trace);
        let task = self.job.tasks.get(number).ok_or_else(|| Error::not_found("no such operation"))?;
        let missing = |need: &&usize| self.id(**need).is_none() && circle.binary_search(need).is_err();
        if let Some(maker) = task.needs.iter().find(missing) {
            let name = self.job.tasks.get(*maker).and_then(|task| task.operation.bulk_id.as_deref());
            let name = crate::error::excerpt(name.unwrap_or_default());
            return Err(conflict(format!("the operation that creates `bulkId` `{name}` failed")));
        }
        let route = self.route(number).ok_or_else(|| Error::not_found("no such endpoint"))?;
        self.charge(number)?;
        let method = self.method(number);
        let mut body = Cow::Borrowed(task.operation.data.unwrap_or_default().as_bytes());
        if let (Some(data), Some(registered)) =
            (task.operation.data.filter(|data| may_refer(data)), self.registered(number))
        {
            let mut meaning = |name: &str| self.meaning(name);
            let rewriter = Rewriter::new(&registered.ty, self.inner.compat, &self.inner.limits, &mut meaning);
            body = Cow::Owned(match *method {
                Method::PATCH => rewriter.patch(data),
                _ => {
                    let (body, left_out) = rewriter.resource(data);
                    *deferred = left_out;
                    body
                }
            });
        }
        let if_match =
            match task.operation.version.as_deref().filter(|_| *method != Method::POST) {
                None => None,
                Some(version) => Some(Tags::parse(version, 1).ok_or_else(|| {
                    Error::bad_request(ScimType::InvalidValue, "`version` must be an entity tag or `*`")
                })?),
            };
        self.send(route, method, &body, if_match, trace).await
    }

    /// Takes what the store says that a write costs, or refuses when what went before has used all up. The last one may cost
    /// more than is left: by no more than a request of its own may cost.
    fn charge(&self, number: usize) -> Result<(), Error> {
        let budget = &self.call.budget;
        if budget.left() == 0 {
            return Err(self.spent());
        }
        let registered = self.registered(number);
        let write = registered.map_or(0, |registered| registered.store.capabilities().write_work);
        budget.charge(write.saturating_add(DISPATCH));
        let data = self.job.tasks.get(number).and_then(|task| task.operation.data);
        if let Some(data) = data.filter(|data| may_refer(data)) {
            budget.charge(REWRITING.saturating_mul(u64::try_from(data.len()).unwrap_or(u64::MAX)));
        }
        Ok(())
    }

    /// Whether there is enough for a circle: each of its operations is a creation, and another write that adds what refers to
    /// the others or, where one of them fails, takes it back.
    fn affords(&self, numbers: &[usize]) -> bool {
        let work = |number: &usize| {
            let registered = self.registered(*number);
            let references = self.job.tasks.get(*number).map_or(0, |task| task.needs.len());
            registered.map_or(0, |registered| {
                let can = registered.store.capabilities();
                let references = u64::try_from(references).unwrap_or(u64::MAX).saturating_mul(can.value_work);
                can.write_work.saturating_mul(2).saturating_add(references).saturating_add(COMPLETING)
            })
        };
        numbers.iter().map(work).fold(0, u64::saturating_add) <= self.call.budget.left()
    }

    /// As of a request that is too large, the answer names the limit (RFC 7644 §3.7.4).
    fn spent(&self) -> Error {
        let most = self.inner.limits.work;
        let detail = format!(
            "this operation is more work than those before it have left of what a bulk request may cost (`work`: {most})"
        );
        Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// Adds the references that were left out.
    async fn complete(&self, attempt: &mut Attempt) {
        let registered = self.registered(attempt.number);
        let (Some(registered), false) = (registered, attempt.deferred.is_empty()) else { return };
        let mut body = format!("{{\"schemas\":[\"{PATCH_OP_SCHEMA}\"],\"Operations\":[").into_bytes();
        for (at, group) in attempt.deferred.chunk_by(|a, b| a.attribute == b.attribute).enumerate() {
            let Some(attribute) = group.first().map(|first| first.attribute) else { continue };
            body.extend_from_slice(if at > 0 { b",{\"op\":\"add\",\"path\":" } else { b"{\"op\":\"add\",\"path\":" });
            write_string(&mut body, &registered.ty.table().path(attribute));
            body.extend_from_slice(b",\"value\":");
            let values = group.iter().map(|deferred| {
                let mut meaning = |name: &str| self.meaning(name);
                Rewriter::new(&registered.ty, self.inner.compat, &self.inner.limits, &mut meaning).value(deferred)
            });
            let values: Vec<Vec<u8>> = values.collect();
            let multi = registered.ty.node(attribute).is_multi();
            body.extend_from_slice(if multi { b"[" } else { b"" });
            body.extend_from_slice(&values.join(&b','));
            body.extend_from_slice(if multi { b"]}" } else { b"}" });
        }
        body.extend_from_slice(b"]}");
        let (Some(at), Some(id)) = (self.job.type_of(attempt.number), self.id(attempt.number)) else { return };
        self.call.budget.charge(registered.store.capabilities().write_work.saturating_add(COMPLETING));
        let mut trace = Trace::default();
        let patched = self.send(Route::Resource(at, Cow::Borrowed(id)), &Method::PATCH, &body, None, &mut trace).await;
        attempt.trace.absorb(trace);
        match (patched, &mut attempt.outcome) {
            (Ok(patched), Ok(reply)) => reply.etag = patched.etag.or(reply.etag.take()),
            (Err(error), outcome) => *outcome = Err(error),
            (Ok(_), Err(_)) => {}
        }
    }

    /// Takes back what the operations of a circle made, and says of each what came of it. In a transaction the failure that
    /// leads here has the whole request rolled back, and nothing of it stays.
    async fn undo(&mut self, numbers: &[usize], attempts: Vec<Attempt>) {
        let by_hand = self.inner.transaction.is_none();
        let mut attempts = attempts.into_iter();
        for number in numbers {
            let (start, trace) = (Instant::now(), Trace::default());
            let mut attempt = attempts.next().unwrap_or_else(|| {
                let outcome = Err(conflict("an operation that this one refers to failed"));
                Attempt { number: *number, trace, start, outcome, deferred: Vec::new() }
            });
            yield_now().await;
            let made = self.made.get_mut(*number).and_then(Option::take);
            let stays = match &made {
                Some(id) if by_hand => !self.take_back(*number, id).await,
                _ => false,
            };
            attempt.trace.id.take_if(|_| !stays);
            let outcome = match attempt.outcome {
                Ok(_) if stays => {
                    Err(conflict("an operation that this one refers to failed: the resource stands without it"))
                }
                Ok(_) => Err(conflict("an operation that this one refers to failed")),
                failed => failed,
            };
            let location =
                made.filter(|_| stays).and_then(|id| Some(self.location_of(self.job.type_of(*number)?, &id)));
            self.finish(Attempt { outcome, ..attempt });
            if let Some(done) = self.done.get_mut(*number).and_then(Option::as_mut) {
                done.location = location;
            }
        }
    }

    async fn take_back(&self, number: usize, id: &str) -> bool {
        let registered = self.registered(number);
        let Some(registered) = registered.filter(|r| r.store.capabilities().delete) else { return false };
        registered.store.delete(self.cx, Key::new(&registered.ty, id), Precondition::NONE).await.is_ok()
    }

    async fn send(
        &self,
        route: Route<'_>,
        method: &Method,
        body: &[u8],
        if_match: Option<Tags>,
        trace: &mut Trace,
    ) -> Result<Reply, Error> {
        if body.len() > self.inner.limits.body_bytes {
            let detail = format!("`data` is longer than {} bytes", self.inner.limits.body_bytes);
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        let call = Call {
            route,
            method,
            query: "",
            body,
            if_match,
            if_none_match: None,
            media_type: self.call.media_type,
            from_entra: self.call.from_entra,
            wants_body: false,
            in_bulk: true,
            budget: self.call.budget.clone(),
            pipe: None,
        };
        self.inner.carry_out_call(self.cx, &call, trace).await
    }

    fn finish(&mut self, attempt: Attempt) {
        let Attempt { number, trace, start, outcome, .. } = attempt;
        self.errors += usize::from(outcome.is_err());
        let location = match &outcome {
            Ok(Reply { location: Some(location), .. }) => Some(location.clone()),
            _ => match self.route(number) {
                Some(Route::Resource(at, id)) => Some(self.location_of(at, &id)),
                _ => self.job.tasks.get(number).and_then(|task| task.place(self.inner)),
            },
        };
        let done = Done { trace, outcome: outcome.map_err(Refusal::from), location, elapsed: start.elapsed() };
        // what may be rolled back is told when it is certain
        if self.inner.transaction.is_none() {
            done.tell(self.inner, self.cx, self.method(number));
        }
        if let Some(slot) = self.done.get_mut(number) {
            *slot = Some(done);
        }
    }

    /// The type of the resource that an operation is about.
    fn registered(&self, number: usize) -> Option<&'r Registered<C>> {
        self.job.type_of(number).and_then(|at| self.inner.types.get(at))
    }

    fn method(&self, number: usize) -> &Method {
        let method = self.job.tasks.get(number).and_then(|task| task.operation.method.as_ref());
        method.unwrap_or(self.call.method)
    }

    fn note(&self, number: usize, trace: &mut Trace) {
        let method = self.job.tasks.get(number).and_then(|task| task.operation.method.as_ref());
        if let (Some(method), Some(route)) = (method, self.route(number)) {
            trace.at(self.inner, method, &route);
        }
    }

    /// Where an operation goes, if that is known already.
    fn route(&self, number: usize) -> Option<Route<'_>> {
        match self.job.tasks.get(number)?.target.as_ref()? {
            Target::Type(at) => Some(Route::Collection(*at)),
            Target::Resource(at, id) => Some(Route::Resource(*at, Cow::Borrowed(id))),
            Target::New(at, maker) => Some(Route::Resource(*at, Cow::Borrowed(self.id(*maker)?))),
        }
    }

    fn id(&self, number: usize) -> Option<&str> {
        self.made.get(number)?.as_deref()
    }

    fn meaning(&self, name: &str) -> Meaning {
        let Some(maker) = self.job.makers.get(name) else { return Meaning::Keep };
        match (self.id(*maker), self.job.type_of(*maker)) {
            (Some(id), Some(at)) => Meaning::Made { id: id.to_owned(), location: self.location_of(at, id) },
            _ => Meaning::Later,
        }
    }

    fn location_of(&self, at: usize, id: &str) -> String {
        self.inner.types.get(at).map(|registered| self.inner.location(registered, id)).unwrap_or_default()
    }
}

impl Done {
    /// Tells the observer.
    pub(super) fn tell<C: Context>(&self, inner: &Inner<C>, cx: &C, method: &Method) {
        if let Some(observer) = &inner.observer {
            observer.exchange(cx, &self.trace.exchange(method, &self.outcome, self.elapsed));
        }
    }

    /// Says that it was undone because another operation failed.
    pub(super) fn rolled_back<C>(&mut self, inner: &Inner<C>, task: &Task<'_>) {
        if self.outcome.is_ok() {
            let detail = "rolled back, because another operation of the bulk request failed";
            self.outcome = Err(conflict(detail).into());
        }
        if !matches!(task.target, Some(Target::Resource(..))) {
            // what was made is not there any more
            (self.location, self.trace.id) = (task.place(inner), None);
        }
    }
}

fn conflict(detail: impl Into<Cow<'static, str>>) -> Error {
    Error::new(StatusCode::CONFLICT, detail)
}
