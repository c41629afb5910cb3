//! The thread that talks to the plane: takes its requests, and says how far the step in hand is.

use super::bench::{Job, Task};
use super::limits::{PROCESSOR_EXCEEDED, Watch};
use super::line::Line;
use super::seen::Answer;
use crate::engine::protocol::{Reply, Request, Start, codec};
use futures::{SinkExt, StreamExt};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;
use tidemill_engine::{Arriving, Gauge};
use tokio::net::unix::pipe;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::codec::{FramedRead, FramedWrite};

/// How often the plane hears how far a step is.
const REPORT: Duration = Duration::from_millis(100);

/// Where the plane's requests come in.
pub struct Desk {
    line: Line,
    jobs: UnboundedSender<Job>,
    watch: Watch,
    current: Option<Current>,
}

/// The execution in hand.
struct Current {
    gauge: Gauge,
    answers: UnboundedSender<Answer>,
    parts: UnboundedSender<Arriving>,
}

impl Desk {
    pub fn new(line: Line, jobs: UnboundedSender<Job>) -> Desk {
        Desk { line, jobs, watch: Watch::new(), current: None }
    }

    /// Serves until the plane hangs up.
    pub async fn serve(mut self, replies: UnboundedReceiver<Reply>) -> io::Result<()> {
        let _ignored = ignored_signals()?;
        let input = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
        let output = pipe::Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned()?)?;
        tokio::spawn(write(output, replies));
        let mut requests = FramedRead::new(input, codec());
        let mut report = interval(REPORT);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = requests.next() => match request {
                    Some(frame) => self.take(Request::decode(frame?)?),
                    None => return Ok(()),
                },
                _ = report.tick(), if self.line.is_busy() => self.look(),
            }
        }
    }

    /// What has no receiver is of an execution that has ended meanwhile.
    fn take(&mut self, request: Request) {
        match (request, &self.current) {
            (Request::Start(start), _) => self.begin(*start),
            (Request::Step(budget), _) => {
                self.line.ask();
                self.ask(Job::Step(budget));
            }
            (Request::EndStep, Some(current)) => {
                current.gauge.end_step();
                self.look();
            }
            (Request::Seen(answer), Some(current)) => _ = current.answers.send(answer),
            (Request::Part(part), Some(current)) => _ = current.parts.send(Arriving::Part(part)),
            (Request::Whole, Some(current)) => _ = current.parts.send(Arriving::Whole),
            (Request::Lost, Some(current)) => _ = current.parts.send(Arriving::Lost),
            (_, None) => {}
        }
    }

    fn begin(&mut self, start: Start) {
        self.watch = Watch::new();
        let gauge = Gauge::default();
        let (answers, answered) = unbounded_channel();
        let (parts, arriving) = unbounded_channel();
        self.current = Some(Current { gauge: gauge.clone(), answers, parts });
        self.ask(Job::Begin(Box::new(Task { start, gauge, answered, arriving })));
    }

    /// Without the other thread the process is about to end.
    fn ask(&self, job: Job) {
        let _ = self.jobs.send(job);
    }

    /// Reports, and ends the process if the processor has been busy with one value for too long.
    fn look(&mut self) {
        let Some(begun) = self.line.report() else { return };
        if self.watch.is_exceeded(begun) {
            std::process::exit(i32::from(PROCESSOR_EXCEEDED));
        }
    }
}

/// Signals that would end the process. Whether it is to end, its plane decides, which may have runs to save.
fn ignored_signals() -> io::Result<Vec<Signal>> {
    [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].into_iter().map(signal).collect()
}

/// Sends the replies in their order, while requests go on coming in.
async fn write(output: pipe::Sender, mut replies: UnboundedReceiver<Reply>) -> io::Result<()> {
    let mut output = FramedWrite::new(output, codec());
    while let Some(reply) = replies.recv().await {
        output.send(reply.encode()?).await?;
    }
    Ok(())
}
