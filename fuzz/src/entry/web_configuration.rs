//! The file of `--web.config.file`: any bytes are a whole file or a list of reasons.

use std::io::Write;

use cloudtrail_exporter::web::WebFile;

pub fn run(data: &[u8]) {
    if super::names_a_device(data) {
        return;
    }
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(data).expect("written");
    if let Err(errors) = WebFile::load(file.path()) {
        let reasons = errors.reasons();
        assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.is_empty()));
        let plain = |reason: &String| !reason.contains(char::is_control);
        assert!(reasons.iter().all(plain), "{reasons:?}");
    }
}
