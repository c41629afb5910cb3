//! `tidemill doctor`: checks the plane, and repairs it.

use crate::api::client::Path;
use crate::api::views::Diagnosis;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, counted, plain};
use crate::session::Session;
use comfy_table::{Cell, Color};

/// Check your deployments: timers, due ticks, open runs, versions, the ledger, failures in a row
///
/// Exits with 1 if findings remain, but for warnings: `failing`, `skipping` and `secret`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidemill doctor --fix")]
pub struct Args {
    /// Repair the findings that can be repaired
    #[arg(long)]
    fix: bool,
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    let path = Path::new(&["doctor"]).with("fix", args.fix);
    let answer = session.client()?.post(&path, None).await?;
    let diagnosis: Diagnosis = answer.read()?;
    match session.output.is_json() {
        true => session.output.answer(&answer.text),
        false => session.output.line(shown(&diagnosis)),
    }
    if !diagnosis.healthy && !args.fix {
        session.output.note("`tidemill doctor --fix` repairs them where it can");
    }
    Ok(if diagnosis.healthy { Exit::Done } else { Exit::Failed })
}

fn shown(diagnosis: &Diagnosis) -> String {
    let deployments = counted(diagnosis.deployments, "deployment");
    if diagnosis.findings.is_empty() {
        return format!("{deployments}, nothing found");
    }
    let mut shown = table::new(&["CHECK", "PROJECT", "FINDING", "FIXED"]).in_full();
    for finding in &diagnosis.findings {
        let fixed = match finding.fixed {
            true => Cell::new("yes").fg(Color::Green),
            false => Cell::new("no").fg(Color::Red),
        };
        shown.add_row([
            Cell::new(&finding.check),
            Cell::new(plain(&finding.project)),
            Cell::new(plain(&finding.message)),
            fixed,
        ]);
    }
    let findings = counted(diagnosis.findings.len(), "finding");
    format!("{}\n{deployments}, {findings}", table::text(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::views::Finding;

    #[test]
    fn every_finding_says_whether_it_is_fixed() {
        let (check, message) = ("timer".to_owned(), "its timer is not as its schedule says".to_owned());
        let finding = Finding { check, project: "orders".into(), message, fixed: true };
        let diagnosis = Diagnosis { healthy: true, deployments: 2, findings: vec![finding] };

        assert_eq!(
            shown(&diagnosis),
            "CHECK  PROJECT  FINDING                                FIXED\n\
             timer  orders   its timer is not as its schedule says  yes\n\
             2 deployments, 1 finding"
        );
    }
}
