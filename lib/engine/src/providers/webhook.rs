//! `webhook`: one object per run, handed over by a caller: a hook's body, a call, a manual run's `--input`.

use super::schema;
use crate::body::{self, Malformed};
use crate::component::{Call, Entry, Fault, Make, Source};
use crate::input::{Input, Live, RunInput};
use crate::json::{self, Json};
use crate::log::Level;
use crate::object::Object;
use crate::value::Value;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Tree, json};
use std::sync::Arc;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Plan, Provider};

pub fn entry() -> Entry {
    let declaration = Provider {
        name: "webhook",
        title: "Webhook",
        description: "Gives what a caller sends: the body of a request to the project's hook, of a call, or the input of \
            a manual run. The media type chooses the lane: JSON goes to documents, text to text, images, audio and video \
            to their lanes, anything else to tags. A hook reads what its senders send: JSON by its content where the \
            type is missing, the fields of a form as one object, each part of a multipart body as an object of its own, \
            text in its charset. An empty body is `null` on documents and an empty text elsewhere. A run without input \
            succeeds and gives nothing.",
        class: Class::WaitingSource,
        lanes: vec![],
        gives: vec![Lane::Tags, Lane::Text, Lane::Audio, Lane::Video, Lane::Image, Lane::Questions, Lane::Documents],
        config: schema([], &[]),
        local_only: false,
    };
    let make = Make::Source(|setup| {
        let given = setup.run.context.input.clone();
        let taken = setup.state::<Taken>()?.unwrap_or_default();
        Ok(Box::new(Webhook { given, taken, tail: Vec::new() }))
    });
    Entry { declaration, make }
}

struct Webhook {
    given: RunInput,
    taken: Taken,
    /// The start of a character that the next part ends.
    tail: Vec<u8>,
}

/// How far the input was taken.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Taken {
    /// All of it, or nothing.
    All(bool),
    /// So many of its objects, of which there are more.
    Objects(usize),
}

impl Default for Taken {
    fn default() -> Taken {
        Taken::All(false)
    }
}

impl Source for Webhook {
    fn pull<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            let number = match self.taken {
                Taken::All(true) => return Ok(false),
                Taken::All(false) => 0,
                Taken::Objects(number) => number,
            };
            match &self.given {
                RunInput::Nothing => {
                    call.log(Level::Warn, "the run has no input, so there is nothing to do");
                    self.taken = Taken::All(true);
                    Ok(false)
                }
                RunInput::Whole(input) => {
                    let Some(object) = input.object(number) else { return Ok(false) };
                    take_whole(&object, number, call)?;
                    self.taken = match input.more.len() == number {
                        true => Taken::All(true),
                        false => Taken::Objects(number + 1),
                    };
                    Ok(true)
                }
                RunInput::Live(live) => {
                    let live = live.clone();
                    let is_whole = !self.take_part(&live, call).await?;
                    self.taken = Taken::All(is_whole);
                    Ok(!is_whole)
                }
            }
        })
    }

    fn state(&self) -> Tree {
        json!(self.taken)
    }
}

fn take_whole(input: &Input, number: usize, call: &mut Call<'_>) -> Result<(), Fault> {
    let object = Arc::new(object(input, &format!("{}:{number}", call.run.context.run.run_id)));
    match lane(input, |lane| call.is_connected(lane)) {
        Some(lane) => call.emit_on(lane, &object, value(input, lane)?),
        None => {
            drop_unheard(input, call);
            Ok(())
        }
    }
}

fn drop_unheard(input: &Input, call: &mut Call<'_>) {
    call.dropped("nothing listens to its media type");
    call.log(Level::Warn, format!("nothing listens to input of the type `{}`", input.media_type()));
}

