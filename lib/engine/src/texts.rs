//! What each kind of text in a config demands, so that a pipeline whose text cannot work is refused before it runs. A text
//! with a `${NAME}` in it is checked as if something short stood there; only a run knows what it is.

use crate::outbound::{self, NetworkPolicy};
use crate::templates::parts::{Part, parts};
use crate::{duration, folders, jq, secrets, templates};
use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use std::borrow::Cow;
use tidemill_plan::{Target, TextKind, TextProblem};

/// Says what is wrong with a text, as far as it is known where it is going to run.
pub fn check(kind: TextKind, text: &str, target: &Target<'_>) -> Result<(), TextProblem> {
    let whole = secrets::filled(text, "1");
    let checked = match kind {
        // Names of members are no place for a secret: there it stays what it is.
        TextKind::Header => header(text),
        TextKind::Jq => jq::check(text),
        TextKind::Template => templates::check(text),
        TextKind::HeaderValue => header_value(text, &whole),
        TextKind::Url => url(text),
        TextKind::Path => folders::check_path(&whole),
        TextKind::Files => files(&whole, matches!(whole, Cow::Borrowed(_)), target),
        TextKind::MediaType => media_type(&whole),
        TextKind::Duration if matches!(whole, Cow::Owned(_)) => Ok(()),
        TextKind::Duration => duration::parse(&whole).map(drop),
        TextKind::Regex => jq::check_regex(&whole),
        TextKind::Encoding if matches!(whole, Cow::Owned(_)) => Ok(()),
        TextKind::Encoding => encoding(&whole),
        TextKind::Text => Ok(()),
    };
    // In a text with a secret the offset is that of another text.
    checked.map_err(|problem| match whole {
        Cow::Borrowed(_) => problem,
        Cow::Owned(_) => TextProblem { offset: None, ..problem },
    })
}

fn problem(message: impl Into<String>, hint: &str) -> TextProblem {
    TextProblem { message: message.into(), hint: hint.to_owned(), offset: None }
}

/// A path that a run fills in is not known; one that is, must lie where the plane lets files be read.
fn files(path: &str, is_known: bool, target: &Target<'_>) -> Result<(), TextProblem> {
    folders::check_pattern(path)?;
    if is_known { folders::check_place(path, target) } else { Ok(()) }
}

/// <https://encoding.spec.whatwg.org/#names-and-labels>
fn encoding(label: &str) -> Result<(), TextProblem> {
    match encoding_rs::Encoding::for_label(label.as_bytes()) {
        Some(_) => Ok(()),
        None => Err(problem("is not the label of an encoding", "write e.g. `utf-8`, `windows-1252` or `shift_jis`")),
    }
}

