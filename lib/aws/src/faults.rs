//! Deaths for tests: with the feature `faults`, the process ends at some of its calls of AWS, before the call goes out or
//! after its answer came. No function that is deployed for use is built with it.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// The probability that a call is the last, from 0 to 1; none unless it is set.
const VARIABLE: &str = "TIDEMILL_FAULTS";

/// Lets the process die at some of the calls that are made with this configuration.
pub fn among(shared: SdkConfig) -> SdkConfig {
    let probability: f64 = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let Some(inner) = shared.http_client() else { return shared };
    let client = http_client_fn(move |settings: &HttpConnectorSettings, components| {
        let inner = inner.http_connector(settings, components);
        SharedHttpConnector::new(Mortal { inner, probability })
    });
    shared.into_builder().http_client(client).build()
}

#[derive(Debug)]
struct Mortal {
    inner: SharedHttpConnector,
    probability: f64,
}

impl HttpConnector for Mortal {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, probability) = (self.inner.clone(), self.probability);
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
            die_perhaps(probability / 2.0, "before", &target);
            let answer = inner.call(request).await;
            die_perhaps(probability / 2.0, "after", &target);
            answer
        })
    }
}

/// Ends the process as a kill does: nothing is unwound and nothing is flushed.
fn die_perhaps(probability: f64, when: &str, target: &str) {
    let mut bytes = [0; 4];
    #[expect(clippy::disallowed_methods, reason = "a death needs no plane")]
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    if f64::from(u32::from_le_bytes(bytes)) < probability * f64::from(u32::MAX) {
        tracing::warn!(target, "the process dies {when} a call");
        std::process::abort();
    }
}
