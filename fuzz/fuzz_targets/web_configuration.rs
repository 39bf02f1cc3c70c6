#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cloudtrail_exporter_fuzz::entry::web_configuration::run(data));
