//! `webhook`: one object per run, handed over by a caller: a hook's body, a call, a manual run's `--input`.

use super::schema;
use crate::component::{Call, Entry, Fault, Make, Source};
use crate::input::Input;
use crate::json;
use crate::log::Level;
use crate::object::Object;
use crate::value::Value;
use futures::future::BoxFuture;
use serde_json::{Value as Tree, json};
use std::sync::Arc;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    let declaration = Provider {
        name: "webhook",
        title: "Webhook",
        description: "Gives what a caller sends: the body of a request to the project's hook, of a call, or the input of \
            a manual run. The media type chooses the lane: JSON goes to documents, text to text, images, audio and video \
            to their lanes, anything else to tags. A run without input succeeds and gives nothing.",
        class: Class::WaitingSource,
        lanes: vec![],
        gives: vec![Lane::Tags, Lane::Text, Lane::Audio, Lane::Video, Lane::Image, Lane::Questions, Lane::Documents],
        config: schema([], &[]),
        local_only: false,
    };
    let make = Make::Source(|setup| {
        let input = setup.run.context.input.clone();
        Ok(Box::new(Webhook { input, taken: setup.state::<bool>()?.unwrap_or(false) }))
    });
    Entry { declaration, make }
}

struct Webhook {
    input: Option<Input>,
    taken: bool,
}

impl Source for Webhook {
    fn pull<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            if std::mem::replace(&mut self.taken, true) {
                return Ok(false);
            }
            let Some(input) = self.input.take() else {
                call.log(Level::Warn, "the run has no input, so there is nothing to do");
                return Ok(false);
            };
            let object = Arc::new(object(&input, &call.run.context.run.run_id));
            match lane(&input, |lane| call.is_connected(lane)) {
                Some(lane) => call.emit_on(lane, &object, value(&input, lane)?)?,
                None => call.log(Level::Warn, format!("nothing listens to input of the type `{}`", input.media_type())),
            }
            Ok(true)
        })
    }

    fn state(&self) -> Tree {
        json!(self.taken)
    }
}

/// The one object of a run with input.
pub(super) fn object(input: &Input, run_id: &str) -> Object {
    let mut meta = match &input.meta {
        Tree::Object(meta) => meta.clone(),
        _ => serde_json::Map::new(),
    };
    meta.insert("mime".to_owned(), input.mime.clone().into());
    Object::new(format!("{run_id}:0")).named(input.name.clone()).with_meta(json::from_tree(&Tree::Object(meta)))
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
        None if media_type == "application/json" || media_type.ends_with("+json") => {
            &[Lane::Documents, Lane::Text, Lane::Tags]
        }
        None => match media_type.split('/').next() {
            Some("text") => &[Lane::Text, Lane::Tags],
            Some("image") => &[Lane::Image, Lane::Tags],
            Some("audio") => &[Lane::Audio, Lane::Tags],
            Some("video") => &[Lane::Video, Lane::Tags],
            // curl sends text as a form unless told otherwise.
            _ if std::str::from_utf8(&input.body).is_ok() => &[Lane::Tags, Lane::Text],
            _ => &[Lane::Tags],
        },
    };
    choices.iter().copied().find(|lane| is_connected(*lane))
}

fn value(input: &Input, lane: Lane) -> Result<Value, Fault> {
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
        Ok(object @ json::Json::Obj(_)) => Value::Json(object),
        _ => Value::text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
