//! The engine process itself: it executes what the plane asks for, until the plane hangs up.
//!
//! One thread talks to the plane ([`desk`]), another one computes ([`mod@bench`]), so that the plane hears of progress, and the process
//! of the plane's end, while a value is in hand.

mod bench;
mod desk;
mod limits;
mod line;
mod seen;

pub use limits::{MEMORY, PROCESSOR_EXCEEDED, PROCESSOR_TIME, STACK};

use crate::engine::death::PANICKED;
use std::io;
use std::process::exit;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

/// Serves a plane over standard input and output, and ends the process.
pub fn serve() -> ! {
    limits::set();
    match talk() {
        Ok(code) => exit(i32::from(code)),
        Err(error) => {
            eprintln!("an engine process is started by a plane, which talks to it over pipes: {error}");
            exit(1)
        }
    }
}

fn talk() -> io::Result<u8> {
    let (line, replies) = line::line();
    let (jobs, to_do) = mpsc::unbounded_channel();
    let (alive, ended) = oneshot::channel::<()>();
    let at_work = {
        let line = line.clone();
        move || {
            let _alive = alive;
            runtime().map(|runtime| runtime.block_on(bench::work(to_do, line)))
        }
    };
    std::thread::Builder::new().name("engine".to_owned()).stack_size(STACK).spawn(at_work)?;
    runtime()?.block_on(async {
        tokio::select! {
            served = desk::Desk::new(line, jobs).serve(replies) => served.map(|()| 0),
            _ = ended => Ok(PANICKED),
        }
    })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
