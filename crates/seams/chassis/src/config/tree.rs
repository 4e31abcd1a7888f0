//! Settings as a tree, each value with the place where it was set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::Unexpected;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::problem::Problem;

/// Begins the name of every variable that is a setting.
const PREFIX: &str = "RINGKEEP_";
/// Separates a section from a key in a variable's name.
const SEPARATOR: &str = "__";

/// All settings that were given.
pub(super) struct Tree {
    pub(super) root: Node,
    /// The file that was read, if any.
    pub(super) file: Option<PathBuf>,
}

/// One value and where it was set.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// From the environment: its reader decides on its type.
    Variable(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            root: Node {
                value: Value::Table(BTreeMap::new()),
                place: Place::Nowhere,
            },
            file: None,
        }
    }
}

impl Tree {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let file: Arc<Path> = Arc::from(path);
        // The parser's own text would quote the line, and with it perhaps a secret.
        let table = DeTable::parse(&text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| line_of(&text, span.start)),
            message: error.message().to_owned(),
        })?;
        let place = |offset| Place::File {
            path: Arc::clone(&file),
            line: line_of(&text, offset),
        };
        let root = Node {
            value: table_value(table.get_ref(), &place),
            place: Place::File {
                path: Arc::clone(&file),
                line: 1,
            },
        };
        Ok(Self {
            root,
            file: Some(path.to_owned()),
        })
    }

    /// Overrides the file's settings with the environment's.
    pub(super) fn overlay(&mut self, env: impl IntoIterator<Item = (String, String)>) {
        let mut settings: Vec<(String, String)> = env
            .into_iter()
            .filter(|(name, _)| is_setting(name))
            .collect();
        // A whole table must come before a key inside it, whatever order the environment has.
        settings.sort();
        for (name, text) in settings {
            let keys: Vec<String> = name[PREFIX.len()..]
                .split(SEPARATOR)
                .map(str::to_ascii_lowercase)
                .collect();
            let node = Node {
                value: Value::Variable(text),
                place: Place::Variable(name),
            };
            put(&mut self.root, &keys, node);
        }
    }

    /// Turns a variable that was guessed to be a number or the like into text, if the reader failed on that guess.
    pub(super) fn take_back_guess(&mut self, problem: &Problem) -> bool {
        let Some(shown) = &problem.guessed else {
            return false;
        };
        take_back(&mut self.root, shown)
    }

    /// The value at a path.
    pub(super) fn at(&self, path: &[String]) -> Option<&Node> {
        let mut node = &self.root;
        for key in path {
            node = match &node.value {
                Value::Table(table) => table.get(key)?,
                Value::List(list) => list.get(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(node)
    }
}

impl Node {
    /// Finds a key in this table or below it, with the path to it.
    pub(super) fn find(&self, key: &str) -> Option<(Vec<String>, &Node)> {
        let Value::Table(table) = &self.value else {
            return None;
        };
        if let Some(node) = table.get(key) {
            return Some((vec![key.to_owned()], node));
        }
        table.iter().find_map(|(name, child)| {
            let (mut path, node) = child.find(key)?;
            path.insert(0, name.clone());
            Some((path, node))
        })
    }
}

fn is_setting(name: &str) -> bool {
    let prefix = name.get(..PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
        && name[PREFIX.len()..].contains(SEPARATOR)
}

fn put(node: &mut Node, keys: &[String], leaf: Node) {
    let Some((key, rest)) = keys.split_first() else {
        *node = leaf;
        return;
    };
    if let Some(value) = parse_variable(node) {
        node.value = value;
    }
    // An entry of a list that exists is named by its index.
    if let Value::List(list) = &mut node.value
        && let Some(entry) = key.parse().ok().and_then(|at: usize| list.get_mut(at))
    {
        return put(entry, rest, leaf);
    }
    if !matches!(node.value, Value::Table(_)) {
        node.value = Value::Table(BTreeMap::new());
        node.place = leaf.place.clone();
    }
    let Value::Table(table) = &mut node.value else {
        return;
    };
    let known = table.keys().find(|known| known.eq_ignore_ascii_case(key));
    let key = known.cloned().unwrap_or_else(|| key.clone());
    let child = table.entry(key).or_insert_with(|| Node {
        value: Value::Table(BTreeMap::new()),
        place: leaf.place.clone(),
    });
    put(child, rest, leaf);
}

/// The value of a variable's text in TOML's notation; none if it is plain text.
pub(super) fn parse_variable(node: &Node) -> Option<Value> {
    let Value::Variable(text) = &node.value else {
        return None;
    };
    let parsed = DeValue::parse(text.trim()).ok()?;
    // No setting is a date, so it is passed on as the text that was written.
    (!parsed.get_ref().is_datetime()).then(|| value(parsed.get_ref(), &|_| node.place.clone()))
}

/// How a reader's error would show this value, by which it is found again.
pub(super) fn shown(unexpected: &Unexpected<'_>) -> Option<String> {
    match unexpected {
        Unexpected::Bool(_)
        | Unexpected::Unsigned(_)
        | Unexpected::Signed(_)
        | Unexpected::Float(_)
        | Unexpected::Seq
        | Unexpected::Map => Some(unexpected.to_string()),
        _ => None,
    }
}

fn take_back(node: &mut Node, complaint: &str) -> bool {
    match &mut node.value {
        Value::Variable(text) => {
            let text = text.clone();
            let guess = match parse_variable(node) {
                Some(Value::Bool(value)) => shown(&Unexpected::Bool(value)),
                Some(Value::Integer(value)) => shown(&Unexpected::Signed(value)),
                Some(Value::Float(value)) => shown(&Unexpected::Float(value)),
                Some(Value::List(_)) => shown(&Unexpected::Seq),
                Some(Value::Table(_)) => shown(&Unexpected::Map),
                Some(Value::Text(_) | Value::Variable(_)) | None => None,
            };
            let wrong = guess.is_some_and(|guess| guess == complaint);
            if wrong {
                node.value = Value::Text(text);
            }
            wrong
        }
        Value::List(list) => list.iter_mut().any(|child| take_back(child, complaint)),
        Value::Table(table) => table.values_mut().any(|child| take_back(child, complaint)),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => false,
    }
}

fn value(parsed: &DeValue<'_>, place: &dyn Fn(usize) -> Place) -> Value {
    match parsed {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            // Too large for any setting: the error of its reader names what is expected.
            Err(_) => Value::Text(number.to_string()),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::Text(number.to_string()),
        },
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(list) => Value::List(
            list.iter()
                .map(|item| Node {
                    value: value(item.get_ref(), place),
                    place: place(item.span().start),
                })
                .collect(),
        ),
        DeValue::Table(table) => table_value(table, place),
    }
}

fn table_value(table: &DeTable<'_>, place: &dyn Fn(usize) -> Place) -> Value {
    Value::Table(
        table
            .iter()
            .map(|(key, item)| {
                let node = Node {
                    value: value(item.get_ref(), place),
                    place: place(key.span().start),
                };
                (key.get_ref().to_string(), node)
            })
            .collect(),
    )
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|&&byte| byte == b'\n').count()
}
