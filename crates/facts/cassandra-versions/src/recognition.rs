//! Which product a node runs, from several signs that agree.
//!
//! DSE reports a version of its own. HCD does not: it reports the version of the Cassandra release that it is built on
//! with a commit at its end, which other builds may do too. So a version of that form counts only together with
//! something else that Converged Cassandra, the base of HCD, has and Apache Cassandra has not. Signs that do not agree
//! decide nothing: such a node is an unknown build.

mod signs;
mod stated;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Product, Release, ReleaseError};

pub use signs::Signs;
pub use stated::Stated;

use signs::{Evidence, Form, Hcd};

/// How far it is known which product a node runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The agent is of a release that does not report it.
    #[default]
    NotReported,
    /// What was seen does not agree, or is not enough: an unknown build.
    Unknown,
    /// The settings of the agent state something else than the node shows.
    Contradicted,
    /// The node does not report its product; what was seen agrees.
    Inferred,
    /// The node reports it, and nothing that was seen contradicts.
    Reported,
    /// The settings of the agent state it, and nothing that was seen contradicts.
    Stated,
}

impl Confidence {
    /// The word that text and JSON have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReported => "not_reported",
            Self::Unknown => "unknown_build",
            Self::Contradicted => "contradicted",
            Self::Inferred => "inferred",
            Self::Reported => "reported",
            Self::Stated => "stated",
        }
    }

    /// Each of them.
    pub fn all() -> [Self; 6] {
        [
            Self::NotReported,
            Self::Unknown,
            Self::Contradicted,
            Self::Inferred,
            Self::Reported,
            Self::Stated,
        ]
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a node's product was recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognition {
    /// How far the product is known.
    pub confidence: Confidence,
    /// What was seen that tells products apart, each in a few words.
    pub seen: Vec<String>,
    /// What contradicts what else was seen or stated, each in a sentence; empty if nothing does.
    pub contradictions: Vec<String>,
}

impl Recognition {
    /// Whether the node is of a build that is not known, judged by the version alone if its agent reports no more.
    pub fn is_unknown(&self, release: &Release) -> bool {
        match self.confidence {
            Confidence::Unknown => true,
            Confidence::NotReported => release.is_unknown_build(),
            Confidence::Contradicted
            | Confidence::Inferred
            | Confidence::Reported
            | Confidence::Stated => false,
        }
    }
}

/// What a node is, from what it shows and from what the settings of its agent state. An unknown build is a release of
/// Cassandra with the version that the node reports. Fails if that is no version.
pub fn recognise(
    signs: &Signs,
    stated: Option<&Stated>,
) -> Result<(Release, Recognition), ReleaseError> {
    let evidence = Evidence::of(signs);
    let (seen, mut recognition) = seen(signs, &evidence)?;
    recognition.seen = evidence.seen(signs);
    let Some(stated) = stated else {
        return Ok((seen, recognition));
    };
    let against = stated.contradictions(signs, &evidence, &seen);
    if !against.is_empty() {
        recognition.confidence = Confidence::Contradicted;
        recognition.contradictions = against;
        return Ok((seen, recognition));
    }
    recognition.confidence = Confidence::Stated;
    recognition.contradictions.clear();
    Ok((stated.release(&evidence, signs, seen)?, recognition))
}

/// By the signs alone.
fn seen(signs: &Signs, evidence: &Evidence) -> Result<(Release, Recognition), ReleaseError> {
    let version = &signs.release_version;
    let (product, version, contradictions) = match &evidence.form {
        Form::Dse(dse) => (Product::Dse, dse, evidence.against_dse()),
        Form::NamesHcd(hcd) => (Product::Hcd, hcd, evidence.against_hcd(Hcd::built_on(hcd))),
        Form::Apache => (
            Product::Cassandra,
            version,
            evidence.against_apache(version),
        ),
        Form::WithCommit => return inferred(signs, evidence),
        Form::Other => {
            let why = format!("the version {version} has the form of no known product");
            return unknown(version, vec![why]);
        }
    };
    if !contradictions.is_empty() {
        return unknown(&signs.release_version, contradictions);
    }
    let recognition = Recognition {
        confidence: Confidence::Reported,
        ..Recognition::default()
    };
    Ok((Release::new(product, version)?, recognition))
}

/// The form of the version is one sign of HCD; at least one other must agree and none contradict.
fn inferred(signs: &Signs, evidence: &Evidence) -> Result<(Release, Recognition), ReleaseError> {
    let version = &signs.release_version;
    let Some(line) = Hcd::of_base(version) else {
        let why = format!("no known product is built on the Cassandra release of {version}");
        return unknown(version, vec![why]);
    };
    let mut contradictions = evidence.against_hcd(Some(line));
    if contradictions.is_empty() && !evidence.is_converged(line) {
        contradictions.push(format!(
            "the version {version} has the form of HCD's, and nothing else of HCD was seen"
        ));
    }
    match Release::hcd_built_on(version) {
        Some(hcd) if contradictions.is_empty() => {
            let recognition = Recognition {
                confidence: Confidence::Inferred,
                ..Recognition::default()
            };
            Ok((hcd, recognition))
        }
        _ => unknown(version, contradictions),
    }
}

fn unknown(
    version: &str,
    contradictions: Vec<String>,
) -> Result<(Release, Recognition), ReleaseError> {
    let recognition = Recognition {
        confidence: Confidence::Unknown,
        seen: Vec::new(),
        contradictions,
    };
    Ok((Release::new(Product::Cassandra, version)?, recognition))
}

/// What a node was whose backup knows only its version and the formats of its SSTables: HCD if both agree. Agents did
/// not always recognise HCD.
pub fn recognise_source(release: &Release, formats: &[&str]) -> Release {
    if release.product != Product::Cassandra {
        return release.clone();
    }
    let signs = Signs {
        release_version: release.version.clone(),
        written_formats: formats.iter().map(|format| (*format).to_owned()).collect(),
        ..Signs::default()
    };
    match recognise(&signs, None) {
        Ok((recognised, how)) if how.confidence == Confidence::Inferred => recognised,
        _ => release.clone(),
    }
}

#[cfg(test)]
mod tests;
