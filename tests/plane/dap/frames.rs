//! The frames of RocketRide's protocol as they go over the socket, field by field.

use crate::given::echo;
use crate::given::objects::{pipe, write};
use crate::given::redacted::redacted_json;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tidemill_model::key::Scope;
use tidemill_testing::{Dap, TestPlane};

/// The whole frame that answers a request.
async fn answer(dap: &mut Dap, command: &str, arguments: Value) -> Value {
    dap.ask(command, arguments).await.0
}

#[tokio::test]
async fn a_login_is_answered_with_the_user() {
    let world = TestPlane::new().await;
    let ana = world.user_with("ana", &[Scope::Control, Scope::Data]).await;
    let mut dap = world.stranger(1).unwrap();

    let login = answer(&mut dap, "auth", json!({"auth": ana.key, "clientName": "x"})).await;

    assert_snapshot!(redacted_json(&login), @r#"
    {
      "type": "response",
      "seq": 1,
      "request_seq": 1,
      "command": "auth",
      "success": true,
      "body": {
        "userId": "ana",
        "displayName": "ana",
        "email": "",
        "userToken": "[key]",
        "organization": {
          "id": "ana",
          "name": "ana",
          "permissions": [],
          "teams": [
            {
              "id": "production",
              "name": "production",
              "permissions": [
                "task.control",
                "task.data"
              ]
            }
          ]
        },
        "organizations": [
          {
            "id": "ana",
            "name": "ana",
            "permissions": [],
            "teams": [
              {
                "id": "production",
                "name": "production",
                "permissions": [
                  "task.control",
                  "task.data"
                ]
              }
            ]
          }
        ],
        "defaultTeam": "production",
        "devTeam": "production",
        "capabilities": [
          "oss"
        ],
        "serverVersion": "0.1.0",
        "apps": [],
        "sysPermissions": [],
        "credits": {},
        "waitlisted": false
      }
    }
    "#);
}

#[tokio::test]
async fn a_task_is_opened_and_shows_its_status() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;

    let opened = answer(&mut dap, "execute", json!({"pipeline": echo("p"), "args": []})).await;
    let token = opened["body"]["token"].as_str().unwrap().to_owned();
    let number = pipe(&mut dap, &token).await;
    dap.frame(write(&token, number, "Hello")).await;
    dap.reply().ok();
    let status = answer(&mut dap, "rrext_get_task_status", json!({"token": token})).await;

    assert_snapshot!(redacted_json(&opened), @r#"
    {
      "type": "response",
      "seq": 2,
      "request_seq": 2,
      "command": "execute",
      "success": true,
      "body": {
        "token": "[token]",
        "id": "[id].webhook_1",
        "publicToken": "[token]",
        "projectId": "p",
        "source": "webhook_1",
        "provider": "webhook"
      }
    }
    "#);
    assert_snapshot!(redacted_json(&status), @r#"
    {
      "type": "response",
      "seq": 5,
      "request_seq": 4,
      "command": "rrext_get_task_status",
      "success": true,
      "body": {
        "name": "",
        "project_id": "p",
        "source": "webhook_1",
        "completed": false,
        "state": 3,
        "startTime": [seconds],
        "endTime": 0.0,
        "debuggerAttached": false,
        "status": "Running",
        "warnings": [],
        "errors": [],
        "currentObject": "greeting",
        "currentSize": 2,
        "notes": [],
        "totalSize": 2,
        "totalCount": 1,
        "completedSize": 0,
        "completedCount": 0,
        "failedSize": 0,
        "failedCount": 0,
        "wordsSize": 0,
        "wordsCount": 0,
        "rateSize": 0,
        "rateCount": 0,
        "serviceUp": true,
        "exitCode": null,
        "exitMessage": "",
        "pipeflow": {
          "totalPipes": 1,
          "byPipe": {}
        },
        "metrics": {
          "cpu_percent": 0.0,
          "cpu_memory_mb": 0.0,
          "gpu_memory_mb": 0.0,
          "peak_cpu_percent": 0.0,
          "peak_cpu_memory_mb": 0.0,
          "peak_gpu_memory_mb": 0.0,
          "avg_cpu_percent": 0.0,
          "avg_cpu_memory_mb": 0.0,
          "avg_gpu_memory_mb": 0.0
        },
        "tokens": {
          "cpu_utilization": 0.0,
          "cpu_memory": 0.0,
          "gpu_memory": 0.0,
          "gpu_inference": 0.0,
          "custom": {},
          "total": 0.0
        }
      }
    }
    "#);
}

#[tokio::test]
async fn a_refusal_is_a_frame_with_a_message_and_a_code() {
    let world = TestPlane::new().await;
    let mut dap = world.socket(&world.user("ana").await).await;

    let refusal = answer(&mut dap, "rrext_deploy_status", json!({"projectId": "missing"})).await;

    assert_snapshot!(redacted_json(&refusal), @r#"
    {
      "type": "response",
      "seq": 2,
      "request_seq": 2,
      "command": "rrext_deploy_status",
      "success": false,
      "message": "project `missing` does not exist; hint: check the name",
      "code": "NOT_FOUND"
    }
    "#);
}
