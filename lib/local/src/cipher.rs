//! Seals secrets with AES-256-GCM under a key that lies in the data folder. The owner and the name are authenticated
//! with the value, so a sealed value cannot be moved to another name.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tidemill_model::ids::OwnerId;
use tidemill_operations::{Cipher, Entropy, Error};

/// Bytes of a nonce: <https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf>, 5.2.1.1.
const NONCE: usize = 12;

/// The cipher of a local plane.
pub struct KeyFileCipher {
    cipher: Aes256Gcm,
    entropy: Arc<dyn Entropy>,
}

impl KeyFileCipher {
    pub fn new(key: &[u8; 32], entropy: Arc<dyn Entropy>) -> KeyFileCipher {
        KeyFileCipher { cipher: Aes256Gcm::new(key.into()), entropy }
    }
}

impl Cipher for KeyFileCipher {
    fn seal<'a>(
        &'a self,
        owner: &'a OwnerId,
        name: &'a str,
        value: &'a SecretString,
    ) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            let mut nonce = [0; NONCE];
            self.entropy.fill(&mut nonce);
            let bound = bound_to(owner, name);
            let payload = Payload { msg: value.expose_secret().as_bytes(), aad: bound.as_bytes() };
            let sealed =
                self.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| Error::internal("sealing failed"))?;
            Ok(hex(&nonce) + &hex(&sealed))
        })
    }

    fn open<'a>(
        &'a self,
        owner: &'a OwnerId,
        name: &'a str,
        sealed: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, Error>> {
        Box::pin(async move {
            let unreadable = || Error::internal("a stored secret cannot be opened with the key of this data folder");
            let bytes = unhex(sealed).filter(|bytes| bytes.len() > NONCE).ok_or_else(unreadable)?;
            let (nonce, sealed) = bytes.split_at(NONCE);
            let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| unreadable())?;
            let bound = bound_to(owner, name);
            let payload = Payload { msg: sealed, aad: bound.as_bytes() };
            let opened = self.cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| unreadable())?;
            String::from_utf8(opened).map(SecretString::from).map_err(|_| unreadable())
        })
    }
}

fn bound_to(owner: &OwnerId, name: &str) -> String {
    format!("{owner}#{name}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
