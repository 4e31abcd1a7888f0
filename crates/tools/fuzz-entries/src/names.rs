//! Names of files: what is understood is written back as it was.

use cassandra_formats::{Component, FormatVersion, parse_file_name};

pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok((descriptor, component)) = parse_file_name(&text) {
        assert_eq!(format!("{descriptor}-{component}"), text);
        assert!(!text.contains(['/', '\\', '\0']) && !text.contains(".."));
        let _ = Component::of(component);
    }
    if let Ok(format) = text.parse::<FormatVersion>() {
        assert_eq!(format.to_string(), text);
    }
}
