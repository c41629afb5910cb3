//! Bytes for the reader `cursor`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidemill_testing::readers::cursor(bytes));
