//! The name of a file in a `Content-Disposition`. <https://www.rfc-editor.org/rfc/rfc6266#section-4.1>

use percent_encoding::percent_decode_str;

/// The name of the file, without the folders that some senders put before it.
pub fn file_name(header: &str) -> Option<String> {
    let parameters = parameters(header);
    let value = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let name = value("filename*").and_then(extended).or_else(|| value("filename").map(str::to_owned))?;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    (!last.is_empty()).then(|| last.to_owned())
}

/// `UTF-8''a%20b`. Other character sets are hardly sent, and then beside a plain `filename`.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let is_utf8 = charset.eq_ignore_ascii_case("utf-8");
    percent_decode_str(encoded).decode_utf8().ok().filter(|_| is_utf8).map(|name| name.into_owned())
}

/// The parameters after the type, their names in lower case and their values without quotes.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, value)) = rest.split_once('=') {
        let name = name.trim_matches([' ', '\t', ';']).to_ascii_lowercase();
        let (value, after) = match value.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let (value, after) = value.split_once(';').unwrap_or((value, ""));
                (value.trim().to_owned(), after)
            }
        };
        found.push((name, value));
        rest = after;
    }
    found
}

/// The text up to the closing quote, and what comes after it. Only a quote is escaped: some browsers send the
/// backslashes of a path as they are.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                characters.next();
                value.push('"');
            }
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_found_in_every_form() {
        for (header, name) in [
            ("attachment; filename=\"a b.txt\"", Some("a b.txt")),
            ("attachment; filename=plain.txt", Some("plain.txt")),
            ("attachment;FileName = plain.txt ; size=3", Some("plain.txt")),
            ("attachment; filename=\"fallback\"; filename*=UTF-8''%C5%BE%20x.txt", Some("ž x.txt")),
            ("attachment; filename*=latin1''x; filename=\"fallback\"", Some("fallback")),
            ("attachment; filename=\"a\\\"b;c=d.txt\"", Some("a\"b;c=d.txt")),
            ("attachment; filename=\"C:\\new\\x.txt\"", Some("x.txt")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"unclosed", Some("unclosed")),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
            ("", None),
            (";=;=\"", None),
        ] {
            assert_eq!(file_name(header).as_deref(), name, "{header}");
        }
    }
}