impl Webhook {
    /// Gives what arrived, on a lane that takes it part by part, or all of it; `false` at the end.
    async fn take_part(&mut self, live: &Live, call: &mut Call<'_>) -> Result<bool, Fault> {
        let object = Arc::new(object(&live.head, &format!("{}:{}", call.run.context.run.run_id, live.id)));
        match live_lane(&live.head, |lane| call.is_connected(lane)) {
            None => {
                drop_unheard(&live.head, call);
                while live.next().await?.is_some() {}
                Ok(false)
            }
            Some(lane @ (Lane::Text | Lane::Tags)) => {
                let part = live.next().await?;
                let Some(body) = self.characters(part.as_deref()) else { return Ok(part.is_some()) };
                call.emit_on(lane, &object, value(&Input { body: body.into(), ..live.head.clone() }, lane)?)?;
                Ok(part.is_some())
            }
            Some(lane) => {
                let input = Input { body: live.whole().await?, ..live.head.clone() };
                call.emit_on(lane, &object, value(&input, lane)?)?;
                Ok(false)
            }
        }
    }

    /// What can be given of a part: whole characters, as far as it is text. `None` ends the object.
    fn characters(&mut self, part: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.tail);
        if let Some(part) = part {
            bytes.extend_from_slice(part);
            if let Err(cut) = std::str::from_utf8(&bytes)
                && cut.error_len().is_none()
            {
                self.tail = bytes.split_off(cut.valid_up_to());
            }
        }
        (!bytes.is_empty()).then_some(bytes)
    }
}

/// The object that a caller hands over.
pub(super) fn object(input: &Input, id: &str) -> Object {
    let mut meta = match &input.meta {
        Tree::Object(meta) => meta.clone(),
        _ => serde_json::Map::new(),
    };
    meta.insert("mime".to_owned(), input.mime.clone().into());
    Object::new(id).named(input.name.clone()).with_meta(json::from_tree(&Tree::Object(meta)))
}

/// The lane for an object that arrives part by part, by the rules of RocketRide's clients: what nothing listens to goes to
/// `tags`, or nowhere.
fn live_lane(head: &Input, is_connected: impl Fn(Lane) -> bool) -> Option<Lane> {
    let media_type = head.media_type();
    match body::is_json(&media_type) {
        true => [Lane::Documents, Lane::Tags].into_iter().find(|lane| is_connected(*lane)),
        // Bytes that are no text: the body is not there yet to be looked at.
        false => lane(&Input { body: Bytes::from_static(&[0xff]), ..head.clone() }, is_connected),
    }
}

/// The lane for an input: the one asked for, or the first that fits its media type and is connected.
fn lane(input: &Input, is_connected: impl Fn(Lane) -> bool) -> Option<Lane> {
    let media_type = input.media_type();
    let asked = media_type
        .strip_prefix("lane/")
        .and_then(|name| Lane::ALL.into_iter().find(|lane| lane.as_str().eq_ignore_ascii_case(name)));
    let choices: &[Lane] = match input.lane.or(asked) {
        Some(lane) => &[lane, Lane::Tags],
        None if media_type == "application/rocketlib-tag" => &[Lane::Tags],
        None if media_type.starts_with("application/rocketride-question") => &[Lane::Questions],
        None if body::is_json(&media_type) => &[Lane::Documents, Lane::Text, Lane::Tags],
        None => match media_type.split('/').next() {
            Some("text") => &[Lane::Text, Lane::Tags],
            Some("image") => &[Lane::Image, Lane::Tags],
            Some("audio") => &[Lane::Audio, Lane::Tags],
            Some("video") => &[Lane::Video, Lane::Tags],
            // curl sends text as a form by default.
            _ if std::str::from_utf8(&input.body).is_ok() => &[Lane::Tags, Lane::Text],
            _ => &[Lane::Tags],
        },
    };
    let chosen = choices.iter().copied().find(|lane| is_connected(*lane));
    // Some send JSON as text, and some nothing at all.
    let is_document = || input.body.is_empty() || body::is_structured(&input.body);
    let may_be_document = input.lane.or(asked).is_none() && is_connected(Lane::Documents);
    chosen.or_else(|| (may_be_document && is_document()).then_some(Lane::Documents))
}

