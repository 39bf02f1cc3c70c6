//! One version: that of the program.

use std::fs;

use crate::files::{texts, words};

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn the_chart_has_the_version_of_the_program() {
    let chart = fs::read_to_string("deploy/helm/cloudtrail-exporter/Chart.yaml").unwrap();
    assert!(chart.contains(&format!("\nversion: {VERSION}\n")));
    assert!(chart.contains(&format!("\nappVersion: \"{VERSION}\"\n")));
}

#[test]
fn every_image_has_the_version_of_the_program() {
    let mut seen = 0;
    for (path, text) in texts() {
        let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
        let images = words(&text, "ghcr.io/cloudtrail-exporter/", goes_on);
        for tag in images.iter().filter_map(|image| image.split(':').nth(1)) {
            assert_eq!(tag, VERSION, "{}", path.display());
            seen += 1;
        }
        for line in text.lines().filter(|line| line.contains("newTag:")) {
            assert_eq!(line.trim(), format!("newTag: {VERSION}"));
        }
    }
    assert!(seen > 0);
}

#[test]
fn the_image_is_built_with_a_compiler_that_is_new_enough() {
    let dockerfile = fs::read_to_string("deploy/docker/Dockerfile").unwrap();
    let tag = dockerfile.split("rust:").nth(1).unwrap();
    let minor = |text: &str| text.split('.').nth(1).and_then(|m| m.parse::<u32>().ok());
    let least = minor(env!("CARGO_PKG_RUST_VERSION")).unwrap();
    assert!(minor(tag.split('-').next().unwrap()).unwrap() >= least);
}
