//! How deep a template is nested, before it is parsed: MiniJinja goes down one level of the stack for each operator, filter
//! and bracket that the rest of an expression stands in, and for each `elif` of an `if`.

use crate::templates::parts::tokens;
use minijinja::machinery::Token;

/// The byte at which a template passes `limit` levels. It counts what could be a level, so it may count too many.
pub fn deeper_than(template: &str, limit: usize) -> Option<usize> {
    let (mut expression, mut branches) = (Expression::default(), Branches::default());
    let mut before = Token::VariableEnd;
    for (token, span) in tokens(template) {
        match (&before, &token) {
            (_, Token::VariableStart | Token::BlockStart) => expression = Expression::default(),
            (Token::BlockStart, Token::Ident(word)) => branches.enter(word),
            _ => expression.enter(&before, &token),
        }
        if expression.levels > limit || branches.deepest() > limit {
            return Some(span.start_offset as usize);
        }
        before = token;
    }
    None
}

/// For each `if` that is open, how many `elif` it has.
#[derive(Default)]
struct Branches(Vec<usize>);

impl Branches {
    fn enter(&mut self, keyword: &str) {
        match (keyword, self.0.last_mut()) {
            ("if", _) => self.0.push(0),
            ("endif", _) => _ = self.0.pop(),
            ("elif", Some(count)) => *count += 1,
            _ => {}
        }
    }

    fn deepest(&self) -> usize {
        self.0.last().copied().unwrap_or_default()
    }
}

/// The levels of the expression in hand, and those outside of each bracket that is open.
#[derive(Default)]
struct Expression {
    levels: usize,
    outside: Vec<usize>,
}

impl Expression {
    fn enter(&mut self, before: &Token<'_>, token: &Token<'_>) {
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                // A call or an index is itself a level, beside what stands in it.
                self.levels += usize::from(ends_a_value(before));
                self.outside.push(self.levels);
                self.levels += 1;
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.levels = self.outside.pop().unwrap_or_default();
            }
            Token::Comma => self.levels = self.outside.last().map_or(0, |outside| outside + 1),
            Token::Ident("and" | "or" | "not" | "if" | "else" | "in" | "is") => self.levels += 1,
            Token::Ident(_) | Token::Str(_) | Token::String(_) => {}
            Token::Int(_) | Token::Int128(_) | Token::Float(_) => {}
            Token::Assign | Token::Colon | Token::VariableEnd | Token::BlockEnd | Token::TemplateData(_) => {}
            // What is left are operators, and the dot and the pipe.
            _ => self.levels += 1,
        }
    }
}

fn ends_a_value(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::ParenClose
            | Token::BracketClose
            | Token::BraceClose
    )
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
