//! A request to the table, read as far as the simulation needs it: what it would write, and on which conditions.

use super::mirror::{Place, kind, parsed, plain_fields};
use super::wrong::Mistake;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use dynoxide::Database;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::fmt;
use std::ops::Range;
use tidemill_local::table;
use tidemill_model::ids::RunId;
use tidemill_model::run::Run;

/// How far the index may lag behind the table.
const LAG: SignedDuration = SignedDuration::from_secs(3);

/// A call of the table.
pub struct Asked {
    pub operation: String,
    body: Value,
    /// The same as it is sent.
    pub text: Vec<u8>,
}

impl Asked {
    pub fn of(request: &HttpRequest, mistake: Option<&Mistake>) -> Asked {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let text = request.body().bytes().unwrap_or_default().to_vec();
        let mut asked = Asked { operation, body: serde_json::from_slice(&text).unwrap_or_default(), text };
        if let Some(Mistake::LeftOut(condition)) = mistake {
            asked.leave_out(condition);
            asked.text = asked.body.to_string().into_bytes();
        }
        asked
    }

    /// The writes, each with its place: of a transaction, of a batch, or the only one.
    fn parts(&self) -> Vec<(Place, &Value)> {
        let body = &self.body;
        match self.operation.as_str() {
            "TransactWriteItems" => items(&body["TransactItems"]).flat_map(fields).filter_map(placed).collect(),
            "BatchWriteItem" => {
                fields(&body["RequestItems"]).flat_map(items).flat_map(fields).filter_map(placed).collect()
            }
            "PutItem" | "UpdateItem" | "DeleteItem" => placed(body).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    pub fn is_write(&self) -> bool {
        !self.parts().is_empty()
    }

    /// The places that it writes to.
    pub fn writes(&self) -> Vec<Place> {
        self.parts().into_iter().map(|(place, _)| place).collect()
    }

    /// Its conditions, each behind the kind of its item: `deployment: revision = :revision`.
    pub fn conditions(&self) -> Vec<String> {
        let of_part = |(place, part): (Place, &Value)| {
            let condition = part["ConditionExpression"].as_str().unwrap_or_default();
            let of_clause = |clause: Range<usize>| format!("{}: {}", kind(&place), &condition[clause]);
            clauses(condition).map(of_clause).collect::<Vec<_>>()
        };
        self.parts().into_iter().flat_map(of_part).collect()
    }

    /// Makes a condition hold whatever the item is. Its names stay in use, or the table would refuse the request.
    fn leave_out(&mut self, condition: &str) {
        let Some((kinds, condition)) = condition.split_once(": ") else { return };
        let leave_out = |part: &mut Value| {
            let is_of_kind = placed(part).is_some_and(|(place, _)| kinds.split(" and ").any(|of| of == kind(&place)));
            let Some(Value::String(text)) = part.get_mut("ConditionExpression").filter(|_| is_of_kind) else { return };
            let begins = clauses(text).find(|clause| text[clause.start..].starts_with(condition.trim_end_matches('…')));
            let Some(begins) = begins.map(|clause| clause.start) else { return };
            // One that ends in `…` goes on to the end of the expression.
            let ends = if condition.ends_with('…') { text.len() } else { begins + condition.len() };
            let left_out = &text[begins..ends];
            let always = format!("({left_out} OR NOT ({left_out}))");
            text.replace_range(begins..ends, &always);
        };
        match self.body.get_mut("TransactItems").and_then(Value::as_array_mut) {
            Some(writes) => {
                writes.iter_mut().filter_map(Value::as_object_mut).flat_map(|it| it.values_mut()).for_each(leave_out)
            }
            None => leave_out(&mut self.body),
        }
    }

    /// Whether the table, as it is now, would carry the request out if it were not for one of its conditions. Nothing is written.
    pub fn is_refused_for(&self, condition: &str, database: &Database) -> bool {
        let mut without = Asked { operation: self.operation.clone(), body: self.body.clone(), text: Vec::new() };
        without.leave_out(condition);
        let checks: Vec<Value> = without.parts().into_iter().filter_map(|(place, part)| check(&place, part)).collect();
        let checks = json!({"TransactItems": checks});
        table::answer(database, "TransactWriteItems", checks.to_string().as_bytes()).0 == 200
    }

    /// The runs that it would make.
    pub fn new_runs(&self) -> Vec<Run> {
        let is_new = |part: &Value| part["ConditionExpression"] == "attribute_not_exists(pk)";
        let runs = self.parts().into_iter().filter(|(place, part)| kind(place) == "run" && is_new(part));
        let item = |part: &Value| part["Item"].as_object().map(|item| Value::Object(plain_fields(item.clone())));
        runs.filter_map(|(_, part)| item(part)).map(|item| parsed(&item)).collect()
    }

    /// The writes of a transaction, each as a transaction of its own.
    pub fn one_by_one(&self) -> Vec<Asked> {
        let alone = |write: &Value| {
            let body = json!({"TransactItems": [write]});
            Asked { operation: self.operation.clone(), text: body.to_string().into_bytes(), body }
        };
        items(&self.body["TransactItems"]).map(alone).collect()
    }

    pub fn index(&self) -> Option<&str> {
        self.body["IndexName"].as_str()
    }

    /// An answer of the index without the runs of the last moment.
    pub fn lagging(&self, answer: &str, now: Timestamp) -> String {
        let Ok(mut answer) = serde_json::from_str::<Value>(answer) else { return answer.to_owned() };
        if let Some(found) = answer["Items"].as_array_mut() {
            found.retain(|item| made_at(item).is_none_or(|at| at + LAG < now));
        }
        answer.to_string()
    }

    /// Why the table refused it, in short.
    pub fn refusal(&self, answer: &str) -> String {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let word = answer["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        let failed = items(&answer["CancellationReasons"]).zip(self.writes());
        let failed = failed.filter(|(reason, _)| reason["Code"] == "ConditionalCheckFailed");
        let places: Vec<String> = failed.map(|(_, place)| place.1).collect();
        match word {
            "TransactionCanceledException" | "ConditionalCheckFailedException" => {
                format!("refused {}", places.join(", "))
            }
            _ => format!("{word} {}", answer["message"].as_str().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.operation)?;
        for (_, sort) in self.writes() {
            write!(f, " {}", sort.replace('\u{1}', "/"))?;
        }
        let read = &self.body["Key"]["sk"]["S"];
        let range = &self.body["ExpressionAttributeValues"][":from"]["S"];
        match read.as_str().or(range.as_str()).filter(|_| self.parts().is_empty()) {
            Some(sort) => write!(f, " {}", sort.replace('\u{1}', "/")),
            None => Ok(()),
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(|fields| fields.values())
}

/// A write with the place that it is for.
fn placed(part: &Value) -> Option<(Place, &Value)> {
    let key = part.get("Key").or(part.get("Item"))?;
    Some(((key["pk"]["S"].as_str()?.to_owned(), key["sk"]["S"].as_str()?.to_owned()), part))
}

/// Where the parts of a condition are that must all hold.
fn clauses(condition: &str) -> impl Iterator<Item = Range<usize>> + use<> {
    const AND: &str = " AND ";
    let (mut clauses, mut from, mut depth) = (Vec::new(), 0, 0);
    for (at, letter) in condition.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && condition[at..].starts_with(AND) => {
                clauses.push(from..at);
                from = at + AND.len();
            }
            _ => {}
        }
    }
    clauses.push(from..condition.len());
    clauses.into_iter().filter(|clause| !clause.is_empty())
}

/// The condition of a write as a write that changes nothing.
fn check((partition, sort): &Place, part: &Value) -> Option<Value> {
    let condition = part["ConditionExpression"].as_str()?;
    let words: Vec<&str> =
        condition.split(|letter: char| !letter.is_alphanumeric() && !"#:_".contains(letter)).collect();
    let mut check = json!({
        "TableName": part["TableName"],
        "Key": {"pk": {"S": partition}, "sk": {"S": sort}},
        "ConditionExpression": condition,
    });
    for used in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        let mut named = part[used].as_object().cloned().unwrap_or_default();
        named.retain(|name, _| words.contains(&name.as_str()));
        if !named.is_empty() {
            check[used] = named.into();
        }
    }
    Some(json!({"ConditionCheck": check}))
}

fn made_at(item: &Value) -> Option<Timestamp> {
    let run = item["sk"]["S"].as_str()?.strip_prefix("run#")?;
    RunId::parse(run).ok().map(|run| run.made_at())
}
