//! Bytes for the reader `schedule`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidemill_testing::readers::schedule(bytes));
