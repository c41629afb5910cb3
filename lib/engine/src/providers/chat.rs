//! `chat`: one question per run, handed over by a caller.

use super::{schema, webhook};
use crate::component::{Call, Entry, Fault, Make, Source};
use crate::input::{Input, RunInput};
use crate::log::Level;
use futures::future::BoxFuture;
use serde_json::{Value as Tree, json};
use std::sync::Arc;
use tidemill_model::lane::Lane;
use tidemill_plan::{Class, Provider};

pub fn entry() -> Entry {
    let declaration = Provider {
        name: "chat",
        title: "Chat",
        description: "Gives the question that a caller asks, as plain text or as a JSON object. A run without a question \
            succeeds and gives nothing.",
        class: Class::WaitingSource,
        lanes: vec![],
        gives: vec![Lane::Questions],
        config: schema([], &[]),
        local_only: false,
    };
    let make = Make::Source(|setup| {
        let given = setup.run.context.input.clone();
        Ok(Box::new(Chat { given, taken: setup.state::<bool>()?.unwrap_or(false) }))
    });
    Entry { declaration, make }
}

struct Chat {
    given: RunInput,
    taken: bool,
}

impl Source for Chat {
    fn pull<'a>(&'a mut self, call: &'a mut Call<'_>) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            if std::mem::replace(&mut self.taken, true) {
                return Ok(false);
            }
            let (input, id) = match std::mem::take(&mut self.given) {
                RunInput::Nothing => {
                    call.log(Level::Warn, "the run has no question, so there is nothing to do");
                    return Ok(false);
                }
                RunInput::Whole(input) => (input, "0".to_owned()),
                RunInput::Live(live) => (Input { body: live.whole().await?, ..live.head.clone() }, live.id),
            };
            let object = Arc::new(webhook::object(&input, &format!("{}:{id}", call.run.context.run.run_id)));
            let text = std::str::from_utf8(&input.body).map_err(|_| Fault::new("the question is not UTF-8 text"))?;
            call.emit_on(Lane::Questions, &object, webhook::question(text))?;
            Ok(true)
        })
    }

    fn state(&self) -> Tree {
        json!(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::testing::Bench;
    use crate::{Input, providers::testing::nodes};
    use serde_json::json;

    #[tokio::test]
    async fn a_question_may_be_text_or_json() {
        let plan = nodes(&[("chat", json!({}), "questions"), ("response_questions", json!({}), "")]);

        let text = Bench::new().input(Input::new("text/plain", "why?")).run(&plan).await.unwrap();
        let object = Bench::new().input(Input::new("application/json", r#"{"q":"why?"}"#)).run(&plan).await.unwrap();

        assert_eq!(text.result["questions"], json!([{ "text": "why?" }]));
        assert_eq!(object.result["questions"], json!([{ "q": "why?" }]));
    }
}
