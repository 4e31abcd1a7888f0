//! Takes single packages out of another Debian suite without touching the system.
//!
//! The mirror and its key are those of the machine's own sources; lists, cache and configuration
//! are private to the lab.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tools;

const DEFAULT_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One suite of the machine's mirror, with lists of its own.
pub struct Suite {
    folder: PathBuf,
}

/// Where packages come from, and the key that signs them.
#[derive(Debug, PartialEq, Eq)]
struct Mirror {
    uri: String,
    signed_by: String,
}

impl Suite {
    /// Prepares `folder` and reads the package lists of the suite.
    pub fn open(folder: &Path, suite: &str) -> Result<Self> {
        tools::need("apt-get")?;
        tools::need("dpkg")?;
        let mirror = machine_mirror()?;
        fs::create_dir_all(folder.join("lists/partial"))?;
        fs::create_dir_all(folder.join("cache/archives/partial"))?;
        fs::write(
            folder.join("sources.list"),
            format!(
                "deb [signed-by={}] {} {suite} main\n",
                mirror.signed_by, mirror.uri
            ),
        )?;
        let suite_of = Self {
            folder: folder.to_owned(),
        };
        let doing = format!("read the package lists of Debian {suite}");
        tools::run(suite_of.apt_get().arg("update"), &doing)?;
        Ok(suite_of)
    }

    /// Downloads the packages and unpacks them below `root`.
    pub fn unpack(&self, packages: &[&str], root: &Path) -> Result<()> {
        let downloads = self.folder.join("downloads");
        fs::create_dir_all(&downloads)?;
        let doing = format!("download {}", packages.join(", "));
        tools::run(
            self.apt_get()
                .arg("download")
                .args(packages)
                .current_dir(&downloads),
            &doing,
        )?;
        for entry in fs::read_dir(&downloads)? {
            let package = entry?.path();
            let doing = format!("unpack {}", package.display());
            tools::run(
                Command::new("dpkg").arg("-x").arg(&package).arg(root),
                &doing,
            )?;
            fs::remove_file(package)?;
        }
        Ok(())
    }

    fn apt_get(&self) -> Command {
        let folder = self.folder.display();
        let mut command = Command::new("apt-get");
        for option in [
            format!("Dir::Etc::sourcelist={folder}/sources.list"),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State::lists={folder}/lists"),
            format!("Dir::Cache={folder}/cache"),
            // The unprivileged user that apt drops to cannot enter a private folder.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }
}

fn machine_mirror() -> Result<Mirror> {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !system.lines().any(|line| line == "ID=debian") {
        bail!(
            "this machine is not Debian, so the JDK cannot be taken from its mirror: install JDK 8 and \
             JDK 11 by hand and name their `java` in RINGKEEP_LAB_JAVA8 and RINGKEEP_LAB_JAVA11"
        );
    }
    let mut files: Vec<PathBuf> = fs::read_dir("/etc/apt/sources.list.d")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.sort();
    files.insert(0, PathBuf::from("/etc/apt/sources.list"));
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mirror = match file.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => stanza_mirror(&text),
            Some("list") => line_mirror(&text),
            _ => None,
        };
        if let Some(mirror) = mirror {
            return Ok(mirror);
        }
    }
    bail!(
        "no `main` entry was found in /etc/apt: add the Debian mirror to the machine's apt sources"
    )
}

/// Reads the form of `*.sources`: stanzas of `Field: value`.
fn stanza_mirror(text: &str) -> Option<Mirror> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            let line = stanza.lines().find(|line| line.starts_with(name))?;
            line[name.len()..]
                .split_whitespace()
                .next()
                .map(str::to_owned)
        };
        let components = stanza
            .lines()
            .find(|line| line.starts_with("Components:"))?;
        let has_main = components.split_whitespace().any(|word| word == "main");
        let uri = field("URIs:")?;
        let usable = has_main && field("Types:")? == "deb" && !uri.contains("security");
        let signed_by = field("Signed-By:").filter(|key| key.starts_with('/'));
        usable.then(|| Mirror {
            uri,
            signed_by: signed_by.unwrap_or(DEFAULT_KEYRING.to_owned()),
        })
    })
}

/// Reads the older form: `deb [options] URI suite components`.
fn line_mirror(text: &str) -> Option<Mirror> {
    text.lines().find_map(|line| {
        let mut rest = line.trim().strip_prefix("deb ")?.trim_start();
        let mut signed_by = DEFAULT_KEYRING.to_owned();
        if let Some(options) = rest.strip_prefix('[') {
            let (options, after) = options.split_once(']')?;
            rest = after;
            if let Some(key) = options
                .split_whitespace()
                .find_map(|o| o.strip_prefix("signed-by="))
            {
                signed_by = key.to_owned();
            }
        }
        let mut words = rest.split_whitespace();
        let uri = words.next()?.to_owned();
        let usable = words.skip(1).any(|word| word == "main") && !uri.contains("security");
        usable.then_some(Mirror { uri, signed_by })
    })
}

/// Replaces links that point into `/etc` of a whole system by the files they mean below `root`.
pub fn resolve_etc_links(folder: &Path, root: &Path) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?
    {
        let path = entry?.path();
        let kind = fs::symlink_metadata(&path)?.file_type();
        if kind.is_dir() {
            resolve_etc_links(&path, root)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(&path)?;
            let Ok(inside) = target.strip_prefix("/etc") else {
                continue;
            };
            fs::remove_file(&path)?;
            let meant = root.join("etc").join(inside);
            // A package names some files that only its installation scripts make.
            if meant.is_file() {
                fs::copy(meant, &path)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_main_entry_of_either_form_is_the_mirror() {
        let stanzas = "Types: deb\nURIs: http://mirror.test/debian-security\nSuites: a-security\nComponents: main\n\n\
                       Types: deb\n# why\nURIs: http://mirror.test/debian\nSuites: a b\nComponents: main contrib\nSigned-By: /k.gpg\n";
        let expected = Mirror {
            uri: "http://mirror.test/debian".into(),
            signed_by: "/k.gpg".into(),
        };
        assert_eq!(stanza_mirror(stanzas), Some(expected));

        let lines = "# deb http://old.test/debian a main\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian a main\n";
        let expected = Mirror {
            uri: "http://mirror.test/debian".into(),
            signed_by: "/k.gpg".into(),
        };
        assert_eq!(line_mirror(lines), Some(expected));
        assert_eq!(line_mirror("deb http://mirror.test/debian a contrib"), None);
    }
}
