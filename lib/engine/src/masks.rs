//! Keeps the values of secrets out of everything that leaves the engine: a name stands where one stood.

use crate::json::{self, Json};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Tree;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Characters of the shortest secret that is masked: a shorter one would mask ordinary words.
pub const SHORTEST_MASKED: usize = 6;

/// Characters from which on a secret is masked wherever it stands: so long a value is no part of an ordinary word.
const LONG: usize = 16;

/// Characters from which on a piece of base64 is masked, which is no chance.
const SHORTEST_BASE64: usize = 8;

/// The values to hide.
#[derive(Default)]
pub struct Masks(Vec<Mask>);

/// One form of a value.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Mask {
    /// In lower case: the host of a URL is.
    form: String,
    /// Whether it is masked in the middle of a word, too.
    anywhere: bool,
    /// What is shown instead.
    name: String,
}

impl Masks {
    /// Knows each value and each of its lines, as they are and as the formats of programs and templates write them.
    pub fn new(secrets: &BTreeMap<String, SecretString>) -> Masks {
        let mut masks = BTreeSet::new();
        for (name, secret) in secrets {
            for part in parts(secret.expose_secret()) {
                let name = || format!("<{name}>");
                let written = forms(part).into_iter().map(|form| (form.chars().count() >= LONG, form));
                let encoded = base64_pieces(part).into_iter().map(|form| (true, form));
                masks.extend(written.chain(encoded).map(|(anywhere, form)| Mask {
                    form: form.to_ascii_lowercase(),
                    anywhere,
                    name: name(),
                }));
            }
        }
        Masks(masks.into_iter().collect())
    }

    /// A text with names in the place of values.
    pub fn apply(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = 0;
        for (place, name) in self.found(text) {
            masked.push_str(&text[rest..place.start]);
            masked.push_str(name);
            rest = place.end;
        }
        masked.push_str(&text[rest..]);
        masked
    }

    /// Where values stand. Those that overlap are one place, with the name of the longest.
    fn found(&self, text: &str) -> Vec<(Range<usize>, &str)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let lower = text.to_ascii_lowercase();
        let places = |mask: &Mask| mask.places(&lower).collect::<Vec<_>>();
        let mut found: Vec<_> =
            self.0.iter().flat_map(|mask| places(mask).into_iter().map(move |at| (at, mask))).collect();
        found.sort_by_key(|(place, _)| (place.start, usize::MAX - place.end));
        let mut merged: Vec<(Range<usize>, &Mask)> = Vec::new();
        for (place, mask) in found {
            match merged.last_mut().filter(|(last, _)| place.start < last.end) {
                Some((last, longest)) => {
                    last.end = last.end.max(place.end);
                    *longest = if mask.form.len() > longest.form.len() { mask } else { longest };
                }
                None => merged.push((place, mask)),
            }
        }
        merged.into_iter().map(|(place, mask)| (place, mask.name.as_str())).collect()
    }

    /// Masks every string, name and number of a value.
    pub(crate) fn apply_json(&self, json: &Json) -> Json {
        if self.0.is_empty() {
            return json.clone();
        }
        match json {
            Json::TStr(text) | Json::BStr(text) => json::string(&self.apply(&String::from_utf8_lossy(text))),
            Json::Num(number) => {
                let (plain, masked) = (number.to_string(), self.apply(&number.to_string()));
                if plain == masked { json.clone() } else { json::string(&masked) }
            }
            Json::Arr(items) => items.iter().map(|item| self.apply_json(item)).collect(),
            Json::Obj(fields) => {
                let fields = fields.iter();
                Json::obj(fields.map(|(name, field)| (self.apply_json(name), self.apply_json(field))).collect())
            }
            other => other.clone(),
        }
    }

    /// Masks every string, name and number of a message.
    pub(crate) fn apply_tree(&self, tree: &mut Tree) {
        if self.0.is_empty() {
            return;
        }
        match tree {
            Tree::String(text) => *text = self.apply(text),
            Tree::Number(number) => {
                let (plain, masked) = (number.to_string(), self.apply(&number.to_string()));
                if plain != masked {
                    *tree = Tree::String(masked);
                }
            }
            Tree::Array(items) => items.iter_mut().for_each(|item| self.apply_tree(item)),
            Tree::Object(fields) => {
                let masked = std::mem::take(fields).into_iter().map(|(name, mut field)| {
                    self.apply_tree(&mut field);
                    (self.apply(&name), field)
                });
                *fields = masked.collect();
            }
            _ => {}
        }
    }
}

