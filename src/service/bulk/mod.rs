//! Bulk requests (RFC 7644 §3.7): many operations in one request, which may refer to what others of them create.

mod job;
mod plan;
mod reference;
mod request;
mod run;
mod text;

use http::Method;
use serde::Serialize;

use self::job::Job;
use self::request::Message;
use self::run::{Done, Run};
use super::Inner;
use super::answer::Reply;
use super::observe::Trace;
use super::request::Call;
use crate::store::Context;
use crate::{Error, ErrorMessage};

/// What it costs to take a bulk request apart, in nanoseconds for each byte.
const BYTE: u64 = 4;

const BULK_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

impl<C: Context> Inner<C> {
    pub(super) async fn bulk(&self, cx: &C, call: &Call<'_>, trace: &mut Trace) -> Result<Reply, Error> {
        call.budget.charge(BYTE.saturating_mul(u64::try_from(call.body.len()).unwrap_or(u64::MAX)));
        let message = Message::read(call.body, &self.limits, self.compat, &mut trace.repairs)?;
        trace.cost.operations = message.operations.len();
        self.admit(cx, call, trace)?;
        let fail_on_errors = message.fail_on_errors;
        let mut job = Job::new(self, message)?;
        let faults = job.tasks.iter_mut().map(|task| task.operation.fault.take()).collect();
        let done = match &self.transaction {
            None => {
                let mut run = Run::new(self, cx, call, &job, faults);
                run.all(fail_on_errors).await;
                run.done
            }
            Some(transaction) => {
                let own = transaction.begin(cx).await?;
                let mut run = Run::new(self, &own, call, &job, faults);
                run.all(1).await;
                let (mut done, errors) = (run.done, run.errors);
                if errors == 0 {
                    transaction.commit(own).await?;
                } else {
                    transaction.roll_back(own).await?;
                    let results = done.iter_mut().zip(&job.tasks);
                    results.for_each(|(done, task)| done.iter_mut().for_each(|done| done.rolled_back(self, task)));
                }
                for (done, task) in done.iter().zip(&job.tasks) {
                    let Some(done) = done else { continue };
                    done.tell(self, cx, task.operation.method.as_ref().unwrap_or(call.method));
                }
                done
            }
        };
        Ok(Reply::json(response(&job, &done)))
    }
}

/// The results of what was tried, in the order of the request.
fn response(job: &Job<'_>, done: &[Option<Done>]) -> Vec<u8> {
    let results = job.tasks.iter().zip(done).filter_map(|(task, done)| {
        let done = done.as_ref()?;
        let (status, version, response) = match &done.outcome {
            Ok(reply) => (reply.status, reply.etag.as_deref(), None),
            Err(refusal) => (refusal.error().status(), None, Some(refusal.error().to_message())),
        };
        Some(OperationResult {
            location: done.location.as_deref(),
            method: task.operation.method.as_ref().map(Method::as_str),
            bulk_id: task.operation.bulk_id.as_deref(),
            version,
            status: status.as_u16().to_string(),
            response,
        })
    });
    let response = BulkResponse { schemas: [BULK_RESPONSE_SCHEMA], operations: results.collect() };
    serde_json::to_vec(&response).unwrap_or_default()
}

#[derive(Serialize)]
struct BulkResponse<'a> {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    operations: Vec<OperationResult<'a>>,
}

/// What came of one operation. A body is there for errors only: the resource can be had at its location.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bulk_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ErrorMessage<'a>>,
}
