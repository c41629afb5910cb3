//! The SDK's clients. Each is built when it is first needed, so that a function pays for no service that it does not
//! call; all share one connector.

use aws_config::{BehaviorVersion, SdkConfig};
use std::sync::OnceLock;

/// The clients of one process.
#[derive(Debug)]
pub struct Clients {
    shared: SdkConfig,
    scheduler: OnceLock<aws_sdk_scheduler::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
}

impl Clients {
    /// Reads region, credentials and endpoint from the environment, which is where Lambda puts them.
    pub async fn from_environment() -> Clients {
        Clients::new(aws_config::defaults(BehaviorVersion::latest()).load().await)
    }

    pub fn new(shared: SdkConfig) -> Clients {
        #[cfg(feature = "faults")]
        let shared = crate::faults::among(shared);
        Clients { shared, scheduler: OnceLock::new(), sqs: OnceLock::new(), kms: OnceLock::new() }
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

    pub fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.get_or_init(|| aws_sdk_kms::Client::new(&self.shared))
    }
}