impl Mask {
    /// Where the value stands in a text of lower case: as a value, not as a part of a longer word.
    fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let places = text.match_indices(self.form.as_str()).map(|(start, form)| start..start + form.len());
        places.filter(|place| self.anywhere || !self.is_part_of_a_word(&text[..place.start], &text[place.end..]))
    }

    /// The last letter of an escape, `\\n` or `%20`, is of no word.
    fn is_part_of_a_word(&self, before: &str, after: &str) -> bool {
        let nth_last = |place: usize| before.len().checked_sub(place).map(|at| before.as_bytes()[at]);
        let is_escape = nth_last(2) == Some(b'\\') || nth_last(3) == Some(b'%');
        let continues = !is_escape && self.form.starts_with(is_of_a_word) && before.ends_with(is_of_a_word);
        continues || self.form.ends_with(is_of_a_word) && after.starts_with(is_of_a_word)
    }
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric()
}

/// What is hidden of a value: the whole and each of its lines, without the spaces around them, which headers and URLs lose.
fn parts(value: &str) -> BTreeSet<&str> {
    let all = [value, value.trim()].into_iter().chain(value.split(['\n', '\r']).map(str::trim));
    all.filter(|part| part.chars().count() >= SHORTEST_MASKED).collect()
}

/// A value as it is, and as it stands inside JSON, inside JSON that is a text of JSON, in HTML, for a shell and in a URL.
fn forms(value: &str) -> BTreeSet<String> {
    let query: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let uri = query.replace('+', "%20").replace('*', "%2A").replace("%7E", "~");
    let html = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let once = in_json(value);
    let twice = in_json(&once);
    let mut forms = BTreeSet::from([
        value.to_owned(),
        // The template's `tojson` leaves no character that HTML reads.
        once.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e").replace('\'', "\\u0027"),
        in_json(&twice),
        twice,
        once,
        html.replace('\'', "&#39;"),
        html.replace('\'', "&#x27;"),
        html.replace('\'', "&apos;"),
        value.replace('\'', "'\\''"),
        uri.replace("%2F", "/"),
        uri.replace('~', "%7E").replace("%2F", "/"),
        uri,
        query,
        in_path(value),
    ]);
    forms.extend(as_host(value));
    forms
}

