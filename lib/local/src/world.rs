//! Real time and real chance.

use jiff::Timestamp;
use tidemill_operations::World;

/// The machine's clock and its random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealWorld;

impl World for RealWorld {
    #[expect(clippy::disallowed_methods, reason = "the real clock of a plane")]
    fn now(&self) -> Timestamp {
        // The wire and the table keep milliseconds; cutting here keeps what is answered equal to what is stored.
        Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("the clock is within the range of years")
    }

    #[expect(clippy::disallowed_methods, reason = "the real chance of a plane")]
    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random numbers");
    }
}
