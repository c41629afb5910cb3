//! Talks to a plane: one request, one answer. Knows no command.

use crate::api::connection::Connection;
use crate::api::events::Events;
use crate::failure::{Exit, Failure};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::Duration;

/// All but the unreserved characters. <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Longer than API Gateway waits for an answer, so that its word about a delay comes first.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);
/// Longer than a plane in AWS lets a stream last.
const STREAM_LIMIT: Duration = Duration::from_secs(20 * 60);
/// What a plane takes, because it is what Lambda takes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// The code of a failure to reach the plane: it got nothing.
pub const UNREACHABLE: &str = "unreachable";
/// The code of a lost answer: the plane may or may not have done it.
const NO_ANSWER: &str = "no_answer";

/// A plane, and the right to talk to it.
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: SecretString,
}

/// An answer as it was sent.
pub struct Answer {
    pub text: String,
}

impl Client {
    pub fn new(connection: Connection) -> Result<Client, Failure> {
        let mut http = tidemill_engine::outbound::client()
            .user_agent(concat!("tidemill/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the key to another host.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ANSWER_LIMIT);
        if connection.is_local {
            http = http.no_proxy();
        }
        if connection.url.starts_with("http:") {
            // Reading the machine's root certificates takes longer than most requests.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|error| Failure::new("internal", chain(&error)))?;
        Ok(Client { http, url: connection.url, key: connection.key })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn get(&self, path: &Path) -> Result<Answer, Failure> {
        self.send(path, self.request(Method::GET, path)?).await
    }

    pub async fn post(&self, path: &Path, body: Option<String>) -> Result<Answer, Failure> {
        self.send(path, with_body(self.request(Method::POST, path)?, body)?).await
    }

    pub async fn patch(&self, path: &Path, body: String) -> Result<Answer, Failure> {
        self.send(path, with_body(self.request(Method::PATCH, path)?, Some(body))?).await
    }

    pub async fn put(&self, path: &Path, body: String) -> Result<Answer, Failure> {
        self.send(path, with_body(self.request(Method::PUT, path)?, Some(body))?).await
    }

    pub async fn delete(&self, path: &Path) -> Result<Answer, Failure> {
        self.send(path, self.request(Method::DELETE, path)?).await
    }

    /// Asks for something that is done once, however often it is asked for under one key.
    pub async fn once(
        &self,
        method: Method,
        path: &Path,
        body: Option<String>,
        idempotency_key: &str,
    ) -> Result<Answer, Failure> {
        let request = with_body(self.request(method, path)?, body)?;
        self.send(path, request.header("idempotency-key", idempotency_key)).await
    }

    /// Listens to a stream of events, from after the last one that was seen.
    pub async fn events(&self, path: &Path, last: Option<u64>) -> Result<Events, Failure> {
        let mut request = self.request(Method::GET, path)?.header("accept", "text/event-stream").timeout(STREAM_LIMIT);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        self.answered(request).await.map(Events::of)
    }

    fn request(&self, method: Method, path: &Path) -> Result<RequestBuilder, Failure> {
        path.check()?;
        Ok(self.http.request(method, format!("{}{}", self.url, path)).bearer_auth(self.key.expose_secret()))
    }

    async fn send(&self, path: &Path, request: RequestBuilder) -> Result<Answer, Failure> {
        let of_project = |failure| Failure { project: path.project.clone(), ..failure };
        let response = self.answered(request).await.map_err(of_project)?;
        Ok(Answer { text: response.text().await.map_err(|error| self.unreachable(&error))? })
    }

    /// An answer whose head has arrived and says that the request was done.
    async fn answered(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        Err(self.refused(status.as_u16(), &text))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let plain = self.url.strip_prefix("https://").filter(|_| is_garbled(error));
        let hint = match (error.is_timeout(), plain) {
            (true, _) => "try again in a moment".to_owned(),
            (_, Some(plain)) => format!("if it has no TLS, as a plane of `tidemill dev`, write `--url http://{plain}`"),
            _ => "start one with `tidemill dev`, or name another one with `--url` or TIDEMILL_URL".to_owned(),
        };
        let message = format!("the plane at `{}` does not answer: {}", self.url, chain(error));
        let code = if error.is_connect() { UNREACHABLE } else { NO_ANSWER };
        Failure::new(code, message).hint(hint).exit(Exit::Unavailable)
    }

    fn refused(&self, status: u16, text: &str) -> Failure {
        let exit = Exit::of_status(status);
        match serde_json::from_str::<Failure>(text) {
            Ok(failure) => failure.exit(exit),
            Err(_) => Failure::new("unexpected_answer", format!("`{}` answered with the status {status}", self.url))
                .hint("check that `--url` is the address of a plane")
                .exit(exit),
        }
    }
}

fn with_body(request: RequestBuilder, body: Option<String>) -> Result<RequestBuilder, Failure> {
    match body {
        None => Ok(request),
        Some(body) if body.len() > BODY_LIMIT => {
            let message = format!("the request has {} bytes, and a plane takes {BODY_LIMIT}", body.len());
            Err(Failure::new("too_large", message).hint("deploy fewer pipelines at once, or smaller ones"))
        }
        Some(body) => Ok(request.header("content-type", "application/json").body(body)),
    }
}

impl Answer {
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read(&self.text)
    }
}

/// Reads an answer, or a part of one.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new("unexpected_answer", format!("the plane's answer cannot be read: {error}"))
            .hint("check that this command and the plane are of the same version")
    })
}

