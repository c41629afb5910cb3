//! Group commit: an answer waits until all that it may show is on the disk, and many answers wait for one sync.
//!
//! At `synchronous = FULL` SQLite syncs its write-ahead log at the end of each transaction. Here it stands at `NORMAL`, which
//! writes the same frames to the same file, but leaves the sync to this thread, which makes one for all that wait. Who asks has what
//! `FULL` gives:
//!
//! - A write is answered after a sync that began when its commit was in the log. A read is answered after a sync of every commit
//!   that it could see, those of other processes included, so nothing that was ever shown is lost.
//! - A checkpoint syncs the log before it copies pages into the table's file, and syncs that before the log is begun anew; a new
//!   log's header is synced before its frames: at `NORMAL` as at `FULL`. So a commit is either in the log that is synced here or in
//!   the file already, and the order of what a crash leaves is the same. <https://www.sqlite.org/wal.html>
//! - `FULL` pads a commit to a whole sector only where writing beside it could damage it; SQLite assumes of no disk
//!   that it does. <https://www.sqlite.org/psow.html>
//!
//! After a sync that failed it is not known what is on the disk, and a later one may succeed without having written it. So the table
//! then gives no answer any more, until a new start reads the file. <https://www.usenix.org/conference/atc20/presentation/rebello>

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

/// The thread that syncs, and the answers on their way through it.
pub struct Syncs {
    /// `None` once the thread is to end.
    held: Option<mpsc::Sender<Held>>,
    /// How many changes there were.
    written: u64,
    /// How many of them are on the disk.
    synced: Arc<AtomicU64>,
    thread: Option<thread::JoinHandle<()>>,
}

/// An answer that waits.
struct Held {
    /// The change that must be on the disk before.
    after: u64,
    deliver: Box<dyn FnOnce() + Send>,
}

/// The table's file could not be synced.
#[derive(Debug)]
pub struct Failed;

impl Syncs {
    /// Starts the thread; `sync` returns when all that was written before is on the disk.
    pub fn start(sync: impl FnMut() -> io::Result<()> + Send + 'static) -> io::Result<Syncs> {
        let (held, waiting) = mpsc::channel();
        let synced = Arc::new(AtomicU64::new(0));
        let thread = thread::Builder::new().name("sync".into()).spawn({
            let synced = synced.clone();
            move || deliver(&waiting, &synced, sync)
        })?;
        // What was in the file before is taken for unsynced: another process may have just written it.
        Ok(Syncs { held: Some(held), written: 1, synced, thread: Some(thread) })
    }

    /// Notes that the file may have changed: answers from now on wait for a sync.
    pub fn changed(&mut self) {
        self.written += 1;
    }

    /// Delivers an answer once all changes so far are on the disk.
    ///
    /// # Errors
    /// [`Failed`] if a sync failed. The answer is then dropped, as all others are that waited.
    pub fn deliver(&self, deliver: impl FnOnce() + Send + 'static) -> Result<(), Failed> {
        if self.synced.load(Ordering::Acquire) == self.written {
            deliver();
            return Ok(());
        }
        let held = self.held.as_ref().ok_or(Failed)?;
        held.send(Held { after: self.written, deliver: Box::new(deliver) }).map_err(|_| Failed)
    }
}

