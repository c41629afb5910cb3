//! `docs/commands.md`: the help of every command.

use clap::Command;

const HEAD: &str = "<!-- Written by `cargo xtask generate` from the command's grammar in cli/src. -->

# The `tidemill` command

What `tidemill COMMAND --help` shows, for every command. It also shows which of the common options act on the command: `--json`,
`--jq`, `--utc`, `--local`, `--url`, `--key` and `--data`, which stand below `tidemill` here.
";
/// Columns that the help is wrapped at.
const WIDTH: usize = 110;

/// The page.
pub fn text() -> String {
    let mut root = tidemill_cli::grammar_at(WIDTH);
    root.build();
    let root = root.mut_subcommands(without_common_options);
    HEAD.to_owned() + &sections(root)
}

fn without_common_options(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let is_common = argument.get_help_heading() == Some("Common options");
        argument.hide(is_common)
    });
    command.mut_subcommands(without_common_options)
}

/// A command and those below it.
fn sections(mut command: Command) -> String {
    // Else the help shows the variables of this very process.
    command = command.mut_args(|argument| argument.hide_env_values(true));
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let below = command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set());
    let below: String = below.cloned().map(sections).collect();
    format!("\n## `{name}`\n\n```text\n{}\n```\n{below}", lines.join("\n"))
}
