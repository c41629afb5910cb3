//! All problems of all steps come in one report, in the pipeline's order, the same every time.

use crate::{catalogue::catalogue, component, configured, pipeline_from, text};
use serde_json::json;
use tidemill_plan::{Target, compile_text};

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_components() {
    let mut broken = pipeline_from(
        "nowhere",
        &[
            component("in", "webhook", &[]),
            component("a", "templat", &["text in"]),
            component("a", "ner", &["txt in", "image gone"]),
            configured("t", "template", &["audio in"], json!({ "strict": "yes" })),
            component("lost", "ner", &[]),
            component("x", "ner", &["text y"]),
            component("y", "ner", &["text x"]),
            component("files", "file_source", &["text in"]),
            component("o", "ocr", &["image in"]),
            component("out", "response", &["audio o"]),
        ],
    );
    broken["components"][9]["config"] = json!(7);
    broken["project_id"] = json!("");

    let report = |_| text(&compile_text(broken.to_string(), &catalogue(), &Target::default()).unwrap_err());

    assert_eq!(
        report(0),
        "invalid_value /project_id\n\
         project id is empty\n\
         hint: give 1 to 256 characters\n\
         unknown_source /source\n\
         source `nowhere` is not a component of the pipeline\n\
         hint: sources are `in`, `files`\n\
         unknown_provider /components/1/provider\n\
         component `a` has the unknown provider `templat`\n\
         hint: did you mean `template`?\n\
         duplicate_id /components/2/id\n\
         component 3 has the id of component 2\n\
         hint: give one of them another id than `a`\n\
         unknown_lane /components/2/input/0/lane\n\
         component `a` has an input on the unknown lane `txt`\n\
         hint: did you mean `text`?\n\
         unknown_from /components/2/input/1/from\n\
         component `a` refers to the unknown component `gone`\n\
         hint: known components are `in`, `a`, `a`, `t`, `lost`, `x`, `y`, `files`, `o`, `out`\n\
         invalid_config /components/3/config/strict\n\
         component `t` has a string as `config.strict`\n\
         hint: give a boolean\n\
         missing_property /components/3/config/template\n\
         component `t` has no `config.template`\n\
         hint: add it: `template` needs it\n\
         lane_not_taken /components/3/input/0/lane\n\
         component `t` has an input on `audio`, which `template` does not take\n\
         hint: it takes `text`\n\
         missing_input /components/4/input\n\
         component `lost` has no input\n\
         hint: connect it, or remove it; `ner` takes `text`\n\
         cycle /components/5/input\n\
         components form a cycle: `x -[text]-> y -[text]-> x`\n\
         hint: remove one of these inputs: values flow one way\n\
         local_only_provider /components/7/provider\n\
         component `files` has the provider `file_source`, which works only in the local plane\n\
         hint: run it with `tidemill dev`, or use a provider that needs no local files\n\
         input_into_source /components/7/input\n\
         component `files` is a source and has an input\n\
         hint: remove its `input`: a source makes its values itself\n\
         wrong_type /components/9/config\n\
         component `out` has a number as `config`, expected an object\n\
         hint: write `\"config\": {}` if there is nothing to set\n\
         lane_not_given /components/9/input/0/lane\n\
         component `out` expects `audio` from `o`, which does not give it\n\
         hint: `ocr` gives `text`, `table`\n"
    );
    assert_eq!(report(1), report(2));
}