/// Why a plan takes nothing of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untaken {
    /// No lane takes its type.
    Type { given: String, taken: Vec<&'static str> },
    /// The lane for its type cannot take its content.
    Content(Malformed),
}

/// Checks that a plan that is made for input takes each object of one.
///
/// # Errors
/// The first object that no lane of the plan's source takes.
pub fn check_input(plan: &Plan, input: &Input) -> Result<(), Untaken> {
    let source = plan.source();
    let is_connected = |lane| source.outputs.iter().any(|edge| edge.lane == lane);
    std::iter::once(input).chain(&input.more).try_for_each(|object| match source.provider.as_str() {
        // A webhook that is connected to nothing is made to be rung alone.
        "webhook" if !source.outputs.is_empty() => check(object, is_connected),
        "chat" if std::str::from_utf8(&object.body).is_err() => Err(untaken(object, vec!["text/plain", JSON])),
        _ => Ok(()),
    })
}

const JSON: &str = "application/json";

fn check(object: &Input, is_connected: impl Fn(Lane) -> bool) -> Result<(), Untaken> {
    if let Some(lane) = lane(object, &is_connected) {
        let is_taken = value(object, lane);
        return is_taken.map(drop).map_err(|fault| {
            let hint = "send what its type says, and text in UTF-8 or with its charset";
            Untaken::Content(Malformed { message: format!("the body cannot be taken: {}", fault.message), hint })
        });
    }
    if is_connected(Lane::Documents)
        && body::looks_structured(&object.body)
        && let Err(problem) = json::parse(&object.body)
    {
        return Err(Untaken::Content(body::broken_json(problem)));
    }
    let types: [(Lane, &[&str]); 6] = [
        (Lane::Documents, &[JSON, "application/x-www-form-urlencoded"]),
        (Lane::Text, &["text/*", JSON, "application/x-www-form-urlencoded"]),
        (Lane::Image, &["image/*"]),
        (Lane::Audio, &["audio/*"]),
        (Lane::Video, &["video/*"]),
        (Lane::Questions, &["application/rocketride-question"]),
    ];
    let mut taken = Vec::new();
    for media_type in types.iter().filter(|(lane, _)| is_connected(*lane)).flat_map(|(_, types)| types.iter()) {
        if !taken.contains(media_type) {
            taken.push(*media_type);
        }
    }
    Err(untaken(object, taken))
}

fn untaken(object: &Input, taken: Vec<&'static str>) -> Untaken {
    Untaken::Type { given: object.media_type(), taken }
}

fn value(input: &Input, lane: Lane) -> Result<Value, Fault> {
    if lane == Lane::Documents && input.body.is_empty() {
        return Ok(Value::Json(Json::Null));
    }
    let is_binary = matches!(lane, Lane::Audio | Lane::Video | Lane::Image);
    match std::str::from_utf8(&input.body) {
        Ok(text) if lane == Lane::Questions => Ok(question(text)),
        Ok(text) if !is_binary => Value::text(text).on(lane),
        _ => Value::Bytes { mime: input.mime.as_str().into(), bytes: input.body.clone() }.on(lane),
    }
}

