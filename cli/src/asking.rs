//! Asks a person before something is taken away. A script is not asked.

use crate::failure::Failure;
use crate::session::Session;
use std::io::{IsTerminal, Write};

pub fn can_ask(session: &Session) -> bool {
    !session.output.is_json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
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
