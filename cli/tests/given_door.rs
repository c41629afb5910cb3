//! An entrance to a plane that notes what is asked, and does not let everything through.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the door does with a request.
#[derive(Clone, Copy, PartialEq)]
pub enum Act {
    Pass,
    /// The plane does it, and its answer is lost.
    Swallow,
    /// The plane does it, and its answer never comes.
    Hold,
    /// It is not found.
    Refuse,
}

#[derive(Clone)]
pub struct Door {
    pub url: String,
    /// `GET /v1/rollouts HTTP/1.1` and the like.
    asked: Arc<Mutex<Vec<String>>>,
    act: fn(&str, usize) -> Act,
}

impl Door {
    /// `act` gets a request's first line, and how many there were before.
    pub fn before(plane: &str, act: fn(&str, usize) -> Act) -> Door {
        let address = plane.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let door = Door { url, asked: Arc::default(), act };
        let opened = door.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                opened.serve(client.unwrap(), TcpStream::connect(&address).unwrap());
            }
        });
        door
    }

    /// Requests whose first line holds `what`.
    pub fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|line| line.contains(what)).count()
    }

    fn serve(&self, client: TcpStream, plane: TcpStream) {
        let act = Arc::new(Mutex::new(Act::Pass));
        let (door, decided) = (self.clone(), act.clone());
        let (from, to) = (client.try_clone().unwrap(), plane.try_clone().unwrap());
        std::thread::spawn(move || door.requests(from, to, &decided));
        std::thread::spawn(move || answers(plane, client, &act));
    }

    fn requests(&self, mut client: TcpStream, mut plane: TcpStream, decided: &Mutex<Act>) {
        let mut part = [0; 65536];
        while let Ok(read @ 1..) = client.read(&mut part) {
            let text = String::from_utf8_lossy(&part[..read]);
            let first = text.lines().next().unwrap_or_default();
            let act = if first.ends_with(" HTTP/1.1") { self.note(first) } else { Act::Pass };
            if act != Act::Pass {
                *decided.lock().unwrap() = act;
            }
            let done = match act {
                Act::Refuse => client.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"),
                Act::Pass | Act::Swallow | Act::Hold => plane.write_all(&part[..read]),
            };
            if done.is_err() {
                break;
            }
        }
        _ = plane.shutdown(Shutdown::Both);
    }

    fn note(&self, line: &str) -> Act {
        let mut asked = self.asked.lock().unwrap();
        asked.push(line.to_owned());
        (self.act)(line, asked.len() - 1)
    }
}

fn answers(mut plane: TcpStream, mut client: TcpStream, decided: &Mutex<Act>) {
    let mut part = [0; 65536];
    while let Ok(read @ 1..) = plane.read(&mut part) {
        let act = *decided.lock().unwrap();
        match act {
            Act::Swallow => break,
            Act::Hold => {}
            Act::Pass | Act::Refuse if client.write_all(&part[..read]).is_err() => break,
            Act::Pass | Act::Refuse => {}
        }
    }
    _ = client.shutdown(Shutdown::Both);
}
