//! API keys: `tm_<kind>_<random>_<checksum>`, shown once and stored as a hash.
//!
//! Secret scanners may use `tm_(local|live)_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}`. The checksum is the CRC-32 of everything
//! before it, so that a mistyped key, or a chance match of the pattern, is recognised without a read of the table.

use crate::ids::{KeyId, OwnerId};
use crate::invalid::Invalid;
use crate::version::sha256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 30 characters of base 62 hold 178 bits.
const RANDOM_LENGTH: usize = 30;
const CHECKSUM_LENGTH: usize = 6;

/// What the table knows of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id, which is no secret.
    pub id: KeyId,
    /// Whose key it is.
    pub owner: OwnerId,
    /// The sha256 of the key's text.
    pub hash: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is refused; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; `None` if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// To the hour: a write per request would cost more than the requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

impl Key {
    /// Whether it authenticates: neither revoked nor expired.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// Whether the key may do what asks for `scope`; `admin` may do everything.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Deploy, change, run, cancel.
    #[serde(rename = "task.control")]
    Control,
    /// Look at deployments, runs, ticks and logs.
    #[serde(rename = "task.monitor")]
    Monitor,
    /// Send data to tasks.
    #[serde(rename = "task.data")]
    Data,
    /// Everything, keys and secrets of the owner included.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 4] = [Scope::Control, Scope::Monitor, Scope::Data, Scope::Admin];
    /// What a new key may do unless its maker says otherwise.
    pub const DEFAULT: [Scope; 3] = [Scope::Control, Scope::Monitor, Scope::Data];

    /// The scope's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Control => "task.control",
            Scope::Monitor => "task.monitor",
            Scope::Data => "task.data",
            Scope::Admin => "admin",
        }
    }

    /// Finds a scope by its name.
    pub fn parse(text: &str) -> Result<Scope, Invalid> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| {
            Invalid::new(
                "scope",
                format!("scope `{}` does not exist", text.escape_debug()),
                "use `task.control`, `task.monitor`, `task.data` or `admin`",
            )
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of plane that a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A plane on one machine: `tm_local_…`.
    Local,
    /// A plane in AWS: `tm_live_…`.
    Live,
}

/// The credential of a login, as the table finds it: the sha256 of the text, which is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// Of an API key.
    Key(String),
    /// Of a token of one task.
    Task(String),
}

/// The key itself. It is shown once, when it is made; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// Makes a token from 32 random bytes.
    pub fn new(kind: KeyKind, random: [u8; 32]) -> Token {
        let kind = match kind {
            KeyKind::Local => "local",
            KeyKind::Live => "live",
        };
        let body = format!("tm_{kind}_{}", base62(random, RANDOM_LENGTH));
        let checksum = checksum(&body);
        Token(format!("{body}_{checksum}"))
    }

    /// Checks form and checksum; `None` is not a key of ours, and needs no look at the table.
    pub fn parse(text: &str) -> Option<Token> {
        let (body, given) = text.rsplit_once('_')?;
        let random = body.strip_prefix("tm_local_").or_else(|| body.strip_prefix("tm_live_"))?;
        let well_formed = random.len() == RANDOM_LENGTH && random.bytes().all(|b| BASE62.contains(&b));
        (well_formed && given == checksum(body)).then(|| Token(text.to_owned()))
    }

    /// The text to show, once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the table keeps. A plain hash is enough for a key of 178 random bits.
    pub fn hash(&self) -> String {
        sha256(self.0.as_bytes())
    }
}

fn checksum(body: &str) -> String {
    let mut crc = crc32fast::hash(body.as_bytes());
    let mut text = [b'0'; CHECKSUM_LENGTH];
    for place in text.iter_mut().rev() {
        *place = BASE62[(crc % 62) as usize];
        crc /= 62;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Long division of 256 random bits by 62; the bias of the last digits is below 2⁻⁷⁰.
fn base62(random: [u8; 32], length: usize) -> String {
    let mut number = random;
    (0..length)
        .map(|_| {
            let remainder = number.iter_mut().fold(0u32, |carry, byte| {
                let value = carry << 8 | u32::from(*byte);
                *byte = (value / 62) as u8;
                value % 62
            });
            BASE62[remainder as usize] as char
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_parsed_back_and_a_changed_one_is_not() {
        let token = Token::new(KeyKind::Local, [7; 32]);
        let text = token.expose().to_owned();

        assert_eq!(Token::parse(&text), Some(token));
        for (at, _) in text.char_indices().skip(9).filter(|(at, _)| *at != text.len() - 7) {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(Token::parse(std::str::from_utf8(&changed).unwrap()), None, "changed at {at}");
        }
    }

    #[test]
    fn a_token_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", Token::new(KeyKind::Live, [1; 32])), "Token(…)");
    }

    #[test]
    fn admin_may_do_everything_and_others_only_what_they_name() {
        let mut key = Key {
            id: KeyId::new(Timestamp::UNIX_EPOCH, 1),
            owner: OwnerId::parse("ana").unwrap(),
            hash: String::new(),
            scopes: vec![Scope::Monitor],
            name: None,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        assert!(key.has(Scope::Monitor) && !key.has(Scope::Control));

        key.scopes = vec![Scope::Admin];
        assert!(Scope::ALL.into_iter().all(|scope| key.has(scope)));
    }
}
