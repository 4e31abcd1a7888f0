use std::collections::BTreeSet;

use super::*;

#[test]
fn no_code_is_listed_twice_and_each_is_screaming_snake() {
    let names: BTreeSet<&str> = ALL.iter().map(|code| code.name).collect();
    assert_eq!(names.len(), ALL.len());
    for name in names {
        assert!(
            name.chars().all(|c| c.is_ascii_uppercase() || c == '_'),
            "{name}"
        );
    }
}
