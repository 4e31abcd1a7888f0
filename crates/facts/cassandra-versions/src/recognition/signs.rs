//! What a node shows of itself, and what each of it speaks for and against.
//!
//! The facts were found on nodes of the public source of Converged Cassandra (CC4 is the base of HCD 1.x, CC5 that of
//! HCD 2.x) and compared with Apache Cassandra 4.0 to 5.0; the versions of HCD and DSE are those that public sources show.

use std::collections::BTreeSet;

use crate::{Product, Release};

/// What a node shows that tells products apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signs {
    /// `release_version` of system.local.
    pub release_version: String,
    /// `dse_version` of system.local, a column that only DSE has.
    pub dse_version: Option<String>,
    /// The names of the virtual tables of system_views; none if the node has none or they could not be read.
    pub views: BTreeSet<String>,
    /// The names of the settings in system_views.settings; none if the node has none or they could not be read.
    pub settings: BTreeSet<String>,
    /// The CQL type of the column `memtable` of system_schema.tables; none if there is no such column.
    pub memtable_type: Option<String>,
    /// The formats of the SSTables in the system keyspaces, which the node wrote itself, for example `big-nb`.
    pub written_formats: BTreeSet<String>,
}

/// Of Converged Cassandra, and not of Apache Cassandra up to 5.0.
const CONVERGED_VIEWS: [&str; 3] = ["indexes", "sstable_indexes", "sstable_index_segments"];
const CONVERGED_SETTINGS: [&str; 3] = [
    "emulate_dbaas_defaults",
    "metadata_directory",
    "storage_flags",
];
/// CC5 shows the parts of `storage_flags` one by one.
const STORAGE_FLAGS: &str = "storage_flags.";
/// Of CC4, which has no real system.local; CC5 has one again.
const CC4_VIEWS: [&str; 3] = ["local_node", "peer_nodes", "peer_v2_nodes"];
/// Of CC4. Cassandra 4.1, where it came from, has it under another name.
const CC4_SETTING: &str = "enable_uuid_sstable_identifiers";
/// The versions of tries that only Converged Cassandra writes. Those before are DSE's, `da` is Cassandra 5.0's.
const CONVERGED_FORMATS: [&str; 3] = ["bti-ca", "bti-cb", "bti-cc"];
/// Converged Cassandra neither writes nor reads it.
const APACHE_TRIES: &str = "bti-da";

/// The form of a node's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// It reports a version of DSE.
    Dse(String),
    /// The version names HCD, and what follows it. No public source shows that, and nothing else would.
    NamesHcd(String),
    /// Three numbers, and at most one of the suffixes that Apache uses.
    Apache,
    /// A base version, a hyphen and 12 hex digits, as HCD and Astra report it.
    WithCommit,
    Other,
}

impl Form {
    fn of(signs: &Signs) -> Self {
        let version = &signs.release_version;
        if let Some(dse) = &signs.dse_version {
            return Self::Dse(dse.clone());
        }
        // system.local has `-` of a suffix as `.`.
        let named = ["hcd-", "hcd."]
            .iter()
            .find_map(|name| version.split_once(name));
        if let Some((_, hcd)) = named {
            return Self::NamesHcd(hcd.to_owned());
        }
        match Release::new(Product::Cassandra, version) {
            Ok(release) if release.has_commit() => Self::WithCommit,
            Ok(release) if release.has_form_of_apache() => Self::Apache,
            _ => Self::Other,
        }
    }
}

/// A line of HCD, by the Cassandra release that it is built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hcd {
    One,
    Two,
}

impl Hcd {
    /// By the version that a node reports.
    pub fn of_base(version: &str) -> Option<Self> {
        let hcd = Release::hcd_built_on(version)?;
        Self::built_on(&hcd.version)
    }

    /// By a version of HCD.
    pub fn built_on(version: &str) -> Option<Self> {
        match Release::new(Product::Hcd, version).ok()?.line() {
            (1, _) => Some(Self::One),
            (2, _) => Some(Self::Two),
            _ => None,
        }
    }
}

/// What was found among the signs.
pub(super) struct Evidence {
    pub form: Form,
    /// Of Converged Cassandra of any line.
    converged: Vec<String>,
    /// Of CC4 alone.
    cc4: Vec<String>,
    memtable: Memtable,
    writes_apache_tries: bool,
    /// How much could be read at all.
    views: usize,
    settings: usize,
}