/// A question is a JSON object, or plain text.
pub(super) fn question(text: &str) -> Value {
    match json::parse(text.as_bytes()) {
        Ok(object @ Json::Obj(_)) => Value::Json(object),
        _ => Value::text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::testing::{Bench, nodes};

    /// The result of a plan that is sent an object in parts.
    async fn sent(mime: &str, lane: &'static str, parts: &[&[u8]]) -> Result<Tree, crate::Error> {
        let plan = nodes(&[("webhook", json!({}), lane), ("response", json!({}), "")]);
        let (sender, live) = Live::new(Input::new(mime, Bytes::new()), "7");
        let sending = async {
            for part in parts {
                sender.send(Bytes::copy_from_slice(part)).await.unwrap();
            }
            sender.end().await.unwrap();
        };
        let (end, ()) = tokio::join!(async { Bench::new().given(RunInput::Live(live)).run(&plan).await }, sending);
        Ok(end?.result)
    }

    #[tokio::test]
    async fn each_part_of_a_text_is_a_value_and_no_character_is_cut() {
        let result = sent("text/plain", "text", &[b"Hello ", b"\xc3", b"\xa9t\xc3", b"\xa9 "]).await.unwrap();

        assert_eq!(result["text"], json!(["Hello \n\nét\n\né \n\n"]));
    }

    #[tokio::test]
    async fn json_and_pictures_are_taken_as_a_whole() {
        let json = sent("application/json", "documents", &[b"{\"a\":", b"1}"]).await.unwrap();
        assert_eq!(json["documents"], json!([{ "a": 1 }]));
        let image = sent("image/png", "image", &[&[1], &[255]]).await.unwrap();
        assert_eq!(image["image"], json!([{ "mime_type": "image/png", "image": "Af8=" }]));
    }

    #[tokio::test]
    async fn parts_that_nothing_listens_to_are_taken_and_give_nothing() {
        let large = vec![0u8; 1 << 20];
        let parts: Vec<&[u8]> = std::iter::repeat_n(large.as_slice(), 20).collect();

        assert_eq!(sent("application/octet-stream", "text", &parts).await.unwrap(), json!({}));
        assert_eq!(sent("application/json", "text", &[b"{}"]).await.unwrap(), json!({}));
    }

    #[tokio::test]
    async fn a_body_that_nothing_listens_to_is_counted_with_the_reason() {
        let plan = nodes(&[("webhook", json!({}), "documents"), ("response", json!({}), "")]);
        let whole = Bench::new().input(Input::new("text/plain", "hi")).run(&plan).await.unwrap();
        let (sender, live) = Live::new(Input::new("text/plain", Bytes::new()), "7");
        sender.end().await.unwrap();
        let live = Bench::new().given(RunInput::Live(live)).run(&plan).await.unwrap();

        for end in [whole, live] {
            assert_eq!(end.counted("webhook_0"), (0, 0, 0, "1: nothing listens to its media type".to_owned()));
        }
    }

    #[tokio::test]
    async fn an_object_that_is_too_large_for_its_lane_is_refused_by_name() {
        let large = vec![0u8; 4 << 20];
        let plan = nodes(&[("webhook", json!({}), "image"), ("response", json!({}), "")]);
        let (sender, live) = Live::new(Input::new("image/png", Bytes::new()), "7");
        let sending = async {
            for _ in 0..2 {
                let _ = sender.send(large.clone().into()).await;
            }
            let _ = sender.end().await;
        };
        let (end, ()) = tokio::join!(async { Bench::new().given(RunInput::Live(live)).run(&plan).await }, sending);

        assert!(end.unwrap_err().message.contains("6000000 bytes"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_dropped_or_never_ends_fails() {
        let plan = nodes(&[("webhook", json!({}), "text"), ("response", json!({}), "")]);
        let (sender, live) = Live::new(Input::new("text/plain", Bytes::new()), "7");
        drop(sender);
        let dropped = Bench::new().given(RunInput::Live(live)).run(&plan).await.unwrap_err();
        let (_sender, live) = Live::new(Input::new("text/plain", Bytes::new()), "8");
        let silent = Bench::new().given(RunInput::Live(live)).run(&plan).await.unwrap_err();

        assert!(dropped.message.contains("before the object was whole"), "{}", dropped.message);
        assert!(silent.message.contains("no part of the object arrived for 60 s"), "{}", silent.message);
    }

    #[tokio::test]
    async fn each_object_of_a_request_is_given_also_after_a_checkpoint() {
        let program = json!({ "program": "\"\\(.) \\($object.method) \\($object.field)\"" });
        let plan = nodes(&[("webhook", json!({}), "text"), ("json", program, "text"), ("response", json!({}), "")]);
        let part = |text: &str, meta: Tree| Input { meta, ..Input::new("text/plain", text.to_owned()) };
        let more = vec![part("b", json!({ "field": "g" })), part("c", json!({ "field": null }))];
        let input = Input { more, ..part("a", json!({ "method": "POST", "field": "f" })) };

        let whole = Bench::new().input(input.clone()).run(&plan).await.unwrap();
        let steps = Bench::new().input(input).run_in_pieces(&plan).await.unwrap();

        for end in [whole, steps] {
            assert_eq!(
                (&end.result["text"], end.counts.objects),
                (&json!(["a POST f\n\nb POST g\n\nc POST null\n\n"]), 3)
            );
        }
    }

    #[tokio::test]
    async fn an_empty_body_is_null_or_an_empty_text() {
        for (lane, given) in [("documents", json!([null])), ("text", json!(["\n\n"]))] {
            for mime in ["text/plain", "application/json"] {
                let plan = nodes(&[("webhook", json!({}), lane), ("response", json!({}), "")]);

                let end = Bench::new().input(Input::new(mime, "")).run(&plan).await.unwrap();

                assert_eq!(end.result[lane], given, "{mime} {lane}");
            }
        }
    }

    fn refusal(mime: &str, body: &[u8], connected: &[Lane]) -> Option<Untaken> {
        check(&Input::new(mime, body.to_vec()), |lane| connected.contains(&lane)).err()
    }

    #[test]
    fn what_no_lane_takes_is_refused_with_the_types_that_one_takes() {
        use Lane::*;
        let taken = vec![JSON, "application/x-www-form-urlencoded", "image/*"];
        let untaken = Untaken::Type { given: "text/plain".to_owned(), taken };
        assert_eq!(refusal("text/plain", b"hi", &[Image, Documents]), Some(untaken));
        assert_eq!(refusal("text/plain", b"{\"a\":1}", &[Documents]), None);
        assert_eq!(refusal("image/png", &[0xff], &[Tags]), None);
        for (body, lane) in [(&b"{\"a\":"[..], Documents), (&[0xff], Text)] {
            let refusal = refusal("text/plain", body, &[lane]);
            assert!(matches!(refusal, Some(Untaken::Content(_))), "{refusal:?}");
        }
    }

    fn chosen(mime: &str, body: &[u8], connected: &[Lane]) -> Option<Lane> {
        lane(&Input::new(mime, body.to_vec()), |lane| connected.contains(&lane))
    }

    #[test]
    fn the_media_type_chooses_the_lane() {
        use Lane::*;
        let all = [Tags, Text, Audio, Video, Image, Questions, Documents];
        for (mime, lane) in [
            ("lane/documents", Documents),
            ("application/rocketlib-tag", Tags),
            ("application/rocketride-question", Questions),
            ("application/json; charset=utf-8", Documents),
            ("application/cloudevents+json", Documents),
            ("text/plain", Text),
            ("Image/PNG", Image),
            ("audio/ogg", Audio),
            ("video/mp4", Video),
            ("application/x-www-form-urlencoded", Tags),
            ("", Tags),
        ] {
            assert_eq!(chosen(mime, b"x", &all), Some(lane), "{mime}");
        }
    }

    #[test]
    fn another_lane_is_taken_if_the_first_is_not_connected() {
        use Lane::*;
        assert_eq!(chosen("application/json", b"{}", &[Text]), Some(Text));
        assert_eq!(chosen("application/json", b"{}", &[Tags]), Some(Tags));
        assert_eq!(chosen("application/x-www-form-urlencoded", b"hi", &[Text]), Some(Text));
        assert_eq!(chosen("application/octet-stream", &[0xff], &[Text]), None);
        assert_eq!(chosen("text/plain", b"hi", &[Tags]), Some(Tags));
        assert_eq!(chosen("application/json", b"{}", &[Image]), None);
    }

    #[test]
    fn the_caller_may_name_the_lane() {
        let input = Input { lane: Some(Lane::Questions), ..Input::new("text/plain", "why") };

        assert_eq!(lane(&input, |_| true), Some(Lane::Questions));
    }
}
