//! Objects that are sent as RocketRide's clients do.

use serde_json::{Value, json};
use tidemill_protocols::dap::Frame;
use tidemill_testing::Dap;

/// Opens a task of a pipeline and gives its token.
pub async fn execute(dap: &mut Dap, pipeline: Value, more: Value) -> String {
    let mut arguments = json!({"pipeline": pipeline, "args": []});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let opened = dap.ask("execute", arguments).await.ok();
    opened["token"].as_str().unwrap().to_owned()
}

/// Opens a pipe for a text that is called `greeting`.
pub async fn pipe(dap: &mut Dap, token: &str) -> u64 {
    let arguments = json!({"subcommand": "open", "token": token, "object": {"size": 2, "name": "greeting"},
        "mimeType": "text/plain", "provider": null});
    dap.ask("rrext_process", arguments).await.ok()["pipe_id"].as_u64().unwrap()
}

pub fn write(token: &str, pipe: u64, data: &str) -> Frame {
    let arguments = json!({"subcommand": "write", "pipe_id": pipe, "token": token});
    let head = json!({"type": "request", "seq": 1000, "command": "rrext_process", "arguments": arguments});
    Frame::Binary(format!("{head}\n{data}").into())
}

pub async fn close(dap: &mut Dap, token: &str, pipe: u64) -> Value {
    dap.ask("rrext_process", json!({"subcommand": "close", "pipe_id": pipe, "token": token})).await.ok()
}

/// Sends a text from its start to its end.
pub async fn send(dap: &mut Dap, token: &str, text: &str) -> Value {
    let pipe = pipe(dap, token).await;
    dap.frame(write(token, pipe, text)).await;
    dap.reply().ok();
    close(dap, token, pipe).await
}

/// Subscribes to events, and takes those that come at once.
pub async fn monitor(dap: &mut Dap, key: Value, types: Value) -> Vec<(String, Value)> {
    let mut arguments = key;
    arguments["types"] = types;
    dap.send("rrext_monitor", arguments).await;
    let mut events = dap.events();
    assert_eq!(events.pop().map(|(name, _)| name), Some(String::new()), "the answer comes last");
    events
}

/// The events that are sent now.
pub async fn received(dap: &mut Dap) -> Vec<(String, Value)> {
    dap.notify().await;
    dap.events()
}
