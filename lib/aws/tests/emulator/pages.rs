//! A group with more schedules than one page. The emulator cuts its list after the first page and gives no token; AWS
//! gives one, so the pages come from a transport that answers as the documentation says.
//! <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html>

use crate::timers::over;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_scheduler::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use std::sync::Arc;
use tidemill_aws::Clients;
use tidemill_operations::Timers;

const SCHEDULES: usize = 250;
const PAGE: usize = 100;

/// Answers every request as `ListSchedules` of a group of `SCHEDULES`.
#[derive(Debug)]
struct Pages;

impl HttpConnector for Pages {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let query = request.uri().split_once('?').map(|(_, query)| query).unwrap_or_default();
        let token = query.split('&').find_map(|pair| pair.strip_prefix("NextToken="));
        let first: usize = token.map_or(0, |token| token.parse().expect("it is a token of ours"));
        let last = (first + PAGE).min(SCHEDULES);
        let listed: Vec<Value> = (first..last).map(|n| json!({"Name": format!("s-{n}"), "State": "ENABLED"})).collect();
        let next = if last < SCHEDULES { json!(last.to_string()) } else { Value::Null };
        let body = json!({"Schedules": listed, "NextToken": next});
        let status = 200.try_into().expect("it is a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body.to_string()))))
    }
}

#[tokio::test]
async fn every_page_of_a_group_is_read() {
    let shared = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .http_client(http_client_fn(|_, _| SharedHttpConnector::new(Pages)))
        .build();

    let found = over(Arc::new(Clients::new(shared)), "group").all().await.unwrap();

    assert_eq!(found.len(), SCHEDULES);
}
