//! The one program of all Lambda functions. Each function starts it with another handler, and the handler's name is the
//! function's name in the table of functions.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidemill_aws::serve(&tidemill_aws::function_name())
}
