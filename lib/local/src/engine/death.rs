//! What an engine process died of, in words for the author of a pipeline. Nothing that the process wrote is repeated: it may hold
//! a secret.

use super::child::{MEMORY, PROCESSOR_EXCEEDED, PROCESSOR_TIME, STACK};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tidemill_engine::Death;

/// The status of a Rust program whose thread panicked.
pub const PANICKED: u8 = 101;

/// Reads what a process died of from its status and the end of what it wrote to standard error.
pub fn cause(status: Option<ExitStatus>, last_words: &str) -> Death {
    let is_out_of_memory = last_words.contains("memory allocation of") || last_words.contains("failed to allocate");
    if is_out_of_memory {
        let message = format!("used more memory than its limit of {} MiB", MEMORY >> 20);
        return death(message, "look for what makes a value or a list grow, or cut the input into smaller objects");
    }
    if last_words.contains("overflowed its stack") {
        let message = format!("used more of its stack than the limit of {} MiB", STACK >> 20);
        return death(message, "look for a program that nests or calls itself without end");
    }
    let (code, signal) = (status.and_then(|status| status.code()), status.and_then(|status| status.signal()));
    match (code, signal) {
        (Some(code), _) if code == i32::from(PROCESSOR_EXCEEDED) => {
            let message = format!("computed for more than {} s at one value, the limit", PROCESSOR_TIME.as_secs());
            death(message, "look for a program that goes through a large value again and again")
        }
        (Some(code), _) if code == i32::from(PANICKED) => {
            death("broke off", "this is a fault of Tidemill: report it with the plane's log of this moment")
        }
        (Some(code), _) => death(format!("ended with the status {code}"), "look at the plane's log of this moment"),
        (_, Some(signal)) => death(
            format!("was ended by signal {signal}"),
            "look whether the machine ran out of memory: its kernel ends what uses most",
        ),
        _ => death("ended", "look at the plane's log of this moment"),
    }
}

fn death(message: impl Into<String>, hint: &str) -> Death {
    Death { message: message.into(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(raw_status: i32, last_words: &str) -> String {
        cause(Some(ExitStatus::from_raw(raw_status)), last_words).message
    }

    #[test]
    fn a_death_is_told_by_its_last_words_and_its_status() {
        let of_memory = "memory allocation of 1073741825 bytes failed\n";
        assert_eq!(message(6, of_memory), "used more memory than its limit of 1024 MiB");
        assert_eq!(
            message(6, "thread 'engine' has overflowed its stack\n"),
            "used more of its stack than the limit of 1024 MiB"
        );
        assert_eq!(message(9, ""), "was ended by signal 9");
        assert_eq!(
            message(i32::from(PROCESSOR_EXCEEDED) << 8, ""),
            "computed for more than 60 s at one value, the limit"
        );
        assert_eq!(message(3 << 8, "a secret"), "ended with the status 3");
    }
}
