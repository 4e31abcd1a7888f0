//! The whole matrix as text, compared with a checked-in page that a person can lay beside the published one.

use std::path::PathBuf;

#[test]
fn the_matrix_is_the_checked_in_page() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/matrix.txt");
    let page = cassandra_versions::matrix_page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("writes the page");
    }
    let checked_in = std::fs::read_to_string(&path).expect("reads the page");
    assert_eq!(
        page, checked_in,
        "run the test with UPDATE=1 and look at the difference"
    );
}