fn in_json(value: &str) -> String {
    let quoted = Tree::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The value as the URL parser writes it into a path.
fn in_path(value: &str) -> String {
    let mut url = url::Url::parse("http://x/").expect("this URL is valid");
    url.set_path(value);
    url.path()[1..].to_owned()
}

/// The value as the URL parser writes it as a host, if it can be one.
fn as_host(value: &str) -> Option<String> {
    url::Host::parse(value).ok().map(|host| host.to_string())
}

/// What is certain of a value in base64, wherever it stands in what is encoded: three texts, by the place of its first byte
/// among three.
fn base64_pieces(value: &str) -> BTreeSet<String> {
    let piece = |before: usize| {
        let bytes = [&vec![0; before], value.as_bytes()].concat();
        // A character holds six bits; the first and the last may have some of a neighbour.
        let (start, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)].map(|text| text[start..end].to_owned())
    };
    (0..3).flat_map(piece).filter(|piece| piece.len() >= SHORTEST_BASE64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::base64;
    use serde_json::json;

    fn of(secrets: &[(&str, &str)]) -> Masks {
        Masks::new(&secrets.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from(*value))).collect())
    }

    #[test]
    fn every_form_of_a_secret_is_masked_and_short_ones_are_not() {
        let masks = of(&[("TOKEN", "tok-12345"), ("LONG", "tok-12345-more"), ("PIN", "12345"), ("ODD", "a b\"c/ü")]);

        assert_eq!(masks.apply("x tok-12345-more tok-12345 12345"), "x <LONG> <TOKEN> 12345");
        assert_eq!(masks.apply(r#"a b"c/ü {"k":"a b\"c/ü"} ?q=a+b%22c%2F%C3%BC"#), r#"<ODD> {"k":"<ODD>"} ?q=<ODD>"#);
        assert_eq!(masks.apply("https://h/a%20b%22c/%C3%BC"), "https://h/<ODD>");
    }

    #[test]
    fn a_secret_is_masked_as_a_host_and_in_any_case() {
        let masks = of(&[("HOST", "Tenant-Of.Example"), ("IDN", "Bücher-Stube.example")]);

        assert_eq!(masks.apply("`tenant-of.example` and TENANT-OF.EXAMPLE"), "`<HOST>` and <HOST>");
        let url = url::Url::parse("https://Bücher-Stube.example/").unwrap();
        assert!(url.as_str().contains("xn--"), "{url}");
        assert_eq!(masks.apply(url.as_str()), "https://<IDN>/");
    }

    #[test]
    fn every_line_of_a_secret_and_its_text_without_spaces_are_masked() {
        let masks = of(&[("PEM", "--- BEGIN ---\r\nfirst+line\n  second/line \n"), ("SPACED", " a-token\n")]);

        assert_eq!(masks.apply("first+line|second/line|a-token"), "<PEM>|<PEM>|<SPACED>");
        assert_eq!(masks.apply(r#""--- BEGIN ---\r\nfirst+line\n  second/line \n""#), "\"<PEM>\"");
    }

    #[test]
    fn what_programs_and_templates_write_of_a_secret_is_masked() {
        let odd = r#"it's "a" <\b> & ~*c"#;
        let masks = of(&[("ODD", odd)]);
        let once = Tree::from(odd).to_string();
        let twice = Tree::from(once.as_str()).to_string();
        let thrice = Tree::from(twice.as_str()).to_string();

        for written in [once, twice, thrice, r#"it'\''s "a" <\b> & ~*c"#.into()] {
            let masked = masks.apply(&written);
            assert!(masked.contains("<ODD>") && !masked.contains("it"), "{written}: {masked}");
        }
        assert_eq!(masks.apply("it&#39;s &quot;a&quot; &lt;\\b&gt; &amp; ~*c"), "<ODD>");
        assert_eq!(masks.apply("it%27s%20%22a%22%20%3C%5Cb%3E%20%26%20~%2Ac"), "<ODD>");
    }

    #[test]
    fn a_secret_is_masked_in_base64_wherever_it_stands_in_what_is_encoded() {
        let masks = of(&[("TOKEN", "tok-12345?~")]);

        for before in ["", "u", "us", "user:"] {
            for after in ["", ".", "..", "..."] {
                let masked =
                    masks.apply(&format!("Basic {}", base64(format!("{before}tok-12345?~{after}").as_bytes())));
                assert!(masked.contains("<TOKEN>") && masked.len() < 30, "{before}…{after}: {masked}");
            }
        }
    }

    #[test]
    fn a_secret_is_masked_as_a_value_and_not_as_a_part_of_a_word() {
        assert_eq!(of(&[("KEY", "planet")]).apply("planets of exoplanet, planet"), "planets of exoplanet, <KEY>");
        for whole in ["key=planet", "\"planet\"", "planet", "(planet)", "a/planet?", "Bearer planet", "x_planet_y"] {
            assert_eq!(of(&[("KEY", "planet")]).apply(whole), whole.replace("planet", "<KEY>"));
        }
        // The letters before it are those of an escape.
        let escapes = r#"{"a":"x\nplanet"} ?q=%20planet"#;
        assert_eq!(of(&[("KEY", "planet")]).apply(escapes), r#"{"a":"x\n<KEY>"} ?q=%20<KEY>"#);
        assert_eq!(of(&[("KEY", "12345:abcdefghijk")]).apply("/bot12345:abcdefghijk/send"), "/bot<KEY>/send");
        assert_eq!(of(&[("KEY", "123456")]).apply("1234567 123456"), "1234567 <KEY>");
    }

    #[test]
    fn secrets_that_overlap_are_masked_whole() {
        let masks = of(&[("A", "abcdef-1234567890"), ("B", "1234567890-xyzuvw")]);

        assert_eq!(masks.apply("<abcdef-1234567890-xyzuvw>"), "<<A>>");
    }

    #[test]
    fn names_and_numbers_of_objects_are_masked_too() {
        let masks = of(&[("TOKEN", "tok-12345"), ("PIN", "9876543210")]);
        let text = r#"{"tok-12345":{"n":[9876543210,7]}}"#;
        let mut tree: Tree = serde_json::from_str(text).unwrap();

        masks.apply_tree(&mut tree);

        assert_eq!(tree, json!({ "<TOKEN>": { "n": ["<PIN>", 7] } }));
        let masked = masks.apply_json(&json::parse(text.as_bytes()).unwrap());
        assert_eq!(json::to_compact(&masked).unwrap(), r#"{"<TOKEN>":{"n":["<PIN>",7]}}"#);
    }
}
