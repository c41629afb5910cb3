//! A terminal of some width, with the command in it.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the command writes to a terminal of so many columns: standard output and standard error. Variables are set for it.
pub fn on_terminal(columns: u16, folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
    command.args(arguments).current_dir(folder).env_remove("NO_COLOR").env("TERM", "xterm-256color").env_remove("TZ");
    command.env_remove("TIDEMILL_URL").env_remove("TIDEMILL_KEY").env_remove("CI").envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(slave.try_clone().unwrap()).stderr(slave);
    let mut child = command.spawn().unwrap();
    // It holds the terminal's other end, which has to close for the reader to find the end.
    drop(command);
    let (mut shown, mut part) = (Vec::new(), [0; 4096]);
    let mut reader = File::from(master);
    // Linux answers with an error where other systems find the end.
    while let Ok(read @ 1..) = reader.read(&mut part) {
        shown.extend_from_slice(&part[..read]);
    }
    child.wait().unwrap();
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}
