//! A body in parts of one size, however the network cut it: texts are answered part by part, and the same request has to
//! give the same answer.

use bytes::{Bytes, BytesMut};
use futures::stream::{Stream, StreamExt, iter};
use tidemill_operations::Error;

/// Bytes of a part: as many as RocketRide's clients write at once.
const PART: usize = 1024 * 1024;

/// A body, to be taken part by part.
pub struct Parts<S> {
    body: S,
    kept: BytesMut,
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> Parts<S> {
    pub fn new(body: S) -> Parts<S> {
        Parts { body, kept: BytesMut::new() }
    }

    /// What was not taken yet.
    pub fn rest(mut self) -> impl Stream<Item = Result<Bytes, Error>> {
        let kept = self.kept.split().freeze();
        iter((!kept.is_empty()).then_some(Ok(kept))).chain(self.body)
    }

    /// The next part; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while self.kept.len() < PART {
            match self.body.next().await {
                Some(arrived) => self.kept.extend_from_slice(&arrived?),
                None if self.kept.is_empty() => return Ok(None),
                None => return Ok(Some(self.kept.split().freeze())),
            }
        }
        Ok(Some(self.kept.split_to(PART).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::stream::iter;

    fn lengths(arrived: &[usize]) -> Vec<usize> {
        let arrived = arrived.iter().map(|length| Ok(Bytes::from(vec![7; *length])));
        let mut parts = Parts::new(iter(arrived.collect::<Vec<_>>()));
        let mut lengths = Vec::new();
        while let Some(part) = block_on(parts.next()).unwrap() {
            lengths.push(part.len());
        }
        lengths
    }

    #[test]
    fn parts_are_the_same_however_they_arrive() {
        assert_eq!(lengths(&[2 * PART + 5]), [PART, PART, 5]);
        assert_eq!(lengths(&[5, PART - 1, PART + 1]), [PART, PART, 5]);
        assert_eq!(lengths(&[1, 2, 3]), [6]);
        assert_eq!(lengths(&[PART]), [PART]);
        assert!(lengths(&[]).is_empty());
        assert!(lengths(&[0]).is_empty());
    }
}
