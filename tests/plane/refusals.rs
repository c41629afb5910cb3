//! Refusals as callers read them: what happened, and what to do.
//!
//! A changed sentence shows here. `INSTA_UPDATE=new` writes what came instead; read it before it is taken over.

use crate::given::echo;
use crate::given::redacted::redacted;
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{Answer, Dap, TestPlane, User, pipeline};

/// A request and its refusal, in lines.
fn shown(request: &str, answer: &Answer) -> String {
    let body = &answer.body;
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![
        request.to_owned(),
        format!("  {} {}: {}", answer.status.as_u16(), text("code"), text("message")),
        format!("  hint: {}", text("hint")),
    ];
    for detail in body["details"].as_array().into_iter().flatten() {
        lines.extend(detail["field"].as_str().map(|field| format!("  at `{field}`")));
        if detail["message"] != body["message"] {
            lines.push(format!("    {}", detail["message"].as_str().unwrap()));
            lines.push(format!("    hint: {}", detail["hint"].as_str().unwrap()));
        }
    }
    redacted(&lines.join("\n"))
}

async fn refused(user: &User, method: Method, path: &str, body: Value) -> String {
    let headers = [("content-type", "application/json")];
    let sent = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = user.send(method.clone(), path, &headers, sent).await;
    assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.status);
    shown(&format!("{method} {path}"), &answer)
}

async fn deployed() -> (TestPlane, User) {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("orders"), "manual").await.ok();
    (world, ana)
}

