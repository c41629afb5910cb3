//! No text makes the parser panic, and a text that it takes comes back unchanged.

use proptest::prelude::*;
use tidemill_model::pipeline::{Pipeline, unwrap_file};

fn read(text: &str) {
    match Pipeline::parse(text) {
        Ok(pipeline) => assert_eq!(pipeline.text(), text),
        Err(problems) => assert!(!problems.is_empty()),
    }
    if let Ok(file) = unwrap_file(text) {
        assert!(text.contains(&file.pipeline_text), "the inner text is a part of the file");
    }
}

/// Pieces that make sound and nearly sound pipelines far more often than chance would.
const PIECES: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"project_id\":\"p\"",
    "\"components\":[",
    "\"id\":\"a\"",
    "\"provider\":\"x\"",
    "\"config\":{}",
    "\"input\":[",
    "\"lane\":\"text\"",
    "\"from\":\"a\"",
    "\"pipeline\":{",
    "\"schedule\":null",
    "\"",
    "\\u00e9",
    "\\ud800",
    "1.0",
    "-1e999",
    "null",
    "\u{0}",
    " ",
    "\n",
    "é",
];

const SOUND: &str = r#"{"pipeline":{"project_id":"p","source":"a","components":[{"id":"a","provider":"x","config":{"profile":"f","f":{}},"input":[{"lane":"text","from":"a"}],"control":[{"classType":"llm","from":"a"}]}]},"note":"n"}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 40_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_characters_are_read_or_refused(characters in prop::collection::vec(any::<char>(), 0..24)) {
        read(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn any_pieces_of_json_are_read_or_refused(pieces in prop::collection::vec(0..PIECES.len(), 0..24)) {
        read(&pieces.into_iter().map(|piece| PIECES[piece]).collect::<String>());
    }

    #[test]
    fn a_sound_text_with_a_piece_cut_or_put_in_is_read_or_refused(
        at in 0..SOUND.len(), cut in prop_oneof![Just(0), 0..40usize], piece in 0..PIECES.len(), wrapped in any::<bool>(),
    ) {
        let text = if wrapped { SOUND } else { &SOUND[12..SOUND.len() - 12] };
        let at = at.min(text.len());
        read(&format!("{}{}{}", &text[..at], PIECES[piece], &text[(at + cut).min(text.len())..]));
    }
}
