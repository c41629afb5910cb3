//! The bytes of one connection, with what a caller may not do: leave an answer unread for ever, or send much over a
//! WebSocket before it has logged in.

use crate::admission::Place;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};

/// How long a caller may read nothing of an answer.
const UNREAD_LIMIT: Duration = Duration::from_secs(60);

/// What a connection may do, for those who find out who the caller is.
pub struct Standing {
    /// Bytes that the caller may still send.
    allowance: AtomicUsize,
    place: Mutex<Option<Place>>,
}

impl Standing {
    pub fn new(place: Place) -> Arc<Standing> {
        Arc::new(Standing { allowance: AtomicUsize::new(usize::MAX), place: Mutex::new(Some(place)) })
    }

    /// Lets a caller send so many bytes until it is known.
    pub fn allow(&self, bytes: usize) {
        self.allowance.store(bytes, Ordering::Relaxed);
    }

    /// Notes that the caller has logged in: it is not bounded, and takes no place of its address.
    pub fn is_known(&self) {
        self.allow(usize::MAX);
        self.place.lock().expect("no panic happens while it is held").take();
    }

    fn spend(&self, bytes: usize) {
        let spent = |left: usize| (left != usize::MAX).then(|| left.saturating_sub(bytes));
        // Nothing is counted where there is no limit.
        let _ = self.allowance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent);
    }
}

/// A connection's stream.
pub struct Guarded<S> {
    stream: S,
    standing: Arc<Standing>,
    /// Rings when the caller has read nothing for too long; set while it has to be waited for.
    unread: Option<Pin<Box<Sleep>>>,
    _connection: OwnedSemaphorePermit,
}

impl<S> Guarded<S> {
    pub fn new(stream: S, standing: Arc<Standing>, connection: OwnedSemaphorePermit) -> Guarded<S> {
        Guarded { stream, standing, unread: None, _connection: connection }
    }

    /// Passes on how a write went, unless it has waited for too long.
    fn written<T>(&mut self, context: &mut Context<'_>, written: Poll<Result<T, Error>>) -> Poll<Result<T, Error>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(UNREAD_LIMIT)));
        ready!(unread.as_mut().poll(context));
        unread.as_mut().reset(Instant::now() + UNREAD_LIMIT);
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the caller does not read its answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        if self.standing.allowance.load(Ordering::Relaxed) == 0 {
            return Poll::Ready(Err(Error::new(ErrorKind::InvalidData, "too long for a caller without a login")));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.standing.spend(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Admission;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    async fn guarded(stream: DuplexStream) -> (Guarded<DuplexStream>, Arc<Standing>) {
        let admission = Admission::for_files(1024);
        let place = admission.newcomer([192, 0, 2, 1].into()).expect("there is room").place().await;
        let standing = Standing::new(place);
        (Guarded::new(stream, standing.clone(), admission.enter().await), standing)
    }

    #[tokio::test]
    async fn a_stranger_sends_so_much_and_no_more_until_it_is_known() {
        let (mut caller, stream) = duplex(1024);
        let (mut stream, standing) = guarded(stream).await;
        standing.allow(4);
        let mut buffer = [0; 4];

        caller.write_all(b"12345678").await.unwrap();
        stream.read_exact(&mut buffer).await.unwrap();
        let refused = stream.read_exact(&mut buffer).await.unwrap_err();
        standing.is_known();

        assert!(refused.to_string().contains("too long"), "{refused}");
        assert_eq!(stream.read_exact(&mut buffer).await.unwrap(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_reads_nothing_of_its_answer_is_not_waited_for() {
        let (mut caller, stream) = duplex(4);
        let (mut stream, _) = guarded(stream).await;
        let started = Instant::now();
        let write = async move { stream.write_all(b"123456789012").await };
        let write = tokio::spawn(write);

        // Some of it is read late, the rest never.
        tokio::time::sleep(UNREAD_LIMIT / 2).await;
        caller.read_exact(&mut [0; 4]).await.unwrap();
        let refused = write.await.unwrap().unwrap_err();

        assert_eq!(refused.kind(), ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), UNREAD_LIMIT / 2 + UNREAD_LIMIT);
    }
}
