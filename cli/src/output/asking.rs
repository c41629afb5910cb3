//! Asks a person before something is removed. A script gets no question.

use crate::failure::Failure;
use crate::session::Session;
use std::io::{IsTerminal, Write};

pub fn can_ask(session: &Session) -> bool {
    !session.output.is_json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether something may be removed.
pub enum Consent<Ask> {
    /// The command line says so.
    Yes,
    /// A person answers.
    Ask(Ask),
    /// A script answers no questions.
    Script,
}

/// `yes` is the option of the command line.
pub fn consent(session: &Session, yes: bool) -> Consent<impl FnOnce(&str) -> Result<bool, Failure>> {
    match yes {
        true => Consent::Yes,
        false if can_ask(session) => Consent::Ask(agreed),
        false => Consent::Script,
    }
}

/// Whether the person says yes to `question`.
pub fn agreed(question: &str) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::new("terminal", error.to_string()).hint("give `--yes`");
    let mut stderr = anstream::stderr().lock();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    if std::io::stdin().read_line(&mut answer).map_err(failed)? == 0 {
        // Ctrl-D leaves the cursor behind the question.
        writeln!(stderr).map_err(failed)?;
    }
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