impl Drop for Syncs {
    /// Waits until every answer is delivered.
    fn drop(&mut self) {
        self.held = None;
        // Its panic was reported as it happened.
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

/// Syncs for all that wait, delivers their answers, and begins again with those that came meanwhile.
fn deliver(waiting: &mpsc::Receiver<Held>, synced: &AtomicU64, mut sync: impl FnMut() -> io::Result<()>) {
    while let Ok(first) = waiting.recv() {
        let held: Vec<Held> = std::iter::once(first).chain(waiting.try_iter()).collect();
        // They come in the order of the changes.
        let newest = held.last().map_or(0, |held| held.after);
        let mut done = synced.load(Ordering::Acquire);
        for Held { after, deliver } in held {
            if after > done {
                if let Err(error) = sync() {
                    tracing::error!(%error, "the table's file cannot be synced; look after the disk, and start the plane again");
                    return;
                }
                done = newest;
                synced.store(done, Ordering::Release);
            }
            deliver();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A disk whose syncs are let through one by one.
    struct Disk {
        begun: Receiver<()>,
        /// How the next sync ends.
        ends: Sender<io::Result<()>>,
    }

    impl Disk {
        fn new() -> (Disk, impl FnMut() -> io::Result<()> + Send) {
            let ((begin, begun), (ends, end)) = (channel(), channel());
            let sync = move || {
                begin.send(()).expect("the test waits for it");
                end.recv().expect("the test lets it end")
            };
            (Disk { begun, ends }, sync)
        }

        fn sync(&self) {
            self.begun.recv().expect("a sync begins");
            self.ends.send(Ok(())).expect("it waits");
        }
    }

    type Answer = Box<dyn FnOnce() + Send>;

    /// Answers by name, and those that have been delivered.
    fn answers() -> (impl Fn(&'static str) -> Answer, Receiver<&'static str>) {
        let (send, delivered) = channel();
        let answer = move |name| -> Answer {
            let send = send.clone();
            Box::new(move || send.send(name).expect("the test looks at it"))
        };
        (answer, delivered)
    }

    #[test]
    fn a_write_and_a_read_that_saw_it_are_answered_after_the_sync() {
        let (disk, sync) = Disk::new();
        let (answer, delivered) = answers();
        let mut syncs = Syncs::start(sync).expect("a thread can be started");

        syncs.changed();
        syncs.deliver(answer("write")).expect("no sync failed");
        disk.begun.recv().expect("a sync begins");
        syncs.deliver(answer("read")).expect("no sync failed");
        assert!(delivered.try_recv().is_err(), "nothing is on the disk yet");
        disk.ends.send(Ok(())).expect("it waits");

        assert_eq!([delivered.recv(), delivered.recv()], [Ok("write"), Ok("read")]);
        assert!(disk.begun.try_recv().is_err(), "the read needed no other sync");
    }

    #[test]
    fn what_was_written_during_a_sync_waits_for_the_next_one_together() {
        let (disk, sync) = Disk::new();
        let (answer, delivered) = answers();
        let mut syncs = Syncs::start(sync).expect("a thread can be started");

        syncs.deliver(answer("first")).expect("no sync failed");
        disk.begun.recv().expect("a sync begins");
        for _ in 0..63 {
            syncs.changed();
            syncs.deliver(answer("later")).expect("no sync failed");
        }
        disk.ends.send(Ok(())).expect("it waits");
        assert_eq!(delivered.recv(), Ok("first"));
        disk.begun.recv().expect("a second sync begins");
        assert!(delivered.try_recv().is_err(), "the sync before began without them");
        disk.ends.send(Ok(())).expect("it waits");

        assert!((0..63).all(|_| delivered.recv() == Ok("later")));
        drop(syncs);
        assert!(disk.begun.try_recv().is_err(), "two syncs were enough");
    }

    #[test]
    fn a_read_of_what_is_on_the_disk_is_answered_at_once() {
        let (disk, sync) = Disk::new();
        let (answer, delivered) = answers();
        let mut syncs = Syncs::start(sync).expect("a thread can be started");
        syncs.changed();
        syncs.deliver(answer("write")).expect("no sync failed");
        disk.sync();
        assert_eq!(delivered.recv(), Ok("write"));

        syncs.deliver(answer("read")).expect("no sync failed");

        assert_eq!(delivered.try_recv(), Ok("read"));
    }

    #[test]
    fn after_a_failed_sync_nothing_is_answered_any_more() {
        let (disk, sync) = Disk::new();
        let (answer, delivered) = answers();
        let mut syncs = Syncs::start(sync).expect("a thread can be started");
        syncs.changed();
        syncs.deliver(answer("write")).expect("no sync failed yet");
        disk.begun.recv().expect("a sync begins");
        disk.ends.send(Err(io::Error::other("the disk is gone"))).expect("it waits");

        while syncs.deliver(answer("read")).is_ok() {}

        assert!(delivered.try_recv().is_err());
    }
}
