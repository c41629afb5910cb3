//! Bytes for the reader `jq`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidemill_testing::readers::jq(bytes));
