#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ccbt_peer::source::nat::upnp(input));
