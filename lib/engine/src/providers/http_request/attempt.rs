//! Sends one request, and again where that may help.

use crate::component::{Call, Fault, Run};
use crate::json::{self, Json};
use crate::log::Level;
use crate::outbound::{Outbound, Refusal};
use crate::texts::is_of_connection;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use std::error::Error as _;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of an answer, after decompression.
const ANSWER_LIMIT: usize = 5_000_000;

/// The longest pause that a server may ask for.
const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(30);

/// The time after which no further attempt starts: a step must end, and so must the run's hold on its lease.
const PATIENCE: Duration = Duration::from_secs(60);

/// How rustls begins to say that a server's certificate does not hold.
const UNTRUSTED: &str = "invalid peer certificate: ";

/// Bytes of a body that is shown instead of sent.
const SHOWN: usize = 1_000;

const FIRST_PAUSE: Duration = Duration::from_millis(500);

pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// Used unless the headers have their own.
    pub content_type: Option<String>,
    pub body: Bytes,
    pub idempotency_key: String,
    pub timeout: Duration,
    /// Empty for all of 2xx.
    pub expect: Vec<u16>,
}

impl Request {
    /// For messages: the path and the query may hold a token.
    pub fn host(&self) -> String {
        let url = url::Url::parse(&self.url).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "the server".to_owned())
    }

    /// Logs what would be sent.
    pub fn show(&self, call: &mut Call<'_>) {
        let body = match std::str::from_utf8(&self.body) {
            Ok("") => "no body".to_owned(),
            Ok(text) => format!("{} bytes: {}", text.len(), call.run.shortened(text, SHOWN)),
            Err(_) => format!("{} bytes that are no text", self.body.len()),
        };
        call.log(Level::Info, format!("would send {} {} with {body}", self.method, self.url));
    }

    fn is_success(&self, status: StatusCode) -> bool {
        if self.expect.is_empty() { status.is_success() } else { self.expect.contains(&status.as_u16()) }
    }

    fn headers(&self) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        let value = |name: &str, text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| Fault::new(format!("the header `{name}` has a character that headers cannot have")))
        };
        headers.insert("idempotency-key", value("Idempotency-Key", &escaped(&self.idempotency_key))?);
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, value("Content-Type", content_type)?);
        }
        for (name, text) in &self.headers {
            let key: HeaderName =
                name.parse().map_err(|_| Fault::new(format!("`{name}` is not the name of a header")))?;
            if is_of_connection(&key) {
                return Err(Fault::new(format!("`{name}` is a header of the connection")).hint("remove it"));
            }
            headers.insert(key, value(name, text)?);
        }
        Ok(headers)
    }
}

/// Ids hold file names of any script; headers are ASCII.
fn escaped(id: &str) -> String {
    id.chars().flat_map(|c| if c.is_ascii_graphic() { vec![c] } else { c.escape_unicode().collect() }).collect()
}

pub struct Answer {
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn document(&self) -> Result<Json, String> {
        json::parse(&self.body)
    }
}

/// A failed attempt, and whether another may succeed.
struct Failure {
    fault: Fault,
    again: bool,
    /// The pause that the server asked for.
    pause: Option<Duration>,
}

impl Failure {
    fn last(fault: Fault) -> Failure {
        Failure { fault, again: false, pause: None }
    }
}

pub async fn send(outbound: &Outbound, request: &Request, retries: u32, call: &mut Call<'_>) -> Result<Answer, Fault> {
    let headers = request.headers()?;
    let start = Instant::now();
    for tried in 0.. {
        let failure = match attempt(outbound, request, &headers, call.run).await {
            Ok(answer) => {
                call.ledger.outside = call.ledger.outside.max(Some(start.elapsed()));
                return Ok(answer);
            }
            Err(failure) => failure,
        };
        let pause = failure.pause.unwrap_or_else(|| pause(tried));
        if !failure.again || tried >= retries || start.elapsed() + pause > PATIENCE {
            return Err(Fault { retryable: failure.again || failure.fault.retryable, ..failure.fault });
        }
        call.log(Level::Warn, format!("{}; trying again in {} ms", failure.fault.message, pause.as_millis()));
        tokio::time::sleep(pause).await;
    }
    unreachable!("the attempts end after the last retry")
}

