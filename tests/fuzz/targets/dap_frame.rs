//! Bytes for the reader `dap_frame`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidemill_testing::readers::dap_frame(bytes));
