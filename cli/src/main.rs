//! The binary `tidemill`. Everything stands in the library beside it, which the generated reference reads, too.

fn main() -> std::process::ExitCode {
    tidemill_cli::run()
}
