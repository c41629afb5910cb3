//! `docs/permissions.md`: what each function may do.

use super::roles;
use std::collections::BTreeSet;
use tidemill_protocols::functions::{self, Function, On};
use tidemill_protocols::rights::{Partition, Right};

const HEAD: &str = "<!-- Written by `cargo xtask generate` from the table of functions in lib/protocols/src/functions. -->

# What each function may do

Reads and writes name the first letters of the table's partition keys ([keys.rs](../lib/store/src/keys.rs)); how to read this table stands in
[aws.md](aws.md#what-the-stack-is-made-of). Besides, each function reads the table's layout (`META`) when it starts.

| function | called by | reads | writes | queues | schedules | secrets | WebSockets |
|---|---|---|---|---|---|---|---|
";

/// The page.
pub fn text() -> String {
    HEAD.to_owned() + &functions::all().map(row).collect::<String>()
}

fn row(function: &Function) -> String {
    let may = |right| function.may.contains(&right);
    let deletes = of_table(function, |action| action == "DeleteItem").into_iter().map(|key| format!("deletes {key}"));
    let rung = function.may.iter().filter_map(roles::rung).map(|queue| format!("rings `{queue}Queue`"));
    let taken = roles::queue(function).map(|(queue, _)| format!("takes `{queue}Queue`"));
    let columns = [
        called_by(function),
        list(reads(function).into_iter().chain(may(Right::FindRuns).then(|| "index".to_owned()))),
        list(of_table(function, |action| action != "DeleteItem" && !is_read(action)).into_iter().chain(deletes)),
        list(rung.chain(taken)),
        schedules(function).to_owned(),
        list(
            [(Right::Seal, "encrypt"), (Right::Open, "decrypt")]
                .into_iter()
                .filter(|&(right, _)| may(right))
                .map(|(_, word)| word.to_owned()),
        ),
        list(
            [(Right::SendFrames, "sends"), (Right::CloseSockets, "closes")]
                .into_iter()
                .filter(|&(right, _)| may(right))
                .map(|(_, word)| word.to_owned()),
        ),
    ];
    format!("| `{}` | {} |\n", function.name, columns.join(" | "))
}

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<_> = words.collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

fn is_read(action: &str) -> bool {
    matches!(action, "GetItem" | "Query" | "BatchGetItem" | "ConditionCheckItem")
}

fn reads(function: &Function) -> Vec<String> {
    of_table(function, is_read)
}

/// The partitions of the actions that `is_meant`.
fn of_table(function: &Function, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let rights = function.may.iter().filter_map(|right| right.of_table());
    let partitions: BTreeSet<Partition> =
        rights.filter(|(action, _)| is_meant(action)).flat_map(|(_, partitions)| partitions.iter().copied()).collect();
    partitions.into_iter().map(|partition| format!("`{}`", partition.pattern().trim_end_matches('*'))).collect()
}

fn schedules(function: &Function) -> &'static str {
    match () {
        () if function.may.contains(&Right::FollowTimers) => "create, update, delete, list",
        () if function.may.contains(&Right::DeleteTimers) => "delete, list",
        () => "-",
    }
}

fn called_by(function: &Function) -> String {
    match (&function.on, roles::queue(function)) {
        (_, Some((queue, _))) => format!("`{queue}Queue`"),
        (On::Minute(_), _) => "Scheduler, every minute".to_owned(),
        (On::Socket(_), _) => "the WebSocket API".to_owned(),
        (On::Invoke(_), _) => "AWS credentials".to_owned(),
        _ => "the API".to_owned(),
    }
}
