//! Settings: defaults, then a TOML file, then the environment; an unknown key is refused by name.
//!
//! A variable `RINGKEEP_<SECTION>__<KEY>` sets `key` of `[section]`; deeper tables take more double underscores, and
//! letter case does not matter; an entry of a list is named by its index, from 0. Its value is read as the type that the
//! setting has: a number, true or false, a list or table in TOML's notation, else text as it was written. Put text in
//! double quotes if it would read as something else. Variables without a double underscore are ignored.
//!
//! Keys are known from the structs themselves, so a struct needs no attribute for it; only the variants of a tagged
//! enum need `#[serde(deny_unknown_fields)]`.

mod de;
mod error;
mod problem;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::{ConfigError, Place};

use tree::Tree;

/// The options that every service's command line has.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigArgs {
    /// The settings' TOML file; without it, defaults and the environment
    #[arg(long, env = "RINGKEEP_CONFIG", value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Print the settings in effect, secrets masked, and end
    #[arg(long)]
    pub check_config: bool,
}

impl ConfigArgs {
    /// Loads from the file that was named and from this process's environment.
    pub fn load<C: Serialize + DeserializeOwned>(&self) -> Result<C, ConfigError> {
        load(self.config.as_deref(), environment())
    }
}

/// This process's variables that are text.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Loads settings from a file, with the environment over it.
pub fn load<C: Serialize + DeserializeOwned>(
    path: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<C, ConfigError> {
    let mut tree = match path {
        Some(path) => Tree::read(path)?,
        None => Tree::default(),
    };
    tree.overlay(env);
    loop {
        match C::deserialize(tree.root.clone()) {
            Ok(config) => return Ok(config),
            // A variable inside a tagged enum is guessed at before its type is known. Each round turns one wrong guess
            // into text, so the rounds end with the variables.
            Err(problem) if tree.take_back_guess(&problem) => {}
            Err(problem) => return Err(ConfigError::from_problem(problem, &tree)),
        }
    }
}

/// The settings in effect as TOML. Secrets mask themselves; logins within URLs are masked here.
pub fn render<C: Serialize>(config: &C) -> String {
    match toml::to_string_pretty(config) {
        Ok(text) => without_logins(&text),
        Err(error) => format!("# these settings have no TOML form: {error}\n"),
    }
}

/// The text with a mask in place of user and password in each URL.
pub(crate) fn without_logins(text: &str) -> String {
    const SCHEME_END: &str = "://";
    let mut parts = text.split(SCHEME_END);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown += SCHEME_END;
        let is_end = |char: char| char.is_whitespace() || "/?#\"'".contains(char);
        let authority = &part[..part.find(is_end).unwrap_or(part.len())];
        match authority.rfind('@') {
            Some(at) => {
                shown += "***";
                shown += &part[at..];
            }
            None => shown += part,
        }
    }
    shown
}
