//! Which component a run starts at, and what that leaves out.

use crate::{compiled, component, configured, pipeline, pipeline_from, plan, refusal, text, try_compile, warnings};
use serde_json::{Value, json};
use tidemill_plan::{Start, Target};

fn two_sources() -> [Value; 4] {
    [
        component("hook", "webhook", &[]),
        component("chat", "chat", &[]),
        component("a", "response", &["text hook"]),
        component("b", "response", &["questions chat"]),
    ]
}

fn from(source: &str) -> Target<'_> {
    Target { source: Some(source), ..Target::default() }
}

#[test]
fn a_pipeline_without_a_source_is_refused() {
    let refusal = refusal(&pipeline(&[component("out", "ner", &[])]));

    assert_eq!(
        refusal,
        "missing_source /source\n\
         pipeline has no source\n\
         hint: add one, e.g. a component with the provider `webhook`\n\
         missing_input /components/0/input\n\
         component `out` has no input\n\
         hint: connect it, or remove it; `ner` takes `text`\n"
    );
}

#[test]
fn several_sources_and_no_choice_are_refused() {
    assert_eq!(
        refusal(&pipeline(&two_sources())),
        "ambiguous_source /source\n\
         pipeline has 2 sources and does not say where to start: a call would start `hook`, `chat`\n\
         hint: write `\"source\": \"hook\"` into the pipeline, or deploy it with `--source hook`; or put the others into \
         pipelines of their own\n"
    );
}

#[test]
fn of_two_sources_that_one_trigger_starts_the_refusal_names_both_for_each_kind_of_trigger() {
    let source = |id: &str, provider: &str| component(id, provider, &[]);
    let message = |sources: &[Value]| {
        let mut components = sources.to_vec();
        components.push(component("end", "response", &["text s1"]));
        let problems = [Start::Schedule, Start::Call, Start::Unknown].map(|start| {
            text(&try_compile(&pipeline(&components), Target { start, ..Target::default() }).unwrap_err())
        });
        // Which trigger comes first changes nothing: the deployment may get the other one, too.
        assert!(problems.iter().all(|problem| problem == &problems[0]));
        problems[0].lines().nth(1).unwrap().to_owned()
    };

    assert_eq!(
        message(&[source("s1", "timer"), source("s2", "timer")]),
        "pipeline has 2 sources and does not say where to start: a schedule would start `s1`, `s2`"
    );
    assert_eq!(
        message(&[source("s1", "webhook"), source("s2", "timer"), source("s3", "webhook")]),
        "pipeline has 3 sources and does not say where to start: a call would start `s1`, `s3`"
    );
    assert_eq!(
        message(&[source("s1", "timer"), source("s2", "chat"), source("s3", "timer"), source("s4", "webhook")]),
        "pipeline has 4 sources and does not say where to start: a schedule would start `s1`, `s3`, and a call would \
         start `s2`, `s4`"
    );
}

#[test]
fn one_of_two_sources_that_one_trigger_starts_is_chosen_by_its_name() {
    let components = two_sources();

    assert_eq!(plan(&pipeline(&components), from("chat")), ["chat: questions>b", "b:"]);
    assert!(!compiled(&pipeline(&components), from("chat")).plan.has_other_source);
}

#[test]
fn of_a_source_that_waits_and_one_that_does_not_the_trigger_chooses() {
    let mut components = two_sources();
    components[1] = component("tick", "timer", &[]);
    components[3] = component("b", "response", &["text tick"]);
    let both = pipeline(&components);
    let on = |start| Target { start, ..Target::default() };

    assert_eq!(plan(&both, on(Start::Schedule)), ["tick: text>b", "b:"]);
    assert_eq!(plan(&both, on(Start::Call)), ["hook: text>a", "a:"]);
    assert!(compiled(&both, on(Start::Call)).plan.has_other_source);
    assert!(!compiled(&both, Target { source: Some("tick"), ..Target::default() }).plan.has_other_source);
    assert_eq!(plan(&both, on(Start::Unknown)), ["hook: text>a", "a:"]);
    assert_eq!(plan(&both, from("tick")), ["tick: text>b", "b:"]);
    assert_eq!(warnings(&both, on(Start::Schedule)) + &warnings(&both, on(Start::Call)), "");
}

#[test]
fn a_timer_that_no_schedule_sets_is_a_warning() {
    let ticking = pipeline(&[component("in", "timer", &[]), component("out", "response", &["text in"])]);

    assert_eq!(
        warnings(&ticking, Target { start: Start::Call, ..Target::default() }),
        "timer_without_schedule /components/0/provider\n\
         source `in` is a timer, but no schedule starts this pipeline\n\
         hint: deploy it with a schedule, e.g. `0 7 * * *`; without one it runs by hand alone\n"
    );
    assert_eq!(warnings(&ticking, Target::default()), "", "it is not known");
}

