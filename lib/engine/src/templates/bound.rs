//! Binds each `${NAME}` of a template to a variable, so that its value is written or compared, never read as a template.

use crate::bindings::{Marked, Piece};
use crate::templates::parts::tokens;
use minijinja::machinery::Token;

/// A template with a variable in the place of each `${NAME}`.
pub struct Bound {
    pub source: String,
    /// In the order of the placeholders.
    pub variables: Vec<Variable>,
}

/// What stands for one placeholder.
pub struct Variable {
    pub name: String,
    /// Whether it stands by itself in an expression, so that a number is a number.
    pub is_bare: bool,
}

/// Writes the template anew: a mark in text becomes an expression, one in a string a part of it that is joined, one behind a
/// dot an index. Lines stay lines.
pub fn bind(marked: &Marked<'_>) -> Bound {
    let name = |number| Variable { name: marked.mark(number), is_bare: false };
    let mut bound = Bound { source: String::new(), variables: (0..marked.names().len()).map(name).collect() };
    let source: &str = &marked.text;
    let (mut written, mut before) = (0, Token::BlockEnd);
    for (token, span) in tokens(source).filter(|_| !marked.names().is_empty()) {
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        let gap = &source[written..start];
        bound.source.push_str(gap);
        let piece = &source[start..end];
        match &token {
            Token::TemplateData(_) if is_raw(gap) => bound.write(marked, piece, "{% endraw %}{{ ", " }}{% raw %}"),
            Token::TemplateData(_) => bound.write(marked, piece, "{{ ", " }}"),
            Token::Str(_) | Token::String(_) if piece.contains(marked.start()) => {
                let quote = &piece[..1];
                bound.source.push_str("([");
                bound.write(marked, piece, &format!("{quote},"), &format!(",{quote}"));
                bound.source.push_str("]|join)");
            }
            Token::Ident(word) => match (marked.number(word), &before) {
                (Some(_), Token::Dot) => {
                    bound.source.truncate(bound.source.trim_end().trim_end_matches('.').len());
                    bound.source.push_str(&format!("[{word}]"));
                }
                (number, _) => {
                    bound.source.push_str(word);
                    number.into_iter().for_each(|number| bound.variables[number].is_bare = true);
                }
            },
            _ => bound.source.push_str(piece),
        }
        (written, before) = (end, token);
    }
    bound.source.push_str(&source[written..]);
    bound
}

impl Bound {
    /// Writes a piece of the template with something around each mark.
    fn write(&mut self, marked: &Marked<'_>, piece: &str, before: &str, after: &str) {
        for piece in marked.pieces(piece, "") {
            match piece {
                Piece::Text(text) => self.source.push_str(text),
                Piece::Mark(number) => self.source.extend([before, &marked.mark(number), after]),
            }
        }
    }
}

/// Whether text stands in a `{% raw %}`, by what stands between it and the token before: the tag is no token.
fn is_raw(gap: &str) -> bool {
    let tag = gap.strip_suffix("%}").map(|tag| tag.trim_end_matches(['-', '+']).trim_end());
    tag.is_some_and(|tag| tag.ends_with("raw") && !tag.ends_with("endraw"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(template: &str) -> (String, Vec<bool>) {
        let Bound { source, variables } = bind(&Marked::new(template, ""));
        (source.replace("__bound_", "b"), variables.iter().map(|variable| variable.is_bare).collect())
    }

    #[test]
    fn placeholders_become_variables_wherever_they_stand() {
        for (template, expected, bare) in [
            ("a ${A} b", "a {{ b0_ }} b", false),
            ("{{ '<${A}>' | length }}", "{{ (['<',b0_,'>']|join) | length }}", false),
            ("{{ \"\\n${A}\" }}", "{{ ([\"\\n\",b0_,\"\"]|join) }}", false),
            ("{% if value.n > ${A} -%}  x", "{% if value.n > b0_ -%}  x", true),
            ("{{ value.${A}.b }}", "{{ value[b0_].b }}", false),
            (
                "{%- raw -%} {{ ${A} }} {% endraw %}",
                "{%- raw -%} {{ {% endraw %}{{ b0_ }}{% raw %} }} {% endraw %}",
                false,
            ),
            ("{% raw %}x{% endraw %}${A}", "{% raw %}x{% endraw %}{{ b0_ }}", false),
            ("{# ${A} #}\nx", "{# b0_ #}\nx", false),
        ] {
            assert_eq!(bound(template), (expected.to_owned(), vec![bare]), "{template}");
        }
        assert_eq!(bound("no {{ 'one' }} ${}"), ("no {{ 'one' }} ${}".to_owned(), vec![]));
    }
}