/// Doubles each time; the random half keeps clients that failed together from returning together.
#[expect(clippy::disallowed_methods, reason = "spreads clients; no outcome depends on it")]
fn pause(tried: u32) -> Duration {
    let longest = FIRST_PAUSE * 2u32.pow(tried.min(5));
    longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

async fn attempt(outbound: &Outbound, request: &Request, headers: &HeaderMap, run: &Run) -> Result<Answer, Failure> {
    let host = request.host();
    let builder = outbound.request(request.method.clone(), &request.url).map_err(Failure::last)?;
    let builder = builder.headers(headers.clone()).timeout(request.timeout).body(request.body.clone());
    let response = builder.send().await.map_err(|problem| describe(&host, problem))?;
    let status = response.status();
    let headers = response.headers().clone();
    if status.is_redirection() && !request.is_success(status) {
        return Err(Failure::last(redirect(&host, &headers, run)));
    }
    let body = read(response, &host).await?;
    if request.is_success(status) {
        return Ok(Answer { body });
    }
    let start = run.shortened(String::from_utf8_lossy(&body).trim(), 200);
    let fault = Fault::new(format!("`{host}` answered {}: {start}", status.as_u16()));
    let again = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    match headers.get(RETRY_AFTER).and_then(|header| retry_after(header.to_str().ok()?, (run.context.now)())) {
        Some(pause) if pause > RETRY_AFTER_LIMIT => {
            Err(Failure { fault: Fault { retryable: again, ..fault }, again: false, pause: None })
        }
        pause => Err(Failure { fault, again, pause }),
    }
}

async fn read(mut response: Response, host: &str) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|problem| describe(host, problem))? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(Failure::last(Fault::new(format!(
                "the answer of `{host}` is larger than 5 MB, the limit of an answer"
            ))));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn redirect(host: &str, headers: &HeaderMap, run: &Run) -> Fault {
    let target = headers.get(LOCATION).and_then(|target| target.to_str().ok()).unwrap_or("nowhere");
    Fault::new(format!("`{host}` redirects to `{}`", run.shortened(target, 200)))
        .hint("redirects are not followed; set `url` to the final address")
}

fn describe(host: &str, problem: reqwest::Error) -> Failure {
    let refusal = std::iter::successors(problem.source(), |cause| (*cause).source())
        .find_map(|cause| cause.downcast_ref::<Refusal>());
    if let Some(refusal) = refusal {
        return Failure::last(refusal.fault(host));
    }
    let deepest =
        std::iter::successors(problem.source(), |cause| (*cause).source()).last().map(|cause| cause.to_string());
    if let Some(why) = deepest.as_deref().and_then(|deepest| deepest.strip_prefix(UNTRUSTED)) {
        let fault = Fault::new(format!("`{host}` has a certificate that is not trusted: {why}"))
            .hint("trust its authority on the plane's machine, e.g. by SSL_CERT_FILE, or correct the host of `url`");
        return Failure::last(fault);
    }
    let (what, hint) = if problem.is_connect() {
        let why = if problem.is_timeout() { "nothing answers".to_owned() } else { deepest.unwrap_or_default() };
        (format!("cannot be reached: {why}"), "check the host and the port of `url`, and that the server runs")
    } else if problem.is_timeout() {
        ("did not answer in time".to_owned(), "raise `timeout` if the server needs longer")
    } else {
        let what = format!("broke off: {}", deepest.unwrap_or_else(|| problem.without_url().to_string()));
        (what, "run it again; if it stays so, look into the server's log")
    };
    Failure { fault: Fault::new(format!("`{host}` {what}")).hint(hint), again: true, pause: None }
}

/// Seconds, or a date. <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(date.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}
