//! actix-web 4 speaks `http` 0.2 and `scim-provider` speaks `http` 1: a request's head and a response, from one to the other.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode as Status;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use scim_example_app::Answer;
use scim_provider::Error;

/// The head of a request as the client has sent it: the path and the query with their escapes, each header as often as it came.
///
/// # Errors
/// A response with 400, when only the older `http` takes the head for valid.
#[expect(clippy::result_large_err, reason = "the error is the answer, which is sent at once")]
pub(crate) fn head(request: &HttpRequest) -> Result<Parts, Response<Answer>> {
    parts(request).map_err(|error| {
        let error = Error::new(StatusCode::BAD_REQUEST, "the request cannot be read").with_source(error);
        error.to_response().map(Answer::from)
    })
}

/// A response, header by header.
pub(crate) fn response(response: Response<Answer>) -> HttpResponse {
    let (head, body) = response.into_parts();
    let status = Status::from_u16(head.status.as_u16()).unwrap_or(Status::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    for (name, value) in &head.headers {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    // the answer to HEAD has the length of a body that is left out
    let length = head.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    match body {
        Answer::Whole(body) => answer.body(Cut { length: length.unwrap_or(body.len() as u64), body }),
        Answer::Pieces(pieces) => answer.streaming(pieces),
    }
}

/// How much actix-web is given at once. It copies what it is given: of an answer that nobody reads, no more than this is there
/// twice.
const PIECE: usize = 16 << 10;

/// A body of so many bytes, of which some or all are sent.
struct Cut {
    length: u64,
    body: Bytes,
}

impl MessageBody for Cut {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.body.len().min(PIECE);
        Poll::Ready((length > 0).then(|| Ok(self.body.split_to(length))))
    }
}

fn parts(request: &HttpRequest) -> Result<Parts, http::Error> {
    let target = request.uri().to_string();
    let version =
        if request.version() < actix_web::http::Version::HTTP_11 { Version::HTTP_10 } else { Version::HTTP_11 };
    let (mut parts, ()) =
        Request::builder().method(request.method().as_str()).uri(target).version(version).body(())?.into_parts();
    for (name, value) in request.headers() {
        let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
        parts.headers.append(HeaderName::from_bytes(name)?, HeaderValue::from_bytes(value)?);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use http::Method;

    use super::*;

    #[test]
    fn a_head_stays_as_it_was_sent() {
        for target in [
            "/scim/v2/Users?filter=userName%20eq%20%22a%2Fb%22&x=%zz&&y",
            "/scim/v2/Users/a%2Fb%20c%00",
            "/scim/v2//Users/../Groups/",
            "/scim/v2/Users?",
            "https://elsewhere.example/scim/v2/Users?a=b",
            "*",
        ] {
            let request = TestRequest::with_uri(target).method(actix_web::http::Method::HEAD).to_http_request();
            let head = head(&request).unwrap();
            assert_eq!((head.method, head.uri.to_string()), (Method::HEAD, target.to_owned()));
        }
    }

    #[test]
    fn a_header_comes_as_often_as_it_was_sent() {
        let request = TestRequest::default()
            .append_header(("authorization", "Bearer one"))
            .append_header(("If-Match", "W/\"1\""))
            .append_header(("Authorization", "Bearer two"))
            .append_header(("x", &b"\xe9"[..]))
            .to_http_request();
        let head = head(&request).unwrap();
        let both: Vec<_> = head.headers.get_all("authorization").iter().collect();
        assert_eq!(both, ["Bearer one", "Bearer two"]);
        assert_eq!((head.headers.len(), head.headers["x"].as_bytes()), (4, &b"\xe9"[..]));
    }

    #[actix_web::test]
    async fn an_answer_stays_as_it_was_given() {
        let given = Response::builder()
            .status(418)
            .header("etag", "W/\"1\"")
            .header("x", "one")
            .header("x", HeaderValue::from_bytes(b"\xe9").unwrap())
            .body(Answer::from(b"{}".to_vec()))
            .unwrap();
        let answer = response(given);
        assert_eq!(answer.status().as_u16(), 418);
        let headers: Vec<_> = answer.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        for expected in [("etag", &b"W/\"1\""[..]), ("x", b"one"), ("x", b"\xe9")] {
            assert!(headers.contains(&expected), "{headers:?}");
        }
        assert_eq!(headers.len(), 3);
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap_or_else(|_| panic!("a body in memory"));
        assert_eq!(body, "{}");
    }
}