#[test]
fn what_belongs_beside_the_pipeline_is_a_warning_inside() {
    let mut inside = pipeline(&[component("in", "webhook", &[]), component("out", "response", &["text in"])]);
    inside["schedule"] = json!("0 7 * * *");
    inside["group"] = json!("night");

    assert_eq!(
        warnings(&inside, Target::default()),
        "misplaced_field /schedule\n\
         pipeline has `schedule`, which has no effect inside a pipeline\n\
         hint: write it beside the pipeline: `{\"pipeline\": {…}, \"schedule\": …}`, or give it as an option\n\
         misplaced_field /group\n\
         pipeline has `group`, which has no effect inside a pipeline\n\
         hint: name the group with the deploy: `tidemill deploy --group`\n"
    );
}

#[test]
fn the_argument_wins_over_the_pipeline_and_the_pipeline_over_the_mode() {
    let mut components = two_sources();
    components[1]["config"] = json!({ "mode": "Source" });
    let named = pipeline_from("hook", &components);

    assert_eq!(plan(&named, from("chat")), ["chat: questions>b", "b:"]);
    assert_eq!(plan(&named, Target::default()), ["hook: text>a", "a:"]);
    assert_eq!(plan(&pipeline(&components), Target::default()), ["chat: questions>b", "b:"]);
}

#[test]
fn what_only_another_source_reaches_is_left_out_silently_if_one_was_named() {
    let components = two_sources();

    assert_eq!(warnings(&pipeline_from("hook", &components), Target::default()), "");
    assert_eq!(warnings(&pipeline(&components), from("hook")), "");
}

#[test]
fn what_only_another_source_reaches_is_left_out_with_a_warning_if_none_was_named() {
    let mut components = two_sources();
    components[0]["config"] = json!({ "mode": "Source" });

    assert_eq!(
        warnings(&pipeline(&components), Target::default()),
        "unreachable /components/1\n\
         component `chat` cannot be reached from the source `hook`\n\
         hint: it will not run; connect it, or remove it\n\
         unreachable /components/3\n\
         component `b` cannot be reached from the source `hook`\n\
         hint: it will not run; connect it, or remove it\n"
    );
}

#[test]
fn components_attached_only_to_each_other_are_left_out_with_a_warning() {
    let mut one = component("one", "llm_openai", &[]);
    one["control"] = json!([{ "classType": "llm", "from": "two" }]);
    let mut two = component("two", "llm_openai", &[]);
    two["control"] = json!([{ "classType": "llm", "from": "one" }]);
    let island = pipeline_from("in", &[component("in", "timer", &[]), one, two]);

    assert_eq!(plan(&island, Target::default()), ["in:"]);
    assert_eq!(
        warnings(&island, Target::default()),
        "unreachable /components/1\n\
         component `one` cannot be reached from the source `in`\n\
         hint: it will not run; connect it, or remove it\n\
         unreachable /components/2\n\
         component `two` cannot be reached from the source `in`\n\
         hint: it will not run; connect it, or remove it\n"
    );
}

#[test]
fn a_problem_in_a_part_that_is_left_out_still_counts() {
    let mut components = two_sources();
    components[3] = configured("b", "response", &["questions chat"], json!({ "laneName": 1 }));

    assert_eq!(
        refusal(&pipeline_from("hook", &components)),
        "invalid_config /components/3/config/laneName\n\
         component `b` has a number as `config.laneName`\n\
         hint: give a string\n"
    );
}

#[test]
fn a_source_that_does_not_exist_is_refused() {
    let components = two_sources();

    assert_eq!(
        refusal(&pipeline_from("hok", &components)),
        "unknown_source /source\n\
         source `hok` is not a component of the pipeline\n\
         hint: did you mean `hook`?\n"
    );
    assert_eq!(
        text(&try_compile(&pipeline(&components), from("elsewhere")).unwrap_err()),
        "unknown_source /source\n\
         source `elsewhere` is not a component of the pipeline\n\
         hint: sources are `hook`, `chat`\n"
    );
}

#[test]
fn a_source_that_is_no_source_is_refused() {
    assert_eq!(
        refusal(&pipeline_from("a", &two_sources())),
        "not_a_source /source\n\
         source `a` has the provider `response`, which is not a source\n\
         hint: sources are `hook`, `chat`\n"
    );
}

#[test]
fn a_waiting_source_on_a_schedule_is_a_warning() {
    let waiting = pipeline(&[component("hook", "webhook", &[]), component("a", "response", &["text hook"])]);
    let ticking = pipeline(&[component("tick", "timer", &[]), component("a", "response", &["text tick"])]);
    let on_cron = Target { start: Start::Schedule, ..Target::default() };

    assert_eq!(
        warnings(&waiting, on_cron),
        "waiting_source_on_schedule /components/0/provider\n\
         source `hook` waits for a caller, but a schedule starts this pipeline\n\
         hint: use a source that makes its own objects, or leave the schedule out\n"
    );
    assert!(compiled(&waiting, Target::default()).warnings.is_empty());
    assert!(compiled(&ticking, on_cron).warnings.is_empty());
}
