//! Which plane a command talks to, and with which key.

use crate::failure::{Exit, Failure};
use crate::global::Global;
use reqwest::Url;
use secrecy::SecretString;
use std::io::ErrorKind;
use std::net::IpAddr;

/// Where `tidemill dev` listens by default.
const LOCAL_URL: &str = "http://127.0.0.1:5565";

/// A plane and the right to talk to it.
pub struct Connection {
    /// Without a slash at its end.
    pub url: String,
    pub key: SecretString,
    pub is_local: bool,
}

impl Connection {
    pub fn new(global: &Global) -> Result<Connection, Failure> {
        let (url, is_local) = plane(global.url().as_deref().unwrap_or(LOCAL_URL))?;
        let key = match global.key() {
            Some(key) => checked(&key)?,
            None if is_local => local_key(global)?,
            None => {
                let message = format!("no key is given for the plane at `{url}`");
                return Err(no_key(message, "set TIDEMILL_KEY, or give `--key`"));
            }
        };
        Ok(Connection { url, key: key.into(), is_local })
    }
}

/// The URL without what the command adds to it, and whether it is of this machine, whose planes need no scheme.
fn plane(text: &str) -> Result<(String, bool), Failure> {
    let has_scheme = text.contains("://");
    let refused = |why: &str| {
        let example = match has_scheme || Url::parse(&format!("https://{text}")).is_err() {
            true => LOCAL_URL.to_owned(),
            false => format!("https://{text}"),
        };
        Failure::argument(format!("`{text}` is not the URL of a plane: {why}"), format!("give e.g. `--url {example}`"))
    };
    if !has_scheme {
        let local = format!("http://{text}");
        let is_local = Url::parse(&local).is_ok_and(|url| is_of_this_machine(&url));
        return if is_local { plane(&local) } else { Err(refused("it begins with neither `http://` nor `https://`")) };
    }
    let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it begins with neither `http://` nor `https://`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has more than a host and a path"));
    }
    let root = url.as_str().trim_end_matches('/');
    let root = root.strip_suffix("/v1").unwrap_or(root).trim_end_matches('/');
    Ok((root.to_owned(), is_of_this_machine(&url)))
}

fn is_of_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
}

/// The key that `tidemill dev` keeps in its data folder. It never goes to another machine.
fn local_key(global: &Global) -> Result<String, Failure> {
    let path = global.data.join("key");
    match std::fs::read_to_string(&path) {
        Ok(key) => checked(&key),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(no_key(
            format!("no key is given, and there is none in `{}`", path.display()),
            "start a plane here with `tidemill dev`, name its folder with `--data`, or set TIDEMILL_KEY",
        )),
        Err(error) => Err(Failure::file("read the key in", &path, &error)),
    }
}

fn checked(key: &str) -> Result<String, Failure> {
    let key = key.trim();
    match !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(key.to_owned()),
        false => Err(no_key("the key is empty or has characters that no key has".into(), "keys begin with `tm_`")),
    }
}

fn no_key(message: String, hint: &str) -> Failure {
    Failure::new("unauthenticated", message).hint(hint).exit(Exit::Denied)
}
