//! A function that knows nothing of Tidemill or AWS: what the cold starts of the others are measured beside.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hello = |_: LambdaEvent<Value>| async { Ok::<_, Error>(json!({"statusCode": 200, "body": "hello"})) };
    lambda_runtime::run(service_fn(hello)).await
}
