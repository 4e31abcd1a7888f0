//! Documents of YAML, and how to find something in them.

use serde::Deserialize;
use serde_yaml_ng::Value;

/// All documents of a file.
#[track_caller]
pub fn documents(text: &str) -> Vec<Value> {
    let each = serde_yaml_ng::Deserializer::from_str(text);
    each.map(|document| Value::deserialize(document).expect("YAML"))
        .collect()
}

/// The texts of a list of texts.
#[track_caller]
pub fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_sequence().expect("a list");
    list.iter()
        .map(|item| item.as_str().expect("a text"))
        .collect()
}

/// The items of a list; none if it is not there.
pub fn items(list: &Value) -> &[Value] {
    list.as_sequence().map(Vec::as_slice).unwrap_or_default()
}

/// The item of a list that has this name.
#[track_caller]
pub fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = items(list).iter().find(|item| item["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {name} in {list:?}"))
}
