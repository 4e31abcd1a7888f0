//! Checks that a sample of a service's settings says the truth about them.
//!
//! In a sample, `#key = value` (no blank after the `#`) is a setting that shows its default, or an example where there is
//! none; `# text` is prose.

use std::path::PathBuf;

use chassis::{ConfigError, config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Value;

/// A key that no settings have, so that the refusal names those that they do have.
const NO_SUCH_KEY: &str = "no_such_key_at_all";

/// Panics unless `deploy/config/<name>.toml` loads, also with every setting in it switched on, names every key that
/// there is, and shows the true defaults.
#[track_caller]
pub fn check<C: Serialize + DeserializeOwned>(name: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../deploy/config")
        .join(name)
        .with_extension("toml");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let as_given: C = load(&text, None).unwrap_or_else(|error| panic!("{error}"));
    let switched_on = switch_on(&text);
    let all_on = load::<C>(&switched_on, None);
    all_on.unwrap_or_else(|error| panic!("with every setting switched on: {error}"));

    let sample = parse(&switched_on);
    compare_defaults(
        "",
        &sample,
        &parse(&text),
        &parse(&config::render(&as_given)),
    );
    for table in tables("", &sample) {
        check_complete::<C>(&switched_on, &sample, &table);
    }
}

fn load<C: Serialize + DeserializeOwned>(
    text: &str,
    variable: Option<(String, String)>,
) -> Result<C, ConfigError> {
    let folder = crate::folder();
    let path = folder.path().join("sample.toml");
    std::fs::write(&path, text).expect("tests can write into their folder");
    config::load(Some(&path), variable)
}

fn parse(text: &str) -> Value {
    toml::from_str(text).expect("it was loaded before")
}

/// Settings that are commented out become settings.
fn switch_on(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(setting)
            if setting.starts_with(|first: char| first.is_alphabetic() || first == '[') =>
        {
            setting
        }
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Table(table) => table
            .iter()
            .map(|(key, child)| (key.clone(), child))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, child)| (at.to_string(), child))
            .collect(),
        _ => Vec::new(),
    }
}

fn child<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        value => value.get(key),
    }
}

/// What the sample shows but does not set must be what is in effect, unless nothing is.
#[track_caller]
fn compare_defaults(path: &str, shown: &Value, set: &Value, in_effect: &Value) {
    for (key, shown) in children(shown) {
        let path = join(path, &key);
        let Some(in_effect) = child(in_effect, &key) else {
            continue;
        };
        let nothing = Value::Table(toml::Table::new());
        let set = child(set, &key);
        if matches!(shown, Value::Table(_)) || (set.is_some() && matches!(shown, Value::Array(_))) {
            compare_defaults(&path, shown, set.unwrap_or(&nothing), in_effect);
        } else if set.is_none() {
            assert_eq!(shown, in_effect, "the default of `{path}`");
        }
    }
}

/// Paths of all tables of settings, the root's included.
fn tables(path: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if matches!(value, Value::Table(_)) {
        found.push(path.to_owned());
    }
    for (key, child) in children(value) {
        found.extend(tables(&join(path, &key), child));
    }
    found
}

#[track_caller]
fn check_complete<C: Serialize + DeserializeOwned>(text: &str, sample: &Value, path: &str) {
    let table = path
        .split('.')
        .filter(|key| !key.is_empty())
        .fold(sample, |value, key| {
            child(value, key).expect("the path is from the sample")
        });
    let text = match path {
        "" => format!("{NO_SUCH_KEY} = 1\n{text}"),
        _ => text.to_owned(),
    };
    let variable = (!path.is_empty()).then(|| {
        let name = join(path, NO_SUCH_KEY).replace('.', "__").to_uppercase();
        (format!("RINGKEEP_{name}"), "1".to_owned())
    });
    match load::<C>(&text, variable) {
        Err(ConfigError::UnknownKey { known, .. }) => {
            let missing: Vec<&String> = known
                .iter()
                .filter(|key| table.get(key.as_str()).is_none())
                .collect();
            assert!(
                missing.is_empty(),
                "[{path}] of the sample does not name {missing:?}"
            );
        }
        Err(error) => panic!("[{path}]: {error}"),
        Ok(_) => panic!("[{path}] takes keys that nobody knows"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_commented_out_is_told_from_prose() {
        let text = "# Prose = here\n#key = 1\n#[section]\n\n#\nother = 2";
        assert_eq!(
            switch_on(text),
            "# Prose = here\nkey = 1\n[section]\n\n#\nother = 2"
        );
    }
}
