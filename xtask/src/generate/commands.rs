//! `docs/commands.md`: the help of every command.

use clap::Command;

const HEAD: &str = "<!-- Written by `cargo xtask generate` from the command's grammar in cli/src. -->

# The `tidemill` command

What `tidemill COMMAND --help` shows, for every command. The options under *Everywhere* work with each of them.
";
/// Columns that the help is wrapped at.
const WIDTH: usize = 110;

/// The page.
pub fn text() -> String {
    let mut root = tidemill_cli::grammar().term_width(WIDTH);
    root.build();
    let root = root.mut_subcommands(without_global_options);
    HEAD.to_owned() + &sections(root)
}

fn without_global_options(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let is_global = argument.is_global_set();
        argument.hide(is_global)
    });
    command.mut_subcommands(without_global_options)
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
