//! SSTable file names: `<version>-<id>-<format>-<component>`.
//!
//! A name consists of two letters of version, an identifier (a sequence number, a UUID-based identifier in base 36,
//! or a ULID), the format (`big` or `bti`) and the component, which may contain `+`. See `Descriptor` and `SSTableId`
//! of Cassandra.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a file name is not that of an SSTable component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not an SSTable component: {why}")]
pub struct NameError {
    /// The name as it was given.
    pub name: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

/// A format with its version letters. The letters alone mean nothing, because `big` and `bti` have versions of their
/// own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FormatVersion {
    /// `big` or `bti`.
    pub format: String,
    /// Two letters, for example `nb`.
    pub version: String,
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.format, self.version)
    }
}

impl From<FormatVersion> for String {
    fn from(value: FormatVersion) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for FormatVersion {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        match text.split_once('-') {
            Some((format, version)) if is_format(format) && is_version(version) => Ok(Self {
                format: format.to_owned(),
                version: version.to_owned(),
            }),
            _ => Err(NameError {
                name: text,
                why: "a format version reads like big-nb",
            }),
        }
    }
}

impl std::str::FromStr for FormatVersion {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.to_owned().try_into()
    }
}

/// The part of the name that all components of one SSTable share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Descriptor {
    /// The format and its version.
    pub format: FormatVersion,
    /// The SSTable's identifier as it is written, in its own case.
    pub id: String,
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}-{}",
            self.format.version, self.id, self.format.format
        )
    }
}

/// How a backup treats a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// Data.db, the rows. An SSTable without it is lost.
    Data,
    /// Never rewritten once the SSTable is finished, so a file of the same name and size is probably the same.
    Immutable,
    /// Rewritten or appended to while the SSTable lives: Statistics, Summary, Filter, TOC.
    Mutable,
}

impl Component {
    /// Classifies a component by its name, for example `Data.db`.
    pub fn of(name: &str) -> Self {
        match name {
            "Data.db" => Self::Data,
            "Statistics.db" | "Summary.db" | "Filter.db" | "TOC.txt" => Self::Mutable,
            _ => Self::Immutable,
        }
    }
}

/// Whether a component belongs to an index that is attached to the SSTable (SAI, SASI); those can be built again.
pub fn is_attached_index(component: &str) -> bool {
    component.starts_with("SAI") || component.starts_with("SI_")
}

/// Splits a file name (`nb-1-big-Data.db`) into its SSTable and its component.
pub fn parse_file_name(name: &str) -> Result<(Descriptor, &str), NameError> {
    let fail = |why| NameError {
        name: name.to_owned(),
        why,
    };
    let mut parts = name.splitn(4, '-');
    let (Some(version), Some(id), Some(format), Some(component)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(fail("fewer than four parts"));
    };
    if !is_version(version) {
        return Err(fail("the version is not two lower-case letters"));
    }
    if !is_format(format) {
        return Err(fail("the format is neither big nor bti"));
    }
    if !is_id(id) {
        return Err(fail(
            "the id is neither a number, a UUID-based identifier nor a ULID",
        ));
    }
    if !is_component(component) {
        return Err(fail("the component is unfinished or not one"));
    }
    let descriptor = Descriptor {
        format: FormatVersion {
            format: format.to_owned(),
            version: version.to_owned(),
        },
        id: id.to_owned(),
    };
    Ok((descriptor, component))
}

fn is_version(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase())
}

fn is_format(text: &str) -> bool {
    matches!(text, "big" | "bti")
}

/// Names also come from manifests and become parts of paths, so a name that could leave its folder is not a component.
fn is_component(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'_');
    !text.is_empty() && text.bytes().all(allowed) && !text.contains("..") && !text.ends_with(".tmp")
}

fn is_id(text: &str) -> bool {
    let sequence = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let ulid = text.len() == 26 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    sequence || ulid || is_uuid_based(text)
}

