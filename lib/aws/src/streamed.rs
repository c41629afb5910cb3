//! Answers that go on while Lambda sends them: the status and the headers as JSON, eight zeros, then the body.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html>

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, once};
use http::StatusCode;
use lambda_runtime::{MetadataPrelude, StreamResponse};
use std::convert::Infallible;
use std::time::{Duration, SystemTime};
use tidemill_protocols::rest::{Response, RestResponse, RestStream};

/// How long before Lambda ends the process a stream is ended, so that its reader sees an end and no broken answer.
const RESERVE: Duration = Duration::from_secs(5);

pub type Parts = BoxStream<'static, Result<Bytes, Infallible>>;

/// An answer as a stream that ends in time.
pub fn until(deadline: SystemTime, answered: RestResponse) -> StreamResponse<Parts> {
    let RestStream { status, headers, body } = match answered {
        RestResponse::Stream(streamed) => streamed,
        RestResponse::Whole(Response { status, headers, body }) => {
            RestStream { status, headers, body: once(async { body }).boxed() }
        }
    };
    #[expect(clippy::disallowed_methods, reason = "Lambda's deadline is of the machine's clock")]
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(RESERVE);
    let body = body.take_until(Box::pin(tokio::time::sleep(left)));
    StreamResponse {
        metadata_prelude: MetadataPrelude {
            status_code: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers,
            cookies: Vec::new(),
        },
        stream: body.map(Ok).boxed(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "Lambda's deadline is of the machine's clock")]

    use super::*;
    use futures::stream::{iter, pending};
    use http::HeaderMap;
    use http::header::CONTENT_TYPE;
    use serde_json::json;
    use tokio::time::Instant;

    fn stream(body: BoxStream<'static, Bytes>) -> RestResponse {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, "text/event-stream".parse().unwrap())]);
        RestResponse::Stream(RestStream { status: 200, headers, body })
    }

    async fn parts(response: StreamResponse<Parts>) -> Vec<Bytes> {
        response.stream.map(|part| part.unwrap()).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_keeps_its_parts_its_status_and_its_headers() {
        let in_time = SystemTime::now() + Duration::from_secs(900);

        let sent = until(in_time, stream(iter(["a".into(), "b".into()]).boxed()));

        let prelude = serde_json::to_value(&sent.metadata_prelude).unwrap();
        let head = json!({"statusCode": 200, "headers": {"content-type": "text/event-stream"}, "cookies": []});
        assert_eq!(prelude, head);
        assert_eq!(parts(sent).await, ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_would_go_on_ends_before_lambda_ends_it() {
        let began = Instant::now();
        let endless = iter(["a".into()]).chain(pending()).boxed();

        let sent = parts(until(SystemTime::now() + Duration::from_secs(900), stream(endless))).await;

        let took = began.elapsed();
        assert_eq!(sent, ["a"]);
        assert!(took <= Duration::from_secs(895) && took > Duration::from_secs(890), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_a_stream_of_one_part() {
        let refused = Response::no_route("/v1/nothing");

        let sent = until(SystemTime::now() + Duration::from_secs(900), refused.clone().into());

        assert_eq!(sent.metadata_prelude.status_code, 404);
        assert_eq!(parts(sent).await, [refused.body]);
    }
}