/// The innermost cause says most (`Connection refused`); the URL is named elsewhere.
fn chain(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Whether the other side was reached and did not speak TLS as it should.
fn is_garbled(error: &(dyn std::error::Error + 'static)) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    // The source of an error in `io::Error` is that error's source, so the error itself is looked at as well.
    let inner = io.and_then(|error| error.get_ref()).map(|inner| inner as &(dyn std::error::Error + 'static));
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData)
        || inner.is_some_and(is_garbled)
        || error.source().is_some_and(is_garbled)
}

/// The path and the query of a request.
#[derive(Clone, Debug)]
pub struct Path {
    text: String,
    has_query: bool,
    /// What to do about a name that no URL can hold, if there is one.
    refused: Option<&'static str>,
    /// The project that it names.
    project: Option<Box<str>>,
}

impl Path {
    /// `/v1` and these segments, each encoded in full: a project's name may hold `/`, `#`, `%` and more.
    pub fn new(segments: &[&str]) -> Path {
        let text = segments.iter().map(|segment| format!("/{}", encoded(segment))).collect::<String>();
        let has_dots = segments.iter().any(|segment| matches!(*segment, "." | ".."));
        let refused = has_dots.then(|| match segments.first() {
            Some(&"groups") => "give the group another name, with `--group`",
            Some(&"deployments") => "give the project another `project_id`",
            _ => "give another name",
        });
        let project = match segments {
            ["deployments", project, ..] | ["environments", _, "projects", project, ..] => Some((*project).into()),
            _ => None,
        };
        Path { text: format!("/v1{text}"), has_query: false, refused, project }
    }

    /// Adds a parameter.
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Path {
        let mark = if self.has_query { '&' } else { '?' };
        self.text.push_str(&format!("{mark}{name}={}", encoded(&value.to_string())));
        self.has_query = true;
        self
    }

    /// Adds the project that it is about.
    pub fn in_project(self, project: &str) -> Path {
        Path { project: Some(project.into()), ..self.with("project", project) }
    }

    /// Adds a parameter that may be absent.
    pub fn with_some(self, name: &str, value: Option<impl fmt::Display>) -> Path {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// URLs resolve `.` and `..` however they are encoded, so nothing of that name can be asked for.
    /// <https://url.spec.whatwg.org/#double-dot-path-segment>
    pub fn check(&self) -> Result<(), Failure> {
        match self.refused {
            None => Ok(()),
            Some(hint) => Err(Failure::argument("what is called `.` or `..` cannot be named in a URL", hint)),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reserved_character_of_a_name_is_encoded() {
        let path =
            Path::new(&["deployments", "a/b#c%d?é .x"]).with("time", "2026-11-21T10:00:00+01:00").with("limit", 5);

        assert_eq!(
            path.to_string(),
            "/v1/deployments/a%2Fb%23c%25d%3F%C3%A9%20.x?time=2026-11-21T10%3A00%3A00%2B01%3A00&limit=5"
        );
    }

    #[test]
    fn a_name_that_urls_resolve_is_refused() {
        assert!(Path::new(&["deployments", ".."]).check().is_err());
        assert!(Path::new(&["deployments", "...", "a..b"]).check().is_ok());
    }
}
