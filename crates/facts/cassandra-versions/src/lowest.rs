//! The lowest release of a cluster whose nodes are being upgraded.

use crate::Release;

/// Releases that have no order, because they are of different products.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("one runs {one}, another {other}")]
pub struct MixedProducts {
    /// The release of one node.
    pub one: Release,
    /// The release, of another product, of another node.
    pub other: Release,
}

/// The lowest of some releases of one product: what a target of a backup must at least be able to follow. The first of
/// equal ones; none if there are no releases.
pub fn lowest<'a>(
    releases: impl IntoIterator<Item = &'a Release>,
) -> Result<Option<&'a Release>, MixedProducts> {
    let mut lowest: Option<&Release> = None;
    for release in releases {
        let Some(seen) = lowest else {
            lowest = Some(release);
            continue;
        };
        if release.product != seen.product {
            return Err(MixedProducts {
                one: seen.clone(),
                other: release.clone(),
            });
        }
        if release.cmp_version(seen).is_lt() {
            lowest = Some(release);
        }
    }
    Ok(lowest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_is_found_by_its_numbers_among_releases_of_one_product() {
        for (releases, expected) in [
            (&[][..], Ok("")),
            (&["cassandra 4.1.9"], Ok("cassandra 4.1.9")),
            (
                &["cassandra 4.1.10", "cassandra 4.1.9", "cassandra 5.0.2"],
                Ok("cassandra 4.1.9"),
            ),
            (
                &["cassandra 4.1.9", "dse 6.8.50"],
                Err("one runs cassandra 4.1.9, another dse 6.8.50"),
            ),
        ] {
            let releases: Vec<Release> = releases
                .iter()
                .map(|text| text.parse().expect("a release"))
                .collect();
            let found = lowest(&releases)
                .map(|found| found.map(ToString::to_string).unwrap_or_default())
                .map_err(|error| error.to_string());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected, "{releases:?}");
        }
    }
}
