//! `tidemill help exit-codes`: a page, which the command of that name prints, too.

use crate::failure::{Exit, Failure};
use crate::session::Session;

/// The numbers, as the help of `tidemill` lists them.
const LIST: &str = "  0    done
  1    failed: the run failed, findings remain, the plane refused the request, a file is wrong
  2    the command line cannot mean anything: an unknown option, a value outside of its range
  3    not found
  4    not authenticated, or not permitted
  5    a conflict, or something must be changed first
  6    the plane is unreachable or unavailable
  130  interrupted";

/// The page.
const PAGE: &str = "\
A value that is wrong wherever the command runs, such as the schedule in `--schedule 'x y'`,
exits with 2 before anything is sent. The same value in a file exits with 1, as does what only
the plane can judge. A variable that stands for an option, such as TIDEMILL_URL, counts as the
option. With --json the error's `code` says more than the number.";

/// Print what each exit code means
#[derive(clap::Args)]
#[command(
    long_about = format!("Print what each exit code means\n\n{LIST}\n\n{PAGE}"),
    after_help = "Example:\n  tidemill exit-codes"
)]
pub struct Args {}

pub fn run(session: &Session) -> Result<Exit, Failure> {
    session.output.line(format_args!("{LIST}\n\n{PAGE}"));
    Ok(Exit::Done)
}