fn header(name: &str) -> Result<(), TextProblem> {
    match HeaderName::try_from(name) {
        Ok(name) if is_of_connection(&name) => {
            Err(problem("is a header of the connection", "remove it: the plane sets what a connection needs"))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(problem("is not the name of a header", "use letters, digits and `-`, e.g. `X-Request-Id`")),
    }
}

/// Whether a header says how long a request is and how it is sent. Set by a pipeline it would let one request hide another.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>
pub(crate) fn is_of_connection(name: &HeaderName) -> bool {
    const OTHERS: [&str; 3] = ["keep-alive", "proxy-connection", "http2-settings"];
    let known = [CONNECTION, CONTENT_LENGTH, EXPECT, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    known.contains(name) || OTHERS.contains(&name.as_str())
}

fn header_value(text: &str, whole: &str) -> Result<(), TextProblem> {
    templates::check(text)?;
    let is_constant = parts(whole).iter().all(|part| matches!(part, Part::Text(_)));
    match is_constant && HeaderValue::from_str(whole).is_err() {
        true => Err(problem("has a character that headers cannot have", "remove line breaks and control characters")),
        false => Ok(()),
    }
}

/// A URL is checked as far as it is constant: what a template writes into it is unknown, and may begin it.
fn url(text: &str) -> Result<(), TextProblem> {
    templates::check(text)?;
    // A host may be anything, a port is a number.
    let whole = secrets::filled(text, "x").replace(":x", ":1");
    let parts = parts(&whole);
    let mut filled = String::new();
    for part in &parts {
        match part {
            Part::Text(text) => filled.push_str(text),
            // What a statement writes, and where it ends, is not known.
            Part::Expression if !filled.trim().is_empty() => filled.push(if filled.ends_with(':') { '1' } else { 'x' }),
            Part::Expression | Part::Statement if filled.contains("://") => break,
            Part::Expression | Part::Statement => return Ok(()),
        }
    }
    if text.trim_start().starts_with("${") {
        return Ok(());
    }
    let refused = outbound::check(NetworkPolicy::AllowPrivate, filled.trim()).err();
    refused.map_or(Ok(()), |fault| {
        let hint = fault.hint.as_deref().unwrap_or("write it in full, e.g. `https://example.com/path`");
        Err(problem(format!("cannot be reached: {}", fault.message), hint))
    })
}

/// `type/subtype`, and perhaps parameters. <https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1>
fn media_type(text: &str) -> Result<(), TextProblem> {
    let is_token = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    };
    let mut parts = text.split(';').map(str::trim);
    let is_type = parts.next().and_then(|name| name.split_once('/')).is_some_and(|(a, b)| is_token(a) && is_token(b));
    let are_parameters = parts
        .all(|parameter| parameter.split_once('=').is_some_and(|(name, value)| is_token(name) && !value.is_empty()));
    match is_type && are_parameters {
        true => Ok(()),
        false => Err(problem("is not a media type", "write a type and a subtype, e.g. `text/plain; charset=utf-8`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: TextKind, text: &str) -> String {
        check(kind, text, &Target::default()).err().map(|problem| problem.message).unwrap_or_default()
    }

    #[test]
    fn what_can_work_passes() {
        use TextKind::*;
        for (kind, text) in [
            (Jq, ".a | test(\"x\") and \"${TOKEN}\" == $object.id"),
            (Jq, ".n > ${LEAST}"),
            (Template, "{{ value.x | default('${NAME}') }} $${not} ${} {{ '${' }}"),
            (Url, "https://example.com/items/{{ value.id | urlencode }}?a={{ run.id }}"),
            (Url, "http://localhost:8080/"),
            (Url, "https://{{ value.host }}:{{ value.port }}/x"),
            (Url, "{{ value.url }}"),
            (Url, "${BASE}/items"),
            (Url, "https://${TENANT}.example.com:${PORT}/"),
            (Url, "https://${HOST}:${PORT}/${PATH}"),
            (Url, "{% if value.a %}https://a.example{% else %}https://b.example{% endif %}"),
            (Url, "https://example.com/{% for i in value %}{{ i }}{% endfor %}"),
            (Header, "X-Request-Id"),
            (HeaderValue, "Bearer ${TOKEN}"),
            (HeaderValue, "{{ value.a }}\n"),
            (Path, "./reports/today.ndjson"),
            (Files, "sub/../a.txt"),
            (Files, "logs/**/*.ndjson"),
            (Files, "/var/log/a.txt"),
            (MediaType, "text/plain; charset=utf-8"),
            (Duration, "30d"),
            (Duration, "${DAYS}d"),
            (Regex, "^a+$"),
            (Text, "\0"),
        ] {
            assert_eq!(check(kind, text, &Target::default()), Ok(()), "{kind:?} {text}");
        }
    }

    #[test]
    fn what_is_certain_to_fail_is_refused() {
        use TextKind::*;
        for (kind, text, expected) in [
            (Jq, ".a |", "is not a jq program"),
            (Jq, "\"${TOKEN}\" | nope", "the filter `nope` is not defined"),
            (Template, "{{ value.x", "is not a template"),
            (Template, "{{ '${TOKEN}' | uper }}", "the unknown filter `uper`"),
            (Url, "example.com/items", "relative URL without a base"),
            (Url, "https://", "empty host"),
            (Url, "ftp://example.com/{{ value }}", "the scheme `ftp`"),
            (Url, "https://ana:secret@example.com/", "a user name or a password"),
            (Url, "https://example.com:99999/", "invalid port"),
            (Url, "http://169.254.169.254/latest", "169.254.169.254"),
            (Url, "https://example.com/{{ value | nope }}", "the unknown filter `nope`"),
            (Url, "htp://example.com/{% if value %}a{% endif %}", "the scheme `htp`"),
            (Header, "X Request", "is not the name of a header"),
            (Header, "${NAME}", "is not the name of a header"),
            (Header, "content-length", "is a header of the connection"),
            (Header, "Transfer-Encoding", "is a header of the connection"),
            (Header, "Connection", "is a header of the connection"),
            (Header, "Keep-Alive", "is a header of the connection"),
            (HeaderValue, "a\nb", "a character that headers cannot have"),
            (Path, "/tmp/x.txt", "is an absolute path"),
            (Path, "a/../x.txt", "leads out of its folder"),
            (Files, "sub/../*.txt", "leads out of its folder"),
            (Path, "a/", "names no file"),
            (Path, ".", "names no file"),
            (Files, "../secret.txt", "leads out of its folder"),
            (Files, "/in/../../x", "leads out of its folder"),
            (Files, "a[", "is not a file pattern"),
            (MediaType, "json", "is not a media type"),
            (MediaType, "text/plain; charset", "is not a media type"),
            (Duration, "400d", "is not a time"),
            (Regex, "(", "is not a regular expression"),
        ] {
            assert!(refused(kind, text).contains(expected), "{kind:?} {text}: {}", refused(kind, text));
        }
    }

    #[test]
    fn a_refusal_repeats_no_path_and_no_query_of_a_url() {
        let problem =
            check(TextKind::Url, "ftp://example.com/hooks/s3cret?token=s3cret", &Target::default()).unwrap_err();

        assert!(!format!("{problem:?}").contains("s3cret"), "{problem:?}");
    }
}
