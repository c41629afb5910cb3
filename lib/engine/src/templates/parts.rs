//! A template in its parts: the text that is written as it is, expressions and statements. And the names of filters, tests and
//! functions in these. MiniJinja takes the template apart; it must have been compiled, what is no template has no parts.

use minijinja::machinery::{Span, Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Written as it is.
    Text(&'a str),
    /// Between `{{` and `}}`.
    Expression,
    /// Between `{%` and `%}`.
    Statement,
}

/// A name that the template does not define itself, unless it is that of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    Filter(&'a str),
    Test(&'a str),
    Function(&'a str),
}

pub fn parts(template: &str) -> Vec<Part<'_>> {
    let part = |token| match token {
        Token::TemplateData("") => None,
        Token::TemplateData(text) => Some(Part::Text(text)),
        Token::VariableStart => Some(Part::Expression),
        Token::BlockStart => Some(Part::Statement),
        _ => None,
    };
    tokens(template).filter_map(|(token, _)| part(token)).collect()
}

/// The template's tokens and where they stand, up to what is none.
pub fn tokens(template: &str) -> impl Iterator<Item = (Token<'_>, Span)> {
    tokenize(template, false, SyntaxConfig::default()).map_while(Result::ok)
}

/// The names in all of a template's code, in their order.
pub fn names(template: &str) -> Vec<Name<'_>> {
    let tokens: Vec<Token> = tokens(template).map(|(token, _)| token).collect();
    (0..tokens.len()).filter_map(|at| name(&tokens[..at], &tokens[at..])).collect()
}

/// The name that a token is, by what stands before and behind it.
fn name<'a>(before: &[Token<'a>], from: &[Token<'a>]) -> Option<Name<'a>> {
    let Some(Token::Ident(name)) = from.first() else { return None };
    let name = *name;
    match before {
        // The keyword of a statement, and an attribute.
        [.., Token::BlockStart | Token::Dot] => None,
        [.., Token::Pipe] | [.., Token::BlockStart, Token::Ident("filter")] => Some(Name::Filter(name)),
        [before @ .., Token::Ident("is")] if is_operator(before) => (name != "not").then_some(Name::Test(name)),
        [before @ .., Token::Ident("is"), Token::Ident("not")] if is_operator(before) => Some(Name::Test(name)),
        _ => matches!(from.get(1), Some(Token::ParenOpen)).then_some(Name::Function(name)),
    }
}

/// Whether an `is` behind these asks for a test. Behind a dot it is an attribute.
fn is_operator(before: &[Token]) -> bool {
    !matches!(before, [.., Token::Dot])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_falls_into_text_expressions_and_statements() {
        use Part::*;
        assert_eq!(
            parts("a{{ {'x': {'}}': 1}}['x'] }}b{# {{ c }} #}{%- if d -%}e{% endif %}{% raw %}{{ f }}{% endraw %}g"),
            [Text("a"), Expression, Text("b"), Statement, Text("e"), Statement, Text("{{ f }}"), Text("g")]
        );
    }

    #[test]
    fn filters_tests_and_functions_are_found_wherever_they_stand() {
        use Name::*;

        assert_eq!(names("{{ a | upper | default('x | y') }}"), [Filter("upper"), Filter("default")]);
        assert_eq!(names("{% if a is not defined and b.is(1) is odd %}"), [Test("defined"), Test("odd")]);
        assert_eq!(names("{% for i in range(3) %}{{ i.range(2) }}{% endfor %}"), [Function("range")]);
        assert_eq!(names("{% filter trim|upper %}x{% endfilter %}"), [Filter("trim"), Filter("upper")]);
        assert_eq!(names("{{ a.is is even }}"), [Test("even")]);
        assert_eq!(names("plain | text is (here)"), []);
        assert_eq!(names("{{ 'a' ~ \"b\\\"|c\" ~ x|trim }}"), [Filter("trim")]);
    }
}
