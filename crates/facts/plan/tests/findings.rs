//! docs/findings.md is made from the table of codes.

use std::path::PathBuf;

#[test]
fn the_page_of_findings_is_that_of_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/findings.md");
    let page = plan::codes::page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("writes the page");
    }
    let checked_in = std::fs::read_to_string(&path).expect("reads the page");
    assert_eq!(
        page, checked_in,
        "run the test with UPDATE=1 and read the difference"
    );
}
