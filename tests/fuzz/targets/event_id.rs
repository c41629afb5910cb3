//! Bytes for the reader `event_id`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidemill_testing::readers::event_id(bytes));
