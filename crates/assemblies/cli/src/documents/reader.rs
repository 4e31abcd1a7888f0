//! Reads mappings of a document field by field, and notes every field that is not known.

use model::nearest;
use serde_json::{Map, Value};

use super::did_you_mean;

/// Everything that is wrong with a document.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<String>);

impl Problems {
    pub fn say(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }
}

/// A mapping of which all fields are known.
pub struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    /// None if it is no mapping. Its path is empty for the document as a whole.
    pub fn of(
        value: &'a Value,
        path: &str,
        known: &[&str],
        problems: &mut Problems,
    ) -> Option<Self> {
        let Some(map) = value.as_object() else {
            let what = match path {
                "" => "the document",
                path => path,
            };
            problems.say(format!("{what} is no mapping"));
            return None;
        };
        let fields = Self {
            map,
            path: path.to_owned(),
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            let meant = did_you_mean(nearest(name, known.iter().copied()));
            problems.say(format!("unknown field {}{meant}", fields.place(name)));
        }
        Some(fields)
    }

    /// The path of a field in the document.
    pub fn place(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// What is null is not there.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub fn mapping(
        &self,
        name: &str,
        known: &[&str],
        problems: &mut Problems,
    ) -> Option<Fields<'a>> {
        Fields::of(self.get(name)?, &self.place(name), known, problems)
    }

    pub fn required_mapping(
        &self,
        name: &str,
        known: &[&str],
        problems: &mut Problems,
    ) -> Option<Fields<'a>> {
        if self.get(name).is_none() {
            problems.say(format!("{} is missing", self.place(name)));
        }
        self.mapping(name, known, problems)
    }

    pub fn text(&self, name: &str, problems: &mut Problems) -> Option<String> {
        let text = self.get(name)?.as_str();
        if text.is_none() {
            problems.say(format!("{} is no text", self.place(name)));
        }
        text.map(str::to_owned)
    }

    pub fn required_text(&self, name: &str, problems: &mut Problems) -> Option<String> {
        if self.get(name).is_none() {
            problems.say(format!("{} is missing", self.place(name)));
        }
        self.text(name, problems)
    }

    /// A whole number that is not negative.
    pub fn number(&self, name: &str, problems: &mut Problems) -> Option<u64> {
        let number = self.get(name)?.as_u64();
        if number.is_none() {
            problems.say(format!("{} is no whole number from 0 on", self.place(name)));
        }
        number
    }

    pub fn flag(&self, name: &str, problems: &mut Problems) -> bool {
        let Some(value) = self.get(name) else {
            return false;
        };
        if !value.is_boolean() {
            problems.say(format!("{} is neither true nor false", self.place(name)));
        }
        value.as_bool() == Some(true)
    }

    pub fn texts(&self, name: &str, problems: &mut Problems) -> Vec<String> {
        let items = self.list(name, problems);
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        let texts: Option<Vec<String>> = texts.collect();
        if texts.is_none() {
            problems.say(format!("{} is no list of texts", self.place(name)));
        }
        texts.unwrap_or_default()
    }

    pub fn list(&self, name: &str, problems: &mut Problems) -> &'a [Value] {
        let Some(value) = self.get(name) else {
            return &[];
        };
        match value.as_array() {
            Some(items) => items,
            None => {
                problems.say(format!("{} is no list", self.place(name)));
                &[]
            }
        }
    }

    /// Checks a mapping of names to texts.
    pub fn check_texts_by_name(&self, name: &str, problems: &mut Problems) {
        let (Some(value), place) = (self.get(name), self.place(name)) else {
            return;
        };
        let Some(map) = value.as_object() else {
            problems.say(format!("{place} is no mapping"));
            return;
        };
        for (key, _) in map.iter().filter(|(_, value)| !value.is_string()) {
            problems.say(format!("{place} `{key}` is no text"));
        }
    }

    /// Fields that Kubernetes knows and that are refused if they are given, each with why.
    pub fn refuse(&self, refused: &[(&str, &str)], problems: &mut Problems) {
        for (name, why) in refused {
            let is_given = self
                .get(name)
                .is_some_and(|value| *value != Value::Bool(false));
            if is_given {
                problems.say(format!("{} is not honoured here: {why}", self.place(name)));
            }
        }
    }
}
