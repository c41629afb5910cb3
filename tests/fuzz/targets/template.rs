//! Bytes for the reader `template`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidemill_testing::readers::template(bytes));
