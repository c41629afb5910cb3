//! Opens a file as a stream of UTF-8: inflated and decoded on the way, from any byte of it.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

/// Bytes that are decoded at once.
const PIECE: usize = 16 * 1024;
/// Stands in the stream for bytes that the encoding does not have: no UTF-8 has it.
const UNDECODABLE: u8 = 0xff;

pub type Text = Box<dyn Read + Send>;

/// How a file's bytes become text.
#[derive(Clone, Copy)]
pub struct Packing {
    pub is_zipped: bool,
    /// What it is written in, unless a byte order mark says so.
    pub encoding: &'static Encoding,
}

impl Packing {
    /// The text after `offset` bytes of it. A plain UTF-8 file is entered there; any other is read up to there.
    pub fn open(self, mut file: File, offset: u64) -> io::Result<Text> {
        file.seek(SeekFrom::Start(0))?;
        let encoding = |head: &[u8]| Encoding::for_bom(head).map_or(self.encoding, |(encoding, _)| encoding);
        let mut text: Text = match self.is_zipped {
            false => {
                let encoding = encoding(&head(&mut file)?);
                if encoding == UTF_8 {
                    if file.metadata()?.len() < offset {
                        return Err(shorter());
                    }
                    file.seek(SeekFrom::Start(offset))?;
                    return Ok(Box::new(file));
                }
                file.seek(SeekFrom::Start(0))?;
                Box::new(Decoded::new(file, encoding))
            }
            true => {
                let mut inflated = MultiGzDecoder::new(BufReader::new(file));
                let mut head = head(&mut inflated)?;
                let encoding = encoding(&head);
                if encoding == UTF_8 && head == "\u{feff}".as_bytes() {
                    // The CSV reader takes a mark that it reads alone for the end.
                    head.clear();
                }
                let whole = Cursor::new(head).chain(inflated);
                if encoding == UTF_8 { Box::new(whole) } else { Box::new(Decoded::new(whole, encoding)) }
            }
        };
        let passed = io::copy(&mut text.by_ref().take(offset), &mut io::sink())?;
        if passed < offset { Err(shorter()) } else { Ok(text) }
    }
}

fn shorter() -> io::Error {
    io::Error::other("it is shorter than when the run stopped in it; start a new run")
}

/// As many bytes as a byte order mark may have.
fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(3);
    reader.take(3).read_to_end(&mut head)?;
    Ok(head)
}

/// Another encoding on its way to UTF-8.
struct Decoded<R> {
    reader: R,
    decoder: Decoder,
    raw: Box<[u8; PIECE]>,
    /// What of `raw` is not decoded yet.
    waiting: std::ops::Range<usize>,
    text: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: Read> Decoded<R> {
    fn new(reader: R, encoding: &'static Encoding) -> Decoded<R> {
        let decoder = encoding.new_decoder_with_bom_removal();
        let (raw, text) = (Box::new([0; PIECE]), Vec::with_capacity(4 * PIECE));
        Decoded { reader, decoder, raw, waiting: 0..0, text, given: 0, is_over: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        (self.given, self.text) = (0, vec![0; 4 * PIECE]);
        let mut is_last = false;
        if self.waiting.is_empty() {
            let read = self.reader.read(self.raw.as_mut_slice())?;
            (self.waiting, is_last) = (0..read, read == 0);
        }
        let raw = &self.raw[self.waiting.clone()];
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(raw, &mut self.text, is_last);
        self.waiting.start += read;
        self.text.truncate(written);
        match result {
            DecoderResult::Malformed(..) => self.text.push(UNDECODABLE),
            DecoderResult::InputEmpty => self.is_over = is_last,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.is_over {
            self.fill()?;
        }
        let rest = &self.text[self.given..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.given += length;
        Ok(length)
    }
}