/// What `system_schema.tables.memtable` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memtable {
    Absent,
    /// Of Cassandra 4.1 and later, and of CC5.
    Text,
    /// Of CC4, and of CC5 while it stays compatible with it.
    Map,
}

impl Evidence {
    pub fn of(signs: &Signs) -> Self {
        let views = |wanted: &[&str]| shown("view", wanted, &signs.views);
        let memtable = match signs.memtable_type.as_deref() {
            None => Memtable::Absent,
            Some(cql) if cql.contains("map<") => Memtable::Map,
            Some(_) => Memtable::Text,
        };
        let mut converged = views(&CONVERGED_VIEWS);
        converged.extend(shown("setting", &CONVERGED_SETTINGS, &signs.settings));
        if let Some(flag) = signs
            .settings
            .iter()
            .find(|it| it.starts_with(STORAGE_FLAGS))
        {
            converged.push(format!("setting {flag}"));
        }
        converged.extend(shown("format", &CONVERGED_FORMATS, &signs.written_formats));
        if memtable == Memtable::Map {
            converged.push("memtable is a map".to_owned());
        }
        let mut cc4 = views(&CC4_VIEWS);
        let base = Release::new(Product::Cassandra, &signs.release_version);
        if base.is_ok_and(|base| base.line() == (4, 0)) {
            cc4.extend(shown("setting", &[CC4_SETTING], &signs.settings));
        }
        Self {
            form: Form::of(signs),
            converged,
            cc4,
            memtable,
            writes_apache_tries: signs.written_formats.contains(APACHE_TRIES),
            views: signs.views.len(),
            settings: signs.settings.len(),
        }
    }

    /// In the order in which it is shown.
    pub fn seen(&self, signs: &Signs) -> Vec<String> {
        let mut seen = vec![format!("release_version {}", signs.release_version)];
        if let Some(dse) = &signs.dse_version {
            seen.push(format!("dse_version {dse}"));
        }
        seen.extend(self.of_hcd());
        if self.memtable == Memtable::Text {
            seen.push("memtable is a text".to_owned());
        }
        let known = |format: &&String| !CONVERGED_FORMATS.contains(&format.as_str());
        let others = signs.written_formats.iter().filter(known);
        seen.extend(others.map(|format| format!("format {format}")));
        if self.views > 0 && !seen.iter().any(|it| it.starts_with("view ")) {
            seen.push("no view of HCD".to_owned());
        }
        if self.settings > 0 && !seen.iter().any(|it| it.starts_with("setting ")) {
            seen.push("no setting of HCD".to_owned());
        }
        seen
    }

    /// All that only HCD has.
    pub fn of_hcd(&self) -> impl Iterator<Item = String> {
        self.converged.iter().chain(&self.cc4).cloned()
    }

    /// Whether anything but the version speaks for this line.
    pub fn is_converged(&self, line: Hcd) -> bool {
        !self.converged.is_empty() || line == Hcd::One && !self.cc4.is_empty()
    }

    pub fn is_converged_at_all(&self) -> bool {
        !self.converged.is_empty() || !self.cc4.is_empty()
    }

    pub fn against_apache(&self, version: &str) -> Vec<String> {
        let why = |what: String| {
            format!(
                "{what} is of HCD, and the version {version} has the form of Apache Cassandra's"
            )
        };
        self.of_hcd().map(why).collect()
    }

    pub fn against_dse(&self) -> Vec<String> {
        let why = |what: String| format!("{what} is of HCD, and dse_version is of DSE");
        self.of_hcd().map(why).collect()
    }

    /// A line that is not known has nothing against it but what no line of HCD has.
    pub fn against_hcd(&self, line: Option<Hcd>) -> Vec<String> {
        let mut against = Vec::new();
        if self.writes_apache_tries {
            against.push(format!(
                "HCD does not write {APACHE_TRIES}, which the node has written"
            ));
        }
        if line == Some(Hcd::One) && self.memtable == Memtable::Text {
            against.push("memtable is a text, and on HCD 1.x it is a map".to_owned());
        }
        if line == Some(Hcd::Two) {
            let of_one = self.cc4.iter();
            against.extend(of_one.map(|what| format!("{what} is of HCD 1.x, and not of HCD 2.x")));
        }
        against
    }
}

fn shown(what: &str, wanted: &[&str], among: &BTreeSet<String>) -> Vec<String> {
    let found = wanted.iter().filter(|name| among.contains(**name));
    found.map(|name| format!("{what} {name}")).collect()
}
