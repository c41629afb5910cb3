//! Lanes, missing inputs and cycles.

use crate::{component, pipeline, pipeline_from, plan, refusal, try_compile, warnings};
use tidemill_plan::Target;

#[test]
fn an_unknown_lane_is_refused_with_the_nearest_known_one() {
    let typo = pipeline(&[component("in", "webhook", &[]), component("out", "response", &["txt in"])]);
    let alien = pipeline(&[component("in", "webhook", &[]), component("out", "response", &["smells in"])]);

    assert_eq!(
        refusal(&typo),
        "unknown_lane /components/1/input/0/lane\n\
         component `out` has an input on the unknown lane `txt`\n\
         hint: did you mean `text`?\n"
    );
    assert_eq!(
        refusal(&alien),
        "unknown_lane /components/1/input/0/lane\n\
         component `out` has an input on the unknown lane `smells`\n\
         hint: lanes are `open`, `tags`, `text`, `table`, `words`, `audio`, `video`, `questions`, `answers`, `image`, `classifications`, `classificationContext`, `documents`, `closing`, `close`\n"
    );
}

#[test]
fn a_lane_that_the_upstream_never_gives_is_refused() {
    let from_source = pipeline(&[component("in", "chat", &[]), component("out", "response", &["text in"])]);
    let from_sink = pipeline(&[
        component("in", "timer", &[]),
        component("mid", "http_sink", &["text in"]),
        component("out", "response", &["text mid"]),
    ]);

    assert_eq!(
        refusal(&from_source),
        "lane_not_given /components/1/input/0/lane\n\
         component `out` expects `text` from `in`, which does not give it\n\
         hint: `chat` gives `questions`\n"
    );
    assert_eq!(
        refusal(&from_sink),
        "lane_not_given /components/2/input/0/lane\n\
         component `out` expects `text` from `mid`, which does not give it\n\
         hint: `http_sink` is a sink and gives nothing\n"
    );
}

#[test]
fn a_lane_that_the_upstream_gives_only_for_another_input_is_refused() {
    let refusal = refusal(&pipeline(&[
        component("in", "webhook", &[]),
        component("parse", "parse", &["tags in"]),
        component("split", "preprocessor_langchain", &["text parse"]),
        component("store", "qdrant", &["documents split"]),
        component("out", "response", &["answers store"]),
    ]));

    assert_eq!(
        refusal,
        "lane_not_given /components/4/input/0/lane\n\
         component `out` expects `answers` from `store`, which does not give it\n\
         hint: `qdrant` gives it only for `questions`; connect that to `store`\n"
    );
}

#[test]
fn one_wrong_lane_is_reported_once_and_not_at_everything_that_follows() {
    let refusal = refusal(&pipeline(&[
        component("in", "chat", &[]),
        component("a", "ner", &["text in"]),
        component("b", "ner", &["text a"]),
        component("out", "response", &["text b"]),
    ]));

    assert_eq!(refusal.matches("hint:").count(), 1, "{refusal}");
}

#[test]
fn a_lane_that_the_receiver_does_not_take_is_refused() {
    let refusal = refusal(&pipeline(&[component("in", "webhook", &[]), component("n", "ner", &["image in"])]));

    assert_eq!(
        refusal,
        "lane_not_taken /components/1/input/0/lane\n\
         component `n` has an input on `image`, which `ner` does not take\n\
         hint: it takes `text`\n"
    );
}

#[test]
fn a_dead_edge_is_a_warning_while_another_path_reaches_an_end() {
    let components = [
        component("in", "webhook", &[]),
        component("ner", "ner", &["text in"]),
        component("out", "response", &["text ner", "audio ner"]),
        component("picture", "ner", &["image in"]),
        component("after", "response", &["text picture"]),
    ];

    assert_eq!(plan(&pipeline(&components), Target::default()), ["in: text>ner", "ner: text>out", "out:"]);
    assert_eq!(
        warnings(&pipeline(&components), Target::default()),
        "lane_not_given /components/2/input/1/lane\n\
         component `out` expects `audio` from `ner`, which does not give it\n\
         hint: nothing comes over it: remove it, or correct it; `ner` gives `text`\n\
         lane_not_taken /components/3/input/0/lane\n\
         component `picture` has an input on `image`, which `ner` does not take\n\
         hint: nothing comes over it: remove it, or correct it; it takes `text`\n\
         unreachable /components/4\n\
         component `after` cannot be reached from the source `in`\n\
         hint: it will not run; connect it, or remove it\n"
    );
}

