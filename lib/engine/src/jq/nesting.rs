//! How deep a program is nested, before it is parsed: jaq goes down one level of the stack for each bracket, operator and
//! keyword that the rest of a program stands under.

/// What is open, and the levels outside of it.
struct Open {
    by: u8,
    outside: usize,
}

/// Whether what begins after these bytes is one more part of a path: `.a.b`, `.a[0]`.
fn goes_on(before: &[u8]) -> bool {
    before
        .last()
        .is_some_and(|last| last.is_ascii_alphanumeric() || matches!(last, b'_' | b'.' | b']' | b')' | b'"' | b'?'))
}

/// The byte at which a program passes `limit` levels. It counts what could be a level, so it may count too many.
pub fn deeper_than(code: &str, limit: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    let (mut open, mut levels, mut in_string, mut at): (Vec<Open>, usize, bool, usize) = (Vec::new(), 0, false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_string && bytes.get(at + 1) == Some(&b'(') => {
                open.push(Open { by: b'"', outside: levels });
                (in_string, levels, at) = (false, levels + 1, at + 1);
            }
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'#' => at += bytes[at..].iter().take_while(|byte| **byte != b'\n').count() - 1,
            by @ (b'(' | b'[' | b'{') => {
                let outside = levels + usize::from(by == b'[' && goes_on(&bytes[..at]));
                open.push(Open { by, outside });
                levels = outside + 1;
            }
            b'.' if goes_on(&bytes[..at]) => levels += 1,
            b')' | b']' | b'}' => {
                // A keyword inside ends with its bracket.
                while let Some(Open { by, outside }) = open.pop() {
                    levels = outside;
                    if !by.is_ascii_alphabetic() {
                        in_string = by == b'"';
                        break;
                    }
                }
            }
            b';' => match open.last() {
                Some(Open { by: b'd', outside }) => {
                    levels = *outside;
                    open.pop();
                }
                Some(Open { by: b'(', outside }) => levels = outside + 1,
                _ => {}
            },
            b',' if open.last().is_some_and(|open| open.by == b'{') => {
                levels = open.last().map_or(0, |open| open.outside) + 1;
            }
            b'|' | b',' | b'-' | b'+' | b'*' | b'/' | b'%' | b'=' | b'<' | b'>' | b'?' => levels += 1,
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length =
                    bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                let is_name = at > 0 && matches!(bytes[at - 1], b'.' | b'$' | b'@');
                match &code[at..at + length] {
                    _ if is_name => {}
                    word @ ("def" | "if") => {
                        open.push(Open { by: word.as_bytes()[0], outside: levels });
                        levels += 1;
                    }
                    "end" if open.last().is_some_and(|open| open.by == b'i') => {
                        levels = open.pop().map_or(0, |open| open.outside);
                    }
                    "and" | "as" | "catch" | "elif" | "else" | "foreach" | "label" | "or" | "reduce" | "try" => {
                        levels += 1
                    }
                    _ => {}
                }
                at += length - 1;
            }
            _ => {}
        }
        if levels > limit {
            return Some(at);
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
            "(",
            "-",
            ".a|",
            "1+",
            "if 1 then ",
            "def f: ",
            "try ",
            ". as $x|",
            "[",
            "{a:",
            "\"\\(",
            ".[",
            "[0]",
            ".a[0]",
            "[.a]?",
            "1,",
            ".a//",
            "f(",
            "1 and ",
            "..|",
            "reduce . as $x (",
            "if 1 then 1 elif ",
        ];
        for way in ways {
            assert!(deeper_than(&way.repeat(101), 100).is_some(), "{way}");
            assert!(deeper_than(&way.repeat(30), 100).is_none(), "{way}");
        }
    }

    #[test]
    fn what_stands_side_by_side_is_not_nested() {
        let fields: Vec<_> = (0..1_000).map(|at| format!("f{at}: .x.if | ascii")).collect();
        for program in [
            format!("{{{}}}", fields.join(", ")),
            "def f: 1 + 1; ".repeat(1_000) + ".",
            format!("[{}]", "if . then (1) end ".repeat(1_000)),
            "\"((((((((((((((\" # ((((((((((((((((((".to_owned(),
            format!("f({})", ["1 + 1"; 1_000].join(";")),
        ] {
            assert_eq!(deeper_than(&program, 10), None, "{}", &program[..20]);
        }
    }
}
