//! Bodies that were sent compressed: inflated, and bounded by what they become.

use super::refusal::Refusal;
use crate::rest::{self, Arriving, Request};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use std::io::Read;

/// Largest body when it is inflated, in bytes.
const LIMIT: u64 = 32 * 1024 * 1024;

/// The whole body of a request, as it was before it was compressed.
pub async fn body(request: &Request<()>, body: Arriving) -> Result<Bytes, Refusal> {
    let sent = rest::whole(body).await?;
    let encoding = request.headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or_default().trim());
    match encoding {
        None | Some("" | "identity") => Ok(sent),
        Some("gzip" | "x-gzip") => inflated(&sent).map(Bytes::from),
        Some(other) => {
            let message = format!("the body is encoded as `{}`; send it as `gzip`, or as it is", other.escape_debug());
            Err(Refusal::new(415, message))
        }
    }
}

fn inflated(sent: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut inflated = Vec::new();
    let read = MultiGzDecoder::new(sent).take(LIMIT + 1).read_to_end(&mut inflated);
    if inflated.len() as u64 > LIMIT {
        let message =
            format!("the body has more than {LIMIT} bytes when it is inflated; deploy fewer pipelines at once");
        return Err(Refusal::new(413, message));
    }
    read.map_err(|_| Refusal::new(400, "the body is not whole gzip; send it again"))?;
    Ok(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::block_on;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::{HeaderMap, Method};
    use std::io::{Write, repeat};

    fn sent(encoding: Option<&str>, bytes: Vec<u8>) -> Result<Bytes, u16> {
        let headers = encoding.map(|encoding| (CONTENT_ENCODING, encoding.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers);
        let request = Request { method: Method::POST, peer: None, path: vec![], query: vec![], headers, body: () };
        block_on(body(&request, rest::arrived(bytes.into()))).map_err(|refusal| refusal.response().status)
    }

    fn zeros(count: u64) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::copy(&mut repeat(0).take(count), &mut encoder).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_is_inflated_if_its_sender_says_that_it_is_compressed() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"{}").unwrap();

        assert_eq!(sent(Some("gzip"), encoder.finish().unwrap()).unwrap(), "{}");
        assert_eq!(sent(None, b"{}".to_vec()).unwrap(), "{}");
    }

    #[test]
    fn a_small_body_that_becomes_a_large_one_is_refused() {
        let bomb = zeros(LIMIT * 4);

        assert!(bomb.len() < 1024 * 1024);
        assert_eq!(sent(Some("gzip"), bomb), Err(413));
        assert_eq!(sent(Some("gzip"), zeros(LIMIT)).map(|body| body.len() as u64), Ok(LIMIT));
    }

    #[test]
    fn a_body_that_is_torn_or_of_another_encoding_is_refused() {
        let whole = zeros(1000);

        assert_eq!(sent(Some("gzip"), whole[..whole.len() - 5].to_vec()), Err(400));
        assert_eq!(sent(Some("gzip"), b"{}".to_vec()), Err(400));
        assert_eq!(sent(Some("br"), whole), Err(415));
    }
}
