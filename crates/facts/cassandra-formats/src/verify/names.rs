//! The components that exist, compared with those that must exist and those that TOC.txt names.

use crate::error::Damage;
use crate::toc::parse_toc;
use crate::version::Format;
use crate::{COMPRESSION_INFO, CRC, DATA, INDEX, PARTITIONS, ROWS, STATISTICS, TOC};

/// The components that no SSTable of a format can be read without.
fn required(format: Format) -> &'static [&'static str] {
    match format {
        Format::Big => &[DATA, INDEX, STATISTICS],
        Format::Bti => &[DATA, PARTITIONS, ROWS, STATISTICS],
    }
}

/// Reports required components that are missing, whatever TOC.txt says.
pub fn check_required(names: &[String], format: Format) -> Vec<Damage> {
    required(format)
        .iter()
        .filter(|component| !names.iter().any(|name| name == *component))
        .map(|component| Damage::whole(*component, "the component is missing"))
        .collect()
}

/// Reports components that TOC.txt names and that are missing. Filter.db, Summary.db and index components may be
/// missing: Cassandra rebuilds them, and appends to the TOC of an SSTable whose files a snapshot has linked before.
pub fn check_toc(toc: &[u8], names: &[String]) -> Vec<Damage> {
    let listed = match parse_toc(toc) {
        Ok(listed) => listed,
        Err(damage) => return vec![damage],
    };
    listed
        .iter()
        .filter(|component| !is_rebuilt(component) && !names.contains(component))
        .map(|component| Damage::whole(TOC, format!("names {component}, which is missing")))
        .collect()
}

/// Reports components that exist and that TOC.txt does not name. Cassandra 3.11 leaves such files behind when it
/// builds a SASI index.
pub fn unnamed(toc: &[u8], names: &[String]) -> Vec<String> {
    let listed = parse_toc(toc).unwrap_or_default();
    [DATA, COMPRESSION_INFO, CRC]
        .iter()
        .filter(|component| names.iter().any(|name| name == *component))
        .filter(|component| !listed.iter().any(|name| name == *component))
        .map(|component| format!("{TOC}: does not name {component}, which exists"))
        .collect()
}

fn is_rebuilt(component: &str) -> bool {
    matches!(component, "Filter.db" | "Summary.db")
        || component.starts_with("SAI")
        || component.starts_with("SI_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_the_toc_names_must_be_there() {
        let all = names(&[DATA, INDEX, STATISTICS, COMPRESSION_INFO, TOC]);
        let toc = b"Data.db\nIndex.db\nStatistics.db\nCompressionInfo.db\nTOC.txt\nSummary.db\nSAI+aa+i+Meta.db\n";
        assert_eq!(check_toc(toc, &all), []);

        let without = names(&[DATA, INDEX, STATISTICS, TOC]);
        let damage = check_toc(toc, &without);
        assert_eq!(damage.len(), 1);
        assert!(damage[0].what.contains(COMPRESSION_INFO));
    }

    #[test]
    fn what_the_toc_does_not_name_is_unusual_but_not_damage() {
        let all = names(&[DATA, COMPRESSION_INFO, TOC]);
        assert_eq!(check_toc(b"Data.db\nTOC.txt\n", &all), []);
        let odd = unnamed(b"Data.db\nTOC.txt\n", &all);
        assert_eq!(odd.len(), 1);
        assert!(odd[0].contains(COMPRESSION_INFO));
    }

    #[test]
    fn each_format_has_its_own_required_components() {
        assert_eq!(
            check_required(&names(&[DATA, INDEX, STATISTICS]), Format::Big),
            []
        );
        assert_eq!(
            check_required(&names(&[DATA, INDEX, STATISTICS]), Format::Bti).len(),
            2
        );
    }
}
