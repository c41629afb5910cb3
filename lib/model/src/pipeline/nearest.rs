//! Finds the name that was most likely meant.

/// Words longer than this are not compared, because a comparison costs the product of the lengths.
const LONGEST: usize = 64;

/// The known name closest to `word` if it is close: at most a third of its letters differ, upper and lower case alike.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .filter(|name| name.len() <= LONGEST && name.len().abs_diff(lower.len()) <= allowed * 4)
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let lanes = ["text", "table", "tags", "documents"];

        assert_eq!(nearest("txt", lanes), Some("text"));
        assert_eq!(nearest("Documents", lanes), Some("documents"));
        assert_eq!(nearest("docmuents", lanes), Some("documents"));
        assert_eq!(nearest("answers", lanes), None);
        assert_eq!(nearest("", lanes), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
