//! No frame, whatever it holds, makes the reader panic or hang, and no answer has a second line.

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tidemill_protocols::dap::Transport;
use tidemill_protocols::dap::frame::{self, Frame, FrameContent, Head};

/// Anything that JSON can say, three levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Something like a request: any of its fields may be missing or of another type.
fn almost_a_request() -> impl Strategy<Value = Value> {
    let field = |usual: Value| prop_oneof![3 => Just(Some(usual)), 1 => any_json().prop_map(Some), 1 => Just(None)];
    let fields =
        (field(json!("request")), field(json!(7)), field(json!("rrext_ping")), field(json!({"a": 1})), any_json());
    fields.prop_map(|(kind, seq, command, arguments, more)| {
        let named =
            [("type", kind), ("seq", seq), ("command", command), ("arguments", arguments), ("more", Some(more))];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

fn read(bytes: Vec<u8>) -> (FrameContent, FrameContent) {
    (frame::read(Frame::Text(bytes.clone().into())), frame::read(Frame::Binary(bytes.into())))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(bytes);
    }

    #[test]
    fn any_brackets_are_read_or_refused(text in r#"[\[\]{}",:\\a1\n ]{0,120}"#) {
        read(text.into_bytes());
    }

    #[test]
    fn what_has_a_number_is_answered(request in almost_a_request()) {
        let is_request = request.get("type").is_none_or(|kind| kind.as_str().is_none_or(|kind| kind == "request"));
        let seq = request.get("seq").and_then(Value::as_u64);
        let (as_text, as_binary) = read(request.to_string().into_bytes());
        for received in [as_text, as_binary] {
            match (received, seq) {
                (FrameContent::Request(found), Some(seq)) => prop_assert_eq!(found.head.seq, seq),
                (FrameContent::Refused(head, _), Some(seq)) => prop_assert_eq!(head.seq, seq),
                (FrameContent::Nothing, _) => prop_assert!(!is_request),
                (FrameContent::Unreadable(_), None) => {}
                (other, seq) => prop_assert!(false, "{:?} for {:?}", other, seq),
            }
        }
    }

    #[test]
    fn a_cut_request_is_read_or_refused(request in almost_a_request(), at in any::<prop::sample::Index>()) {
        let mut bytes = request.to_string().into_bytes();
        bytes.truncate(at.index(bytes.len()));
        read(bytes);
    }

    #[test]
    fn what_follows_the_first_line_break_is_data(data in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut bytes = br#"{"seq":1,"command":"x"}"#.to_vec();
        bytes.push(b'\n');
        bytes.extend(&data);
        match frame::read(Frame::Binary(bytes.into())) {
            FrameContent::Request(request) => prop_assert_eq!(request.arguments.data.as_deref(), Some(data.as_slice())),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn an_answer_is_one_line_and_holds_the_same(value in any_json(), command in any::<String>(), seq in any::<u64>()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap().replace('\n', "\r\n");
        let body = RawValue::from_string(pretty).unwrap();
        let head = Head { seq, command };

        let text = frame::answer(1, &head, &Ok(Some(body)), &Transport::SOCKET);

        prop_assert!(!text.contains(['\n', '\r']));
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read["body"], &value);
        prop_assert_eq!(read["command"].as_str(), Some(head.command.as_str()));
    }
}

#[test]
fn nesting_of_any_depth_is_refused_with_its_number() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 1_000_000;
        let value = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        let text = format!("{{\"seq\":3,\"command\":\"x\",\"arguments\":{{\"a\":{value}}}}}");
        match frame::read(Frame::Text(text.into())) {
            FrameContent::Refused(head, failure) => {
                assert_eq!(head.seq, 3);
                assert!(failure.message.contains("nested deeper"), "{}", failure.message);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn arguments_are_not_shown_by_debug() {
    let text = r#"{"seq":1,"command":"auth","arguments":{"auth":"s3cret-value"},"token":"s3cret-value"}"#;
    let shown = format!("{:?}", frame::read(Frame::Text(text.into())));
    assert!(shown.contains("auth") && !shown.contains("s3cret"), "{shown}");
}
