//! Bodies that were sent compressed: inflated as they arrive, and bounded by what they become.

use crate::rest::{Arriving, BODY_LIMIT};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures::stream::{StreamExt, try_unfold};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use std::io::Write;
use tidemill_model::invalid::Invalid;
use tidemill_operations::{Code, Error};

/// Bytes that are inflated at once: they become at most a thousand times as many.
const PIECE: usize = 4 * 1024;
/// Beyond [`BODY_LIMIT`] a body may become so many times as large as it was sent; texts stay far below.
const RATIO: usize = 100;

/// A body as it was before it was compressed; the headers describe it so, too.
///
/// # Errors
/// [`Code::UnsupportedMediaType`] if it is compressed in another way than by gzip. The body itself fails with
/// [`Code::InvalidArgument`] if it is not whole gzip, and with [`Code::TooLarge`] if it becomes too large.
pub fn decoded(headers: &mut HeaderMap, body: Arriving) -> Result<Arriving, Error> {
    match encoding(headers).as_str() {
        "" | "identity" => Ok(body),
        "gzip" | "x-gzip" => {
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
            Ok(inflated(body))
        }
        other => {
            let shown: String = other.chars().take(40).collect();
            let message = format!("the body is encoded as `{}`", shown.escape_debug());
            Err(Error::new(Code::UnsupportedMediaType, message).hint("send it as `gzip`, or as it is"))
        }
    }
}

fn encoding(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.trim().to_ascii_lowercase()
}

/// A body on its way through the decoder.
struct Inflation {
    body: Arriving,
    piece: Bytes,
    decoder: MultiGzDecoder<Vec<u8>>,
    taken: usize,
    given: usize,
    is_over: bool,
}

impl Inflation {
    /// What was inflated since the last look.
    fn given(&mut self) -> Result<Bytes, Error> {
        let given = Bytes::from(std::mem::take(self.decoder.get_mut()));
        self.given += given.len();
        match self.given > BODY_LIMIT + RATIO * self.taken {
            true => {
                Err(Error::new(Code::TooLarge, format!("the body becomes {RATIO} times as large when it is inflated"))
                    .hint("send it in parts, or as it is"))
            }
            false => Ok(given),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while !self.is_over {
            if self.piece.is_empty() {
                match self.body.next().await {
                    Some(piece) => self.piece = piece?,
                    None => self.is_over = true,
                }
            }
            match self.is_over {
                true if self.taken > 0 => self.decoder.try_finish().map_err(|_| torn())?,
                true => {}
                false => {
                    let piece = self.piece.split_to(self.piece.len().min(PIECE));
                    self.taken += piece.len();
                    self.decoder.write_all(&piece).map_err(|_| torn())?;
                }
            }
            let given = self.given()?;
            if !given.is_empty() {
                return Ok(Some(given));
            }
        }
        Ok(None)
    }
}

fn inflated(body: Arriving) -> Arriving {
    let decoder = MultiGzDecoder::new(Vec::new());
    let inflation = Inflation { body, piece: Bytes::new(), decoder, taken: 0, given: 0, is_over: false };
    try_unfold(inflation, async |mut inflation: Inflation| Ok(inflation.next().await?.map(|given| (given, inflation))))
        .boxed()
}

fn torn() -> Error {
    Invalid::new("body", "the body is not whole gzip", "send it again, or without `content-encoding`").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::block_on;
    use crate::rest::whole;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures::stream::iter;
    use std::io::repeat;

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn received(encoding: &'static str, pieces: &[&[u8]]) -> Result<Bytes, Code> {
        let mut headers = HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().unwrap())]);
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let body = decoded(&mut headers, iter(pieces).boxed()).map_err(|error| error.code)?;
        block_on(whole(body)).map_err(|error| error.code)
    }

    #[test]
    fn a_compressed_body_is_inflated_however_it_arrives() {
        let whole = [zipped(b"hello "), zipped(b"world")].concat();

        for cut in [1, 7, whole.len()] {
            assert_eq!(received("GZIP", &whole.chunks(cut).collect::<Vec<_>>()).unwrap(), "hello world");
        }
        assert_eq!(received("identity", &[b"{}"]).unwrap(), "{}");
        assert_eq!(received("gzip", &[]).unwrap(), "");
    }

    #[test]
    fn a_body_that_is_torn_or_of_another_encoding_is_refused() {
        let whole = zipped(b"hello world");

        assert_eq!(received("gzip", &[&whole[..whole.len() - 5]]), Err(Code::InvalidArgument));
        assert_eq!(received("gzip", &[&whole[..5]]), Err(Code::InvalidArgument));
        assert_eq!(received("gzip", &[b"{}"]), Err(Code::InvalidArgument));
        assert_eq!(received("br", &[&whole]), Err(Code::UnsupportedMediaType));
    }

    #[test]
    fn a_small_body_that_becomes_a_large_one_is_refused_before_it_is_held() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        std::io::copy(&mut std::io::Read::take(repeat(0), 300_000_000), &mut encoder).unwrap();
        let bomb = encoder.finish().unwrap();
        let mut headers = HeaderMap::from_iter([(CONTENT_ENCODING, "gzip".parse().unwrap())]);
        let mut body = decoded(&mut headers, crate::rest::arrived(bomb.into())).unwrap();

        let (mut most, mut all, mut refusal) = (0, 0, None);
        while let Some(part) = block_on(body.next()) {
            match part {
                Ok(part) => (most, all) = (most.max(part.len()), all + part.len()),
                Err(error) => refusal = Some(error.code),
            }
        }

        assert_eq!(refusal, Some(Code::TooLarge));
        assert!(most <= 1100 * PIECE && all < 50_000_000, "{most} {all}");
    }
}
