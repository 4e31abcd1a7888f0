//! Why settings could not be loaded: errors that name the key and the place.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::{Problem, What};
use super::tree::Tree;

/// Where a setting was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File {
        path: Arc<Path>,
        line: usize,
    },
    /// A variable of the environment, by name.
    Variable(String),
    /// In no place: it is a default, or missing.
    Nowhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "in {}, line {line}", path.display()),
            Self::Variable(name) => write!(f, "from the environment ({name})"),
            Self::Nowhere => f.write_str("in the settings"),
        }
    }
}

/// Why settings could not be loaded. No text of it holds a value that was given as text: it might be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read the settings in {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{}, line {line} is not TOML: {message}", path.display())]
    Syntax {
        path: PathBuf,
        line: usize,
        message: String,
    },
    #[error("unknown key `{key}` {place}{}", advice(nearest.as_deref(), known))]
    UnknownKey {
        key: String,
        place: Place,
        /// The known key that is most similar.
        nearest: Option<String>,
        known: Vec<String>,
    },
    #[error("`{key}` is missing; set it {}as {variable}", in_file(file.as_deref()))]
    Missing {
        key: String,
        variable: String,
        file: Option<PathBuf>,
    },
    #[error("`{key}` {place}: {message}")]
    Value {
        key: String,
        place: Place,
        message: String,
    },
}

impl ConfigError {
    pub(super) fn from_problem(problem: Problem, tree: &Tree) -> Self {
        let Problem {
            what,
            mut path,
            mut place,
            ..
        } = problem;
        match *what {
            What::UnknownKey { key, known } => {
                // Inside a tagged enum the reader knows the key but not its place.
                let table = tree.at(&path);
                if let Some((below, node)) = table.and_then(|table| table.find(&key)) {
                    path.extend(below);
                    place = node.place.clone();
                } else {
                    path.push(key.clone());
                }
                let nearest = nearest(&key, &known).map(|near| match &place {
                    Place::Variable(_) => variable(&with_last(&path, near)),
                    Place::File { .. } | Place::Nowhere => near.to_owned(),
                });
                Self::UnknownKey {
                    key: dotted(&path),
                    place,
                    nearest,
                    known,
                }
            }
            What::Missing { key } => {
                path.push(key);
                Self::Missing {
                    key: dotted(&path),
                    variable: variable(&path),
                    file: tree.file.clone(),
                }
            }
            What::Value { message } => Self::Value {
                key: dotted(&path),
                place,
                message,
            },
            What::Variant { found, known } => Self::Value {
                key: dotted(&path),
                place,
                message: format!(
                    "`{found}` is not known here{}",
                    advice(nearest(&found, &known), &known)
                ),
            },
        }
    }
}

fn dotted(path: &[String]) -> String {
    path.join(".")
}

fn variable(path: &[String]) -> String {
    format!("RINGKEEP_{}", path.join("__").to_uppercase())
}

fn with_last(path: &[String], last: &str) -> Vec<String> {
    let mut path = path.to_vec();
    path.pop();
    path.push(last.to_owned());
    path
}

fn in_file(file: Option<&Path>) -> String {
    file.map_or_else(String::new, |file| format!("in {} or ", file.display()))
}

fn advice(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; known here: {}", known.join(", ")),
    }
}

/// The known word that a typo most likely stands for, if one is near enough.
fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    let word = word.replace('-', "_").to_lowercase();
    let (distance, best) = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&word, known), known))
        .min_by_key(|(distance, _)| *distance)?;
    let near_enough = distance <= (word.len().max(best.len()) / 3).max(1);
    near_enough.then_some(best.as_str())
}
