//! What the settings of an agent state about its node, and how that fits what the node shows.

use super::signs::{Evidence, Form, Hcd, Signs};
use crate::{Product, Release, ReleaseError};

/// The product, and perhaps its version, as the settings of an agent state them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    product: Product,
    version: Option<String>,
}

impl Stated {
    /// Fails if the version is none of the product's.
    pub fn new(product: Product, version: Option<&str>) -> Result<Self, ReleaseError> {
        if let Some(version) = version {
            Release::new(product, version)?;
        }
        Ok(Self {
            product,
            version: version.map(str::to_owned),
        })
    }

    /// The release of a node that shows nothing against it; `seen` is what the node shows. A version that the node reports
    /// itself may be more exact than the one stated.
    pub(super) fn release(
        &self,
        evidence: &Evidence,
        signs: &Signs,
        seen: Release,
    ) -> Result<Release, ReleaseError> {
        match (&evidence.form, &self.version) {
            (Form::Dse(_) | Form::NamesHcd(_), _) => Ok(seen),
            (Form::Apache, _) if self.product == Product::Cassandra => Ok(seen),
            (_, Some(version)) => Release::new(self.product, version),
            (_, None) if self.product == Product::Hcd => {
                Ok(Release::hcd_built_on(&signs.release_version).unwrap_or(seen))
            }
            (_, None) => Ok(seen.without_commit()),
        }
    }

    /// What the node shows that contradicts it, each in a sentence; `seen` is what it shows as a whole.
    pub(super) fn contradictions(
        &self,
        signs: &Signs,
        evidence: &Evidence,
        seen: &Release,
    ) -> Vec<String> {
        let stated = self.product;
        let reported = match evidence.form {
            Form::Dse(_) => Some(Product::Dse),
            Form::NamesHcd(_) => Some(Product::Hcd),
            Form::Apache | Form::WithCommit | Form::Other => None,
        };
        if let Some(reported) = reported.filter(|reported| *reported != stated) {
            return vec![format!(
                "the setting `product` says {stated}, and the node reports {reported}"
            )];
        }
        let mut against = match stated {
            Product::Cassandra => of_cassandra(evidence),
            Product::Dse if reported.is_none() => vec![
                "the setting `product` says dse, and system.local has no dse_version".to_owned(),
            ],
            Product::Dse => evidence.against_dse(),
            Product::Hcd => of_hcd(signs, evidence),
        };
        against.extend(self.against_version(signs, evidence, seen));
        against
    }

    fn against_version(
        &self,
        signs: &Signs,
        evidence: &Evidence,
        seen: &Release,
    ) -> Option<String> {
        let stated = self.version.as_deref()?;
        let version = &signs.release_version;
        let (fits, shown) = match (self.product, &evidence.form) {
            (Product::Hcd, Form::NamesHcd(hcd)) => (begins_with(hcd, stated), hcd),
            (Product::Dse, Form::Dse(dse)) => (begins_with(dse, stated), dse),
            // Of HCD's own version only the line is visible.
            (Product::Hcd, _) => (Hcd::built_on(stated) == Hcd::of_base(version), version),
            (Product::Dse, _) => return None,
            (Product::Cassandra, _) => (begins_with(&seen.version, stated), version),
        };
        let why =
            || format!("the setting `product_version` says {stated}, and the node reports {shown}");
        (!fits).then(why)
    }
}

/// Whether the numbers of a version are those stated, as far as these go.
fn begins_with(version: &str, stated: &str) -> bool {
    let numbers = |version: &str| {
        Release::new(Product::Cassandra, version)
            .map(|release| release.numbers())
            .unwrap_or_default()
    };
    let stated = numbers(stated);
    !stated.is_empty() && numbers(version).starts_with(&stated)
}

fn of_cassandra(evidence: &Evidence) -> Vec<String> {
    let of_hcd =
        |what: String| format!("the setting `product` says cassandra, and {what} is of HCD");
    evidence.of_hcd().map(of_hcd).collect()
}

fn of_hcd(signs: &Signs, evidence: &Evidence) -> Vec<String> {
    let version = &signs.release_version;
    if let Form::NamesHcd(hcd) = &evidence.form {
        return evidence.against_hcd(Hcd::built_on(hcd));
    }
    let Some(line) = Hcd::of_base(version) else {
        return vec![format!(
            "the setting `product` says hcd, which is built on Cassandra 4.0 or 5.0, and the node reports the version {version}"
        )];
    };
    let mut against = evidence.against_hcd(Some(line));
    if evidence.form == Form::Apache && !evidence.is_converged_at_all() {
        against.push(format!(
            "the setting `product` says hcd, the version {version} has the form of Apache Cassandra's, and nothing of HCD was seen"
        ));
    }
    against
}
