//! How deep a template is nested, before it is parsed: MiniJinja goes down one level of the stack for each operator, filter
//! and bracket that the rest of an expression stands in, and for each `elif` of an `if`.

use crate::templates::parts::{Part, parts};

/// The byte at which a template passes `limit` levels. It counts what could be a level, so it may count too many.
pub fn deeper_than(template: &str, limit: usize) -> Option<usize> {
    // For each `if` that is open, how many `elif` it has.
    let mut branches: Vec<usize> = Vec::new();
    for part in parts(template) {
        let (Part::Expression(code) | Part::Statement(code)) = part else { continue };
        let offset = code.as_ptr() as usize - template.as_ptr() as usize;
        if let Some(at) = of_expression(code, limit) {
            return Some(offset + at);
        }
        let Part::Statement(_) = part else { continue };
        match first_word(code) {
            "if" => branches.push(0),
            "endif" => _ = branches.pop(),
            "elif" => {
                let count = branches.last_mut().map(|count| {
                    *count += 1;
                    *count
                });
                if count.is_some_and(|count| count > limit) {
                    return Some(offset);
                }
            }
            _ => {}
        }
    }
    None
}

fn first_word(code: &str) -> &str {
    let code = code.trim_start_matches(|c: char| c == '-' || c == '+' || c.is_whitespace());
    code.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

fn of_expression(code: &str, limit: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    // The levels outside of each bracket that is open.
    let (mut open, mut levels, mut at): (Vec<usize>, usize, usize) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' | b'[' | b'{' => {
                // A call or an index is itself a level, beside what stands in it.
                let follows = bytes[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
                let goes_on = follows.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_)]}".contains(byte));
                levels += usize::from(goes_on);
                open.push(levels);
                levels += 1;
            }
            b')' | b']' | b'}' => levels = open.pop().unwrap_or_default(),
            b',' => levels = open.last().map_or(0, |outside| outside + 1),
            b'|' | b'.' | b'~' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'!' => levels += 1,
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
                let length = bytes[at..].iter().take_while(is_word).count();
                if matches!(&code[at..at + length], "and" | "or" | "not" | "if" | "else" | "in" | "is") {
                    levels += 1;
                }
                at += length - 1;
            }
            _ => {}
        }
        if levels > limit {
            return Some(at.min(code.len().saturating_sub(1)));
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::deeper_than;

    #[test]
    fn each_way_to_nest_is_counted() {
        let ways = [
            "1 + ",
            "1 ~ ",
            "value | upper | ",
            "value.a.",
            "-",
            "not ",
            "1 and ",
            "1 if value else ",
            "(",
            "[",
            "{'a': ",
            "range(",
            "value[0]",
            "1 in ",
            "1 < ",
            "value is ",
        ];
        for way in ways {
            assert!(deeper_than(&format!("{{{{ {} }}}}", way.repeat(101)), 100).is_some(), "{way}");
            assert!(deeper_than(&format!("{{{{ {} }}}}", way.repeat(30)), 100).is_none(), "{way}");
        }
        let branches = |count: usize| format!("{{% if a %}}{}{{% endif %}}", "{% elif b %}".repeat(count));
        assert!(deeper_than(&branches(101), 100).is_some());
        assert!(deeper_than(&branches(100), 100).is_none());
    }

    #[test]
    fn what_stands_side_by_side_is_not_nested() {
        for template in [
            "{{ value.a | upper }} + {{ 1 + 1 }}".repeat(1_000),
            format!("{{{{ [{}] }}}}", vec!["{'a': 1.5 + 1}"; 1_000].join(", ")),
            "{% if a %}{% elif b %}{% elif c %}{% endif %}".repeat(1_000),
            format!("{{{{ '{}' }}}}", "((((||||....".repeat(100)),
            "((((((((((((((((((((((".to_owned(),
        ] {
            assert_eq!(deeper_than(&template, 10), None, "{}", &template[..20]);
        }
    }
}
