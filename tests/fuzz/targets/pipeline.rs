//! Bytes for the reader `pipeline`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidemill_testing::readers::pipeline(bytes));
