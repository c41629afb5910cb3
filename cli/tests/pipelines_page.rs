//! `docs/pipelines.md`: every pipeline on the page works, and shows what the page says.

use crate::command::tidemill_in;
use crate::server::Server;

/// A fenced block of the page.
#[derive(Default)]
struct Block {
    language: String,
    text: String,
    /// The line that it starts at.
    line: usize,
    /// How it is tried; `None` if it is no pipeline.
    arguments: Option<Vec<String>>,
    shows: String,
}

fn blocks() -> Vec<Block> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pipelines.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (mut blocks, mut next, mut open) = (Vec::new(), Block::default(), false);
    for (number, line) in page.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            match open {
                true => blocks.push(std::mem::take(&mut next)),
                false => (next.language, next.line) = (language.to_owned(), number + 1),
            }
            open = !open;
        } else if open {
            next.text.push_str(line);
            next.text.push('\n');
        } else if let Some(arguments) = comment(line, "try:") {
            next.arguments = Some(words(arguments));
        } else if let Some(shows) = comment(line, "shows:") {
            next.shows = shows.to_owned();
        }
    }
    blocks
}

fn comment<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    Some(line.strip_prefix("<!-- ")?.strip_prefix(name)?.strip_suffix("-->")?.trim())
}

/// Words as a shell takes them apart that knows nothing but single quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in text.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_pipeline_on_the_page_is_valid_runs_and_shows_what_the_page_says() {
    let server = Server::answering(r#"{"state": "ok"}"#);
    let mut count = 0;
    for block in blocks() {
        let is_pipeline = block.text.contains("components");
        assert_eq!(block.arguments.is_some(), is_pipeline, "line {}: a pipeline says how it is tried", block.line);
        let Some(arguments) = block.arguments else { continue };
        assert!(!block.shows.is_empty(), "line {}: it says what the try shows", block.line);
        let folder = tempfile::tempdir().unwrap();
        let file = format!("a.{}", block.language);
        std::fs::write(folder.path().join(&file), &block.text).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|word| word.replace("SERVER", &server.url)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();

        let valid = tidemill_in(folder.path(), &["validate", &file], "");
        let tried = tidemill_in(folder.path(), &[&["try", &file], arguments.as_slice()].concat(), "");

        assert_eq!(valid.code, 0, "line {}: {}", block.line, valid.stdout);
        assert_eq!(tried.code, 0, "line {}: {}{}", block.line, tried.stdout, tried.stderr);
        assert!(tried.stdout.contains(&block.shows), "line {}: {}", block.line, tried.stdout);
        count += 1;
    }
    assert!(count >= 7, "{count} pipelines were found");
}
