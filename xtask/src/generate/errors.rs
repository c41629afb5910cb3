//! `docs/errors.md`: the codes of the errors, on every wire.

use tidemill_operations::Code;
use tidemill_protocols::error_codes;

const HEAD: &str = "<!-- Written by `cargo xtask generate` from lib/operations/src/error.rs and lib/protocols/src/error_codes.rs. -->

# Errors

An error of the HTTP API has a `code`, a `message`, and often a `hint` and `details`, one for each problem. Let programs decide by the code;
the sentences may change. No error shows a path of the plane, a secret or another owner's name.

| status | code | what it means | what to do |
|---|---|---|---|
";

const ROCKETRIDE: &str = "
Two more codes concern the request's form: 405 `method_not_allowed`, for another method than the path takes, and 421
`misdirected_request`, for a `Host` that a plane of this machine does not answer to (`--host NAME` adds one).

## RocketRide's clients

Replies on a socket have the same codes in capitals. The HTTP routes of these clients have fewer statuses.

| code | status of a route |
|---|---|
";

/// The page.
pub fn text() -> String {
    let rows = Code::ALL.iter().map(|&code| row(code)).collect::<String>();
    let rocketride = Code::ALL.iter().map(|&code| rocketride_row(code)).collect::<String>();
    [HEAD, &rows, ROCKETRIDE, &rocketride].concat()
}

fn row(code: Code) -> String {
    let (status, word) = error_codes::rest(code);
    format!("| {status} | `{word}` | {} | {} |\n", code.meaning(), code.remedy())
}

fn rocketride_row(code: Code) -> String {
    format!("| `{}` | {} |\n", error_codes::dap(code), error_codes::rocketride(code))
}