/// `dddd_ssss_nnnnnrrrrrrrrrrrrr`: days, seconds, ticks and the lower half of a version 1 UUID, in base 36.
fn is_uuid_based(text: &str) -> bool {
    let parts: Vec<&str> = text.split('_').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 4, 18]
        && parts
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(&str, &str)>) {
        let parsed = parse_file_name(name)
            .ok()
            .map(|(descriptor, component)| (descriptor.to_string(), component.to_owned()));
        let expected = expected.map(|(d, c)| (d.to_owned(), c.to_owned()));
        assert_eq!(parsed, expected, "{name}");
    }

    #[test]
    fn names_of_every_id_kind_are_understood() {
        check("nb-12-big-Data.db", Some(("nb-12-big", "Data.db")));
        check(
            "da-3h5q_0yyx_2et0025xiqfm4amign-bti-Rows.db",
            Some(("da-3h5q_0yyx_2et0025xiqfm4amign-bti", "Rows.db")),
        );
        check(
            "cc-01HSAVY3JB8QZ4V7T7W9M2X0AB-bti-Data.db",
            Some(("cc-01HSAVY3JB8QZ4V7T7W9M2X0AB-bti", "Data.db")),
        );
        check(
            "oa-3-big-SAI+aa+idx+ColumnComplete.db",
            Some(("oa-3-big", "SAI+aa+idx+ColumnComplete.db")),
        );
        for component in [
            "SAI+db+1+by_Name+PostingLists.db",
            // Of each SSTable, as Converged Cassandra names them, and of each index.
            "SAI+db+GroupMeta.db",
            "SAI+db+GroupComplete.db",
            "SAI+db+TokenValues.db",
            "SAI+db+PrimaryKeyTrie.db",
            "SAI+db+PrimaryKeyBlocks.db",
            "SAI+db+PrimaryKeyBlockOffsets.db",
            "SAI+db+one_v+Meta.db",
            "SAI+db+one_v+ColumnComplete.db",
            "SAI+db+one_v+TermsData.db",
            "SAI+db+one_v+PQ.db",
            "SI_by_name.db",
            "Digest.crc32",
            "Digest.sha1",
            "CRC.db",
            "Statistics.db",
            "TOC.txt",
        ] {
            let name = format!("nb-1-big-{component}");
            check(&name, Some(("nb-1-big", component)));
        }
    }

    #[test]
    fn what_is_not_a_finished_component_is_refused() {
        for name in [
            "manifest.json",
            "schema.cql",
            "nb_txn_flush_5a1c395e.log",
            "nb-1-big-Statistics.db.tmp",
            "ks-cf-ka-1-Data.db",
            "nb-1-Data.db",
            "NB-1-big-Data.db",
            "nb--big-Data.db",
            "",
        ] {
            check(name, None);
        }
    }

    #[test]
    fn a_component_cannot_lead_out_of_its_folder() {
        for component in [
            "a/b",
            "x/../../etc/cassandra/jvm.options",
            "..",
            "x..",
            "Data.db/",
            "/Data.db",
            "Data.db\0",
            "Data.db\n",
            "Data db",
            "Data\\db",
            "D\u{e4}ta.db",
            "",
        ] {
            check(&format!("nb-1-big-{component}"), None);
        }
    }

    proptest::proptest! {
        /// Mutations of a real name, so that most of the parts stay valid.
        #[test]
        fn whatever_is_understood_is_one_name_in_a_folder(
            at in 0usize..17,
            with in "[/.\\\\+_a-z0-9\\PC]{0,4}",
        ) {
            let mut name = "nb-1-big-Index.db".to_owned();
            name.insert_str(at, &with);
            if let Ok((descriptor, component)) = parse_file_name(&name) {
                proptest::prop_assert_eq!(format!("{}-{}", descriptor, component), name.clone());
                let path = std::path::Path::new(&name);
                let parts: Vec<_> = path.components().collect();
                proptest::prop_assert_eq!(parts, [std::path::Component::Normal(name.as_ref())]);
            }
        }
    }

    #[test]
    fn format_versions_read_back_as_written() {
        let parsed: FormatVersion = "big-nb".parse().expect("valid");
        assert_eq!(parsed.to_string(), "big-nb");
        assert!("nb".parse::<FormatVersion>().is_err());
    }
}