#[test]
fn a_dead_edge_is_refused_when_only_another_source_would_reach_an_end() {
    let components = [
        component("chat", "chat", &[]),
        component("out", "response", &["text chat"]),
        component("tick", "timer", &[]),
        component("log", "http_sink", &["text tick"]),
    ];

    assert!(refusal(&pipeline_from("chat", &components)).starts_with("lane_not_given /components/1/input/0/lane"));
    assert_eq!(plan(&pipeline_from("tick", &components), Target::default()), ["tick: text>log", "log:"]);
}

#[test]
fn a_way_back_on_another_lane_is_no_cycle() {
    let memory = pipeline(&[
        component("in", "chat", &[]),
        component("memory", "memory", &["questions in", "answers agent"]),
        component("agent", "agent", &["questions memory"]),
        component("out", "response", &["answers memory"]),
    ]);
    let asking_itself = pipeline(&[
        component("in", "chat", &[]),
        component("memory", "memory", &["questions in", "questions again", "answers agent"]),
        component("again", "embedding_transformer", &["questions memory"]),
        component("agent", "agent", &["questions memory"]),
        component("out", "response", &["answers memory"]),
    ]);

    assert_eq!(
        plan(&memory, Target::default()),
        ["in: questions>memory", "memory: questions>agent answers>out", "agent: answers>memory", "out:"]
    );
    assert!(
        refusal(&asking_itself).contains("`memory -[questions]-> again -[questions]-> memory`"),
        "{}",
        refusal(&asking_itself)
    );
}

#[test]
fn what_a_way_round_feeds_comes_after_it_although_the_source_feeds_it_too() {
    let fed_twice = pipeline(&[
        component("in", "chat", &[]),
        component("late", "memory", &["questions in", "answers memory"]),
        component("memory", "memory", &["questions in", "answers agent"]),
        component("agent", "agent", &["questions memory"]),
        component("out", "response", &["answers late"]),
    ]);

    let order = plan(&fed_twice, Target::default());

    let names: Vec<&str> = order.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["in", "memory", "late", "agent", "out"]);
}

#[test]
fn a_component_without_an_input_is_refused() {
    let refusal = refusal(&pipeline(&[component("in", "webhook", &[]), component("out", "http_sink", &[])]));

    assert_eq!(
        refusal,
        "missing_input /components/1/input\n\
         component `out` has no input\n\
         hint: connect it, or remove it; `http_sink` takes `text`\n"
    );
}

#[test]
fn an_input_into_a_source_is_refused() {
    let refusal = refusal(&pipeline(&[component("in", "webhook", &["text in"])]));

    assert_eq!(
        refusal,
        "input_into_source /components/0/input\n\
         component `in` is a source and has an input\n\
         hint: remove its `input`: a source makes its values itself\n"
    );
}

#[test]
fn a_cycle_is_named_with_its_way_around() {
    let refusal = refusal(&pipeline(&[
        component("in", "webhook", &[]),
        component("a", "ner", &["text in", "text c"]),
        component("b", "anonymize", &["text a"]),
        component("c", "ner", &["text b"]),
        component("self", "ner", &["text self"]),
        component("out", "response", &["text c"]),
    ]));

    assert_eq!(
        refusal,
        "cycle /components/1/input\n\
         components form a cycle: `a -[text]-> b -[text]-> c -[text]-> a`\n\
         hint: remove one of these inputs: values flow one way\n\
         cycle /components/4/input\n\
         components form a cycle: `self -[text]-> self`\n\
         hint: remove one of these inputs: values flow one way\n"
    );
}

#[test]
fn a_cycle_through_every_component_is_found_without_recursion() {
    let ring: Vec<_> = (0..1_999)
        .map(|n| component(&format!("n{n}"), "ner", &[&format!("text n{}", (n + 1_998) % 1_999)]))
        .chain([component("in", "webhook", &[])])
        .collect();

    let problems = try_compile(&pipeline(&ring), Target::default()).unwrap_err();

    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].message,
        "components form a cycle: `n0 -[text]-> n1 -[text]-> n2 -[text]-> n3 -[text]-> n4 -[text]-> n5 … (1989 more) … -[text]-> n1995 -[text]-> n1996 -[text]-> n1997 -[text]-> n1998 -[text]-> n0`"
    );
}

#[test]
fn values_on_two_lanes_go_along_two_edges() {
    let fan = pipeline(&[
        component("out", "response", &["text parse", "image parse"]),
        component("parse", "parse", &["tags in"]),
        component("in", "webhook", &[]),
    ]);

    assert_eq!(plan(&fan, Target::default()), ["in: tags>parse", "parse: text>out image>out", "out:"]);
}
