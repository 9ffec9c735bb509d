#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ccbt_wire_fuzz::local_announce(input));
