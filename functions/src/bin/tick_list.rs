//! Lists due minutes and what became of them.

fn main() -> std::process::ExitCode {
    tidemill_aws::serve("tick_list")
}
