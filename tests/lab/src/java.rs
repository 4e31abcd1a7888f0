//! Finds the Java that a release line needs, or fetches it.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::cache::Cache;
use crate::{jdk, tools};

/// The Java versions that the release lines run on; none runs on a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Java {
    J8,
    J11,
    J17,
}

impl Java {
    pub const ALL: [Java; 3] = [Java::J8, Java::J11, Java::J17];

    pub fn number(self) -> u32 {
        match self {
            Java::J8 => 8,
            Java::J11 => 11,
            Java::J17 => 17,
        }
    }

    /// Name of the cache entry that holds a fetched one.
    pub fn entry(self) -> String {
        format!("jdk{}", self.number())
    }

    /// The variable that names a `java` to use before all others.
    fn variable(self) -> String {
        format!("RINGKEEP_LAB_JAVA{}", self.number())
    }
}

impl fmt::Display for Java {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "java {}", self.number())
    }
}

/// The `java` program of this version, fetched first where the machine has none.
pub fn ensure(cache: &Cache, java: Java) -> Result<PathBuf> {
    if let Some(program) = find(cache, java) {
        return Ok(program);
    }
    match java {
        Java::J17 => bail!(
            "java 17 is missing: install it (Debian 12: apt-get install openjdk-17-jre-headless), \
             or name its `java` program in {}",
            java.variable()
        ),
        Java::J11 => jdk::fetch_11(cache),
        Java::J8 => jdk::fetch_8(cache),
    }
}

/// The `java` program of this version, where the machine or the cache has one.
pub fn find(cache: &Cache, java: Java) -> Option<PathBuf> {
    if let Some(program) = env::var_os(java.variable()) {
        return Some(PathBuf::from(program));
    }
    let cached = cache.path(&java.entry());
    candidates()
        .into_iter()
        .find(|program| version_of(program) == Some(java.number()))
        .or_else(|| jdk::program_in(&cached))
}

fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if let Some(home) = env::var_os("JAVA_HOME") {
        found.push(Path::new(&home).join("bin/java"));
    }
    found.extend(tools::find("java"));
    let mut homes: Vec<PathBuf> = fs::read_dir("/usr/lib/jvm")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    homes.sort();
    found.extend(
        homes
            .into_iter()
            .flat_map(|home| [home.join("bin/java"), home.join("jre/bin/java")]),
    );
    found.retain(|program| program.is_file());
    found
}

fn version_of(program: &Path) -> Option<u32> {
    // The `release` file beside a JDK answers without the start of a JVM.
    let home = fs::canonicalize(program)
        .ok()?
        .parent()?
        .parent()?
        .to_owned();
    let text = match fs::read_to_string(home.join("release")) {
        Ok(release) => release
            .lines()
            .find(|line| line.starts_with("JAVA_VERSION="))?
            .to_owned(),
        Err(_) => {
            let output = Command::new(program).arg("-version").output().ok()?;
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .next()?
                .to_owned()
        }
    };
    version_number(&text)
}

/// Takes the feature number out of `… "1.8.0_504"` or `… "17.0.15"`.
fn version_number(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    let mut numbers = quoted.split(['.', '_', '-', '+']);
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        number => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_version_texts_are_read() {
        assert_eq!(version_number("openjdk version \"1.8.0_504\""), Some(8));
        assert_eq!(version_number("JAVA_VERSION=\"11.0.24\""), Some(11));
        assert_eq!(version_number("JAVA_VERSION=\"17\""), Some(17));
        assert_eq!(version_number("no java"), None);
    }
}
