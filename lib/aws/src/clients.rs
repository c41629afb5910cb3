//! The SDK's clients. Each is built when it is first needed, so that a function pays for no service that it does not
//! call; all share one connector.

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::sync::OnceLock;
use std::time::Duration;

/// How long one try of a call may take, connecting included.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The clients of one process.
#[derive(Debug)]
pub struct Clients {
    shared: SdkConfig,
    scheduler: OnceLock<aws_sdk_scheduler::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    sockets: OnceLock<aws_sdk_apigatewaymanagement::Client>,
}

impl Clients {
    /// Reads region and credentials from the environment, which is where Lambda puts them, and nowhere else: the SDK's
    /// chain of other places costs a start a third of a millisecond and, where they are missing, asks the network.
    pub async fn from_environment() -> Clients {
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(EnvironmentVariableRegionProvider::new())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .http_client(https())
            .timeout_config(timeouts());
        Clients::new(loader.load().await)
    }

    /// Reads region and credentials from wherever the SDK finds them: the environment, a container's or a machine's
    /// role, a profile. For a process that stays, such as a gateway, and whose credentials change meanwhile.
    pub async fn of_host() -> Clients {
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https()).timeout_config(timeouts());
        Clients::new(loader.load().await)
    }

    pub fn new(shared: SdkConfig) -> Clients {
        #[cfg(feature = "faults")]
        let shared = crate::faults::among(shared);
        Clients {
            shared,
            scheduler: OnceLock::new(),
            sqs: OnceLock::new(),
            kms: OnceLock::new(),
            sockets: OnceLock::new(),
        }
    }

    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.shared)
    }

    pub fn scheduler(&self) -> &aws_sdk_scheduler::Client {
        self.scheduler.get_or_init(|| aws_sdk_scheduler::Client::new(&self.shared))
    }

    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.shared))
    }

    /// The one that sends on the WebSockets of the API at `url`.
    pub fn sockets(&self, url: &str) -> &aws_sdk_apigatewaymanagement::Client {
        self.sockets.get_or_init(|| {
            let configuration = aws_sdk_apigatewaymanagement::config::Builder::from(&self.shared);
            aws_sdk_apigatewaymanagement::Client::from_conf(configuration.endpoint_url(url).build())
        })
    }

    pub fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.get_or_init(|| aws_sdk_kms::Client::new(&self.shared))
    }
}

/// The SDK waits for an answer without end, until Lambda stops the function. DynamoDB, SQS, Scheduler and KMS answer
/// within a second; no call of ours waits for something to happen.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build()
}

/// The one connector. It reads the root certificates when the first client is made: in the start, so that no call waits
/// for it.
fn https() -> aws_sdk_dynamodb::config::SharedHttpClient {
    Builder::new().tls_provider(Provider::rustls(CryptoMode::AwsLc)).build_https()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_hangs_is_tried_again_while_there_is_time() {
        for clients in [Clients::from_environment().await, Clients::of_host().await] {
            let timeouts = clients.shared.timeout_config().cloned().expect("calls have a limit");

            assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(5)));
        }
    }
}
