//! A template in its parts: the text that is written as it is, expressions and statements. And the names of filters, tests and
//! functions in these. The template must have been compiled: what is no template has no parts.

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Written as it is.
    Text(&'a str),
    /// Between `{{` and `}}`.
    Expression(&'a str),
    /// Between `{%` and `%}`.
    Statement(&'a str),
}

/// A name that the template does not define itself, unless it is that of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    Filter(&'a str),
    Test(&'a str),
    Function(&'a str),
}

pub fn parts(template: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).chain(rest.find("{#")).min() {
        let (text, tag) = rest.split_at(start);
        parts.push(Part::Text(text));
        let inside = &tag[2..];
        let (code, after) = match tag.as_bytes()[1] {
            b'#' => {
                rest = inside.split_once("#}").map_or("", |(_, after)| after);
                continue;
            }
            b'{' => cut(inside, "}}"),
            _ => cut(inside, "%}"),
        };
        rest = after;
        match tag.as_bytes()[1] {
            b'{' => parts.push(Part::Expression(code)),
            _ if word(code) == "raw" => {
                let (text, after) = raw(rest);
                parts.push(Part::Text(text));
                rest = after;
            }
            _ => parts.push(Part::Statement(code)),
        }
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| *part != Part::Text(""));
    parts
}

/// Code up to its end, which does not stand in a string or a bracket, and what follows.
fn cut<'a>(code: &'a str, end: &str) -> (&'a str, &'a str) {
    let (mut open, mut at) = (0usize, 0);
    let bytes = code.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = end_of_string(bytes, at),
            _ if open == 0 && bytes[at..].starts_with(end.as_bytes()) => {
                return (code[..at].trim_end_matches(['-', '+']), &code[at + end.len()..]);
            }
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    (code, "")
}

/// The last byte of the string that begins at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != bytes[at] {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    end
}

/// What stands before `{% endraw %}`, and what follows that.
fn raw(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(start) = text[from..].find("{%").map(|start| from + start) {
        let (code, after) = cut(&text[start + 2..], "%}");
        if word(code) == "endraw" {
            return (&text[..start], after);
        }
        from = start + 2;
    }
    (text, "")
}

/// The first word of a statement.
fn word(code: &str) -> &str {
    let code = code.trim_start_matches(['-', '+']).trim_start();
    &code[..code.find(|c: char| !is_of_a_name(c)).unwrap_or(code.len())]
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names in all of a template's code, in their order.
pub fn names<'a>(parts: &[Part<'a>]) -> Vec<Name<'a>> {
    let mut names = Vec::new();
    for part in parts {
        match *part {
            Part::Text(_) => {}
            Part::Expression(code) => names_in(code, &mut names),
            Part::Statement(code) => {
                let keyword = word(code);
                let rest = &code[code.find(keyword).unwrap_or_default() + keyword.len()..];
                if keyword == "filter" {
                    names.push(Name::Filter(word(rest)));
                }
                names_in(rest, &mut names);
            }
        }
    }
    names
}

fn names_in<'a>(code: &'a str, names: &mut Vec<Name<'a>>) {
    // What the name stands after: a mark, or the word before.
    let (mut before, mut at) = ("", 0);
    while let Some(next) = code[at..].chars().next() {
        match next {
            '"' | '\'' => {
                (before, at) = ("", (end_of_string(code.as_bytes(), at) + 1).min(code.len()));
                continue;
            }
            c if is_of_a_name(c) => {
                let length = code[at..].find(|c: char| !is_of_a_name(c)).unwrap_or(code.len() - at);
                let (name, rest) = (&code[at..at + length], &code[at + length..]);
                let is_word = !c.is_ascii_digit();
                match before {
                    "|" if is_word => names.push(Name::Filter(name)),
                    "is" if name == "not" => {
                        at += length;
                        continue;
                    }
                    "is" if is_word => names.push(Name::Test(name)),
                    "." => {}
                    _ if is_word && rest.trim_start().starts_with('(') => names.push(Name::Function(name)),
                    _ => {}
                }
                before = if before == "." { "" } else { name };
                at += length;
                continue;
            }
            c if c.is_whitespace() => {}
            _ => before = &code[at..at + next.len_utf8()],
        }
        at += next.len_utf8();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_falls_into_text_expressions_and_statements() {
        use Part::*;
        assert_eq!(
            parts("a{{ {'x': {'}}': 1}}['x'] }}b{# {{ c }} #}{%- if d -%}e{% endif %}{% raw %}{{ f }}{% endraw %}g"),
            [
                Text("a"),
                Expression(" {'x': {'}}': 1}}['x'] "),
                Text("b"),
                Statement("- if d "),
                Text("e"),
                Statement(" endif "),
                Text("{{ f }}"),
                Text("g"),
            ]
        );
    }

    #[test]
    fn filters_tests_and_functions_are_found_wherever_they_stand() {
        use Name::*;
        let found = |template| names(&parts(template));

        assert_eq!(found("{{ a | upper | default('x | y') }}"), [Filter("upper"), Filter("default")]);
        assert_eq!(found("{% if a is not defined and b.is(1) is odd %}"), [Test("defined"), Test("odd")]);
        assert_eq!(found("{% for i in range(3) %}{{ i.range(2) }}{% endfor %}"), [Function("range")]);
        assert_eq!(found("{% filter trim|upper %}x{% endfilter %}"), [Filter("trim"), Filter("upper")]);
        assert_eq!(found("plain | text is (here)"), []);
        assert_eq!(found("{{ 'a' ~ \"b\\\"|c\" ~ x|é }}"), [Filter("é")]);
    }
}
