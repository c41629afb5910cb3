//! Single writes, tried until it is known whether they happened.
//!
//! The later of two writes that meet at one item, one of them a transaction's, is refused and tried again. So is one whose
//! answer was lost; if it had happened, its own condition refuses the second try, which is then no rejection. The SDK would
//! hide that a try went before, so it does not try such a write again itself.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>

use crate::error::{Error, Part};
use crate::item::Item;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a write that the table did not take is tried.
const TRIES: u32 = 8;
/// How often a write is tried of which it is not known whether it happened, as the SDK does.
const UNSURE_TRIES: u32 = 3;
/// Answers by which the table says that it did nothing, and may do it a moment later.
const REFUSALS: [&str; 4] = [
    "TransactionConflictException",
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
];

/// What came of a write.
pub(crate) enum Written<T> {
    Answered(T),
    /// It had happened by a try whose answer was lost. With the item as it is since.
    Before(Item),
}

/// What else is known of a write: how to recognise it in the table.
pub(crate) struct Trace<E> {
    /// The item that the table sends along when its condition refuses a write; empty if there is none.
    pub found: fn(&E) -> Option<Item>,
    /// Whether the item is one that the write had made.
    pub is_ours: Box<dyn Fn(&Item) -> bool + Send + Sync>,
}

/// The client's configuration for a write that [`alone`] tries again.
pub(crate) fn one_try() -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled())
}

/// Spreads waits, so that those who wait for the same do not come back together.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(Arc<AtomicU64>);

impl Jitter {
    /// Another one in each process.
    pub fn of_chance() -> Jitter {
        Jitter::of(RandomState::new().build_hasher().finish())
    }

    /// The same waits for the same seed.
    pub fn of(seed: u64) -> Jitter {
        Jitter(Arc::new(AtomicU64::new(seed)))
    }

    /// Waits before the next try of a write that the table did not take.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after the last one.
    pub async fn before_next(&self, tries: u32) -> Result<(), Error> {
        if tries >= TRIES {
            return Err(Error::Unavailable(
                "the table did not take a write in time: it is busy, or others kept changing the same items".into(),
            ));
        }
        self.spread(Duration::from_millis(20 << tries)).await;
        Ok(())
    }

    /// Waits up to a bound.
    pub async fn spread(&self, longest: Duration) {
        tokio::time::sleep(longest.mul_f64(self.draw())).await;
    }

    /// Evenly from 0 to 1: a step of SplitMix64. <https://prng.di.unimi.it/splitmix64.c>
    fn draw(&self) -> f64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Sends the write of a single item until the table has taken or refused it.
///
/// # Errors
/// [`Error::Rejected`] with `part` if its condition did not hold.
pub(crate) async fn alone<T, E, F>(
    jitter: &Jitter,
    part: Part,
    trace: Trace<E>,
    send: impl Fn() -> F,
) -> Result<Written<T>, Error>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + Debug + Send + Sync + 'static,
{
    let mut is_unsure = false;
    for tries in 1.. {
        let error = match send().await {
            Ok(answer) => return Ok(Written::Answered(answer)),
            Err(error) => error,
        };
        match error.code() {
            Some("ConditionalCheckFailedException") => {
                let found = error.as_service_error().map(trace.found).filter(|_| is_unsure);
                let ours = found.map(Option::unwrap_or_default).filter(|item| (trace.is_ours)(item));
                return ours.map(Written::Before).ok_or_else(|| Error::Rejected(vec![part]));
            }
            Some(code) if REFUSALS.contains(&code) => jitter.before_next(tries).await?,
            _ if tries < UNSURE_TRIES && is_lost(&error) => {
                is_unsure = true;
                jitter.before_next(tries).await?;
            }
            _ => return Err(error.into()),
        }
    }
    unreachable!("the loop ends by returning")
}

/// Whether the write may have happened although the table did not say so.
fn is_lost<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        SdkError::ServiceError(answer) => answer.raw().status().is_server_error(),
        _ => false,
    }
}
