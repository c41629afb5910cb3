//! Asks a person before something is taken away. A script is not asked.

use crate::failure::Failure;
use crate::session::Session;
use std::io::{IsTerminal, Write};

pub fn can_ask(session: &Session) -> bool {
    !session.output.is_json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Who says whether something may be taken away.
pub enum Consent<Ask> {
    /// It was said on the command line.
    Given,
    /// A person is there to be asked.
    Asked(Ask),
    /// A script cannot be asked.
    Unasked,
}

/// `yes` is what the command line says.
pub fn consent(session: &Session, yes: bool) -> Consent<impl FnOnce(&str) -> Result<bool, Failure>> {
    match yes {
        true => Consent::Given,
        false if can_ask(session) => Consent::Asked(agreed),
        false => Consent::Unasked,
    }
}

/// Whether somebody says yes to `question`.
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