#[tokio::test]
async fn a_caller_reads_who_may_not_and_what_is_not_there() {
    let (world, ana) = deployed().await;
    let looker = world.user_with("ana", &[Scope::Monitor]).await;
    let bob = world.user("bob").await;
    let wrong = User::new(world.plane.clone(), "tm_local_wrong", "");

    let refusals = [
        refused(&world.anonymous(), Method::GET, "/v1/deployments", Value::Null).await,
        refused(&wrong, Method::GET, "/v1/deployments", Value::Null).await,
        refused(&looker, Method::POST, "/v1/deployments/orders/pause", json!({})).await,
        refused(&bob, Method::GET, "/v1/deployments/orders", Value::Null).await,
        refused(&ana, Method::GET, "/v1/deployments/order", Value::Null).await,
        refused(&ana, Method::GET, "/v1/runs/01M7Z1XAYSP21KQ5NZ9SHXWXCD", Value::Null).await,
        refused(&ana, Method::GET, "/v1/groups/night", Value::Null).await,
        refused(&ana, Method::GET, "/v1/helth", Value::Null).await,
        refused(&ana, Method::PUT, "/v1/deployments", json!({})).await,
    ];

    assert_snapshot!(refusals.join("\n"), @"
    GET /v1/deployments
      401 unauthenticated: the request has no API key
      hint: send it as `Authorization: Bearer KEY`
    GET /v1/deployments
      401 unauthenticated: the API key is not valid
      hint: check for a missing character; replace a revoked or expired key
    POST /v1/deployments/orders/pause
      403 permission_denied: the key does not have the scope `task.control`
      hint: use a key that was made with `--scope task.control`
    GET /v1/deployments/orders
      404 not_found: project `orders` does not exist
      hint: check the name; `tidemill list` shows what there is
    GET /v1/deployments/order
      404 not_found: project `order` does not exist
      hint: check the name; `tidemill list` shows what there is
    GET /v1/runs/[id]
      404 not_found: run `[id]` does not exist
      hint: check the name; `tidemill runs` shows what there is
    GET /v1/groups/night
      404 not_found: group `night` does not exist
      hint: check the name; `tidemill groups` shows what there is
    GET /v1/helth
      404 not_found: there is nothing at `/v1/helth`
      hint: see the API's description for the paths there are
    PUT /v1/deployments
      405 method_not_allowed: this path does not take `PUT`
      hint: use GET, POST
    ");
}

#[tokio::test]
async fn a_caller_reads_what_is_wrong_with_a_request() {
    let (_world, ana) = deployed().await;
    let add = |more: Value| {
        let mut body = json!({"pipeline": pipeline("new")});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };

    let refusals = [
        refused(&ana, Method::POST, "/v1/deployments", Value::Null).await,
        refused(&ana, Method::POST, "/v1/deployments", json!({})).await,
        refused(&ana, Method::POST, "/v1/deployments", add(json!({"shedule": "@daily"}))).await,
        refused(&ana, Method::POST, "/v1/deployments", add(json!({"schedule": "*/5 * * *"}))).await,
        refused(&ana, Method::POST, "/v1/deployments", add(json!({"schedule": "61 * * * *"}))).await,
        refused(&ana, Method::POST, "/v1/deployments", add(json!({"schedule": "0 0 30 2 *"}))).await,
        refused(&ana, Method::POST, "/v1/deployments", add(json!({"timezone": "Europe/Berln"}))).await,
        refused(&ana, Method::POST, "/v1/deployments", add(json!({"maxAttempts": 11}))).await,
        refused(&ana, Method::POST, "/v1/deployments", json!({"pipeline": pipeline("orders")})).await,
        refused(&ana, Method::POST, "/v1/deployments/orders/pause", json!({"note": "x".repeat(513)})).await,
        refused(&ana, Method::GET, "/v1/runs?limit=0", Value::Null).await,
        refused(&ana, Method::GET, "/v1/runs?cursor=x", Value::Null).await,
        refused(&ana, Method::PUT, "/v1/secrets/9A", json!({"value": "x"})).await,
    ];

    assert_snapshot!(refusals.join("\n"), @"
    POST /v1/deployments
      400 invalid_argument: the request cannot be read: missing field `pipeline`
      hint: see the API's description for the fields there are and their types
    POST /v1/deployments
      400 invalid_argument: the request cannot be read: missing field `pipeline`
      hint: see the API's description for the fields there are and their types
    POST /v1/deployments
      400 invalid_argument: `shedule` cannot be read: unknown field `shedule`, expected one of `pipeline`, `schedule`, `timezone`, `catchUpSeconds`, `maxAttempts`, `timeoutSeconds`, `note`
      hint: see the API's description for the fields there are and their types
      at `shedule`
    POST /v1/deployments
      400 invalid_argument: schedule `*/5 * * *` has 4 fields, expected 5
      hint: add the missing fields for minute, hour, day, month and weekday, e.g. `*/5 * * * *`
      at `schedule`
    POST /v1/deployments
      400 invalid_argument: minute `61` is not between 0 and 59
      hint: write 0 to 59, or `*` for all
      at `schedule`
    POST /v1/deployments
      400 invalid_argument: schedule `0 0 30 2 *` never fires
      hint: choose a day that one of its months has
      at `schedule`
    POST /v1/deployments
      400 invalid_argument: timezone `Europe/Berln` is unknown
      hint: did you mean `Europe/Berlin`?
      at `timezone`
    POST /v1/deployments
      400 invalid_argument: `maxAttempts` is 11, outside 1 to 10
      hint: give a number from 1 to 10
      at `maxAttempts`
    POST /v1/deployments
      409 already_exists: project `orders` is deployed already
      hint: update it, or remove it first
    POST /v1/deployments/orders/pause
      400 invalid_argument: the note has 513 characters, the limit is 512
      hint: shorten it to 512 characters
      at `note`
    GET /v1/runs?limit=0
      400 invalid_argument: `limit` is 0, outside 1 to 100
      hint: ask for 1 to 100 items and follow `next`
      at `limit`
    GET /v1/runs?cursor=x
      400 invalid_argument: the cursor was not made by this list
      hint: send `next` of the page before unchanged
      at `cursor`
    PUT /v1/secrets/9A
      400 invalid_argument: `name` cannot be read: secret name `9A` starts with a digit
      hint: see the API's description for the fields there are and their types
      at `name`
    ");
}

#[tokio::test]
async fn a_caller_reads_all_problems_of_a_pipeline() {
    let (_world, ana) = deployed().await;
    let wrong = json!({
        "project_id": "wrong",
        "source": "a",
        "components": [
            {"id": "a", "provider": "tmer", "config": {}},
            {"id": "b", "provider": "template", "config": {"template": 7}, "input": [{"lane": "text", "from": "a"}]},
            {"id": "b", "provider": "response", "config": {}, "input": [{"lane": "texte", "from": "missing"}]},
            {"id": "c", "provider": "http_request", "config": {"mehtod": "GET"}, "input": [{"lane": "text", "from": "b"}]},
        ],
    });

    let refusal = refused(&ana, Method::POST, "/v1/deployments", json!({"pipeline": wrong})).await;

    assert_snapshot!(refusal, @"
    POST /v1/deployments
      400 invalid_argument: the pipeline has 6 problems
      hint: fix the problems in `details`
      at `/components/0/provider`
        component `a` has the unknown provider `tmer`
        hint: did you mean `timer`?
      at `/components/1/config/template`
        component `b` has a number as `config.template`
        hint: give a string
      at `/components/2/id`
        component 3 has the id of component 2
        hint: give one of them another id than `b`
      at `/components/2/input/0/from`
        component `b` refers to the unknown component `missing`
        hint: known components are `a`, `b`, `b`, `c`
      at `/components/2/input/0/lane`
        component `b` has an input on the unknown lane `texte`
        hint: did you mean `text`?
      at `/components/3/config/url`
        component `c` has no `config.url`
        hint: add it: `http_request` needs it
    ");
}

/// A command of RocketRide and its refusal, in lines.
async fn refused_frame(dap: &mut Dap, command: &str, arguments: Value) -> String {
    let reply = dap.ask(command, arguments).await.0;
    assert_eq!(reply["success"], false, "{command}: {reply}");
    let code = reply["code"].as_str().unwrap_or("no code");
    let message = reply["message"].as_str().unwrap().replace('\n', "\n  ");
    redacted(&format!("{command}\n  {code}: {message}"))
}

#[tokio::test]
async fn a_client_of_rocketride_reads_the_same_on_its_socket() {
    let (world, ana) = deployed().await;
    let mut stranger = world.stranger(2).unwrap();
    let mut looker = world.socket(&world.user_with("ana", &[Scope::Monitor]).await).await;
    let mut dap = world.socket(&ana).await;
    let mut broken = echo("p");
    broken["components"][1]["input"][0]["from"] = "missing".into();

    let refusals = [
        refused_frame(&mut stranger, "auth", json!({"auth": "tm_local_wrong"})).await,
        refused_frame(&mut looker, "rrext_deploy_remove", json!({"projectId": "orders"})).await,
        refused_frame(&mut dap, "rrext_frobnicate", json!({})).await,
        refused_frame(&mut dap, "rrext_deploy_status", json!({"projectId": "order"})).await,
        refused_frame(&mut dap, "rrext_deploy_update", json!({"projectId": "orders", "schedule": "* *"})).await,
        refused_frame(&mut dap, "rrext_get_task_status", json!({"token": "tk_gone"})).await,
        refused_frame(&mut dap, "rrext_monitor", json!({"token": "*", "types": "task"})).await,
        refused_frame(&mut dap, "execute", json!({"pipeline": broken, "args": []})).await,
    ];

    assert_snapshot!(refusals.join("\n"), @"
    auth
      UNAUTHENTICATED: Invalid API key
    rrext_deploy_remove
      PERMISSION_DENIED: Permission 'task.control' denied
    rrext_frobnicate
      no code: Invalid command: rrext_frobnicate
    rrext_deploy_status
      NOT_FOUND: project `order` does not exist; hint: check the name
    rrext_deploy_update
      INVALID_ARGUMENT: schedule `* *` has 2 fields, expected 5; hint: add the missing fields for minute, hour, day, month and weekday, e.g. `* * * * *`
    rrext_get_task_status
      TASK_NOT_REGISTERED: Your pipeline is not running. no task has this token; hint: open one first; an ended task is forgotten after 5 minutes
    rrext_monitor
      no code: types must be a list of names or a number of bits
    execute
      INVALID_ARGUMENT: component `response_1` refers to the unknown component `missing`; hint: known components are `webhook_1`, `response_1`
    ");
}
