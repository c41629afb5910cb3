//! One engine process, as the plane holds it.

use super::death;
use super::program::ARGUMENT;
use super::protocol::{Reply, Request, codec};
use futures::{SinkExt, StreamExt};
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tidemill_engine::Death;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

/// Variables that an engine process may see: where the system has its certificates, and the zone of this machine.
const VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "TZ"];
/// Address space that the allocator reserves for each thread counts for the limit of a process, so its threads share.
/// <https://man7.org/linux/man-pages/man3/mallopt.3.html>
const ALLOCATOR: (&str, &str) = ("MALLOC_ARENA_MAX", "2");
/// Bytes of what a process wrote to standard error that are read when it has died.
const LAST_WORDS: u64 = 4096;
/// How long the end of a run waits for the death of its process.
const KILLED: Duration = Duration::from_millis(200);
/// How long a process whose pipe broke may take to be dead.
const DYING: Duration = Duration::from_secs(2);

/// A process. It is killed when it is dropped.
pub struct Process {
    child: Child,
    requests: FramedWrite<ChildStdin, LengthDelimitedCodec>,
    replies: FramedRead<ChildStdout, LengthDelimitedCodec>,
}

impl Process {
    /// Starts one. It has a group of its own, so that Ctrl-C at the plane's terminal does not reach it.
    pub fn spawn() -> io::Result<Process> {
        let mut command = Command::new(binary()?);
        command.arg0("tidemill").arg(ARGUMENT).env_clear().env(ALLOCATOR.0, ALLOCATOR.1);
        command.envs(VARIABLES.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok(Process {
            child,
            requests: FramedWrite::new(stdin.expect("it is piped"), codec()),
            replies: FramedRead::new(stdout.expect("it is piped"), codec()),
        })
    }

    /// Its id; `None` once it is dead.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub async fn send(&mut self, request: &Request) -> io::Result<()> {
        self.requests.send(request.encode()?).await
    }

    /// The next reply. It may be dropped while it waits.
    pub async fn reply(&mut self) -> io::Result<Reply> {
        match self.replies.next().await {
            Some(frame) => Reply::decode(&frame?),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Kills it, and waits a moment until it is dead: until then it may hold a file.
    pub async fn kill(mut self) {
        // Later the signal is sent all the same, and a machine that is busy gives back the memory when it can.
        if let Ok(Err(error)) = tokio::time::timeout(KILLED, self.child.kill()).await {
            tracing::warn!(%error, "an engine process could not be killed");
        }
    }

    /// What it died of whose pipe broke.
    pub async fn death(mut self) -> Death {
        let status = match tokio::time::timeout(DYING, self.child.wait()).await {
            Ok(status) => status.ok(),
            // It lives, and says what cannot be read.
            Err(_) => None,
        };
        let mut last_words = Vec::new();
        if let Some(stderr) = self.child.stderr.take().filter(|_| status.is_some()) {
            // What cannot be read has no words.
            let _ = stderr.take(LAST_WORDS).read_to_end(&mut last_words).await;
        }
        let death = death::cause(status, &String::from_utf8_lossy(&last_words));
        tracing::warn!(status = status.map(|status| status.to_string()), "an engine process {}", death.message);
        death
    }
}

/// This binary, also where its file was replaced meanwhile: both sides have to be of one version.
fn binary() -> io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}
