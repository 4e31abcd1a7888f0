//! The known word that a mistyped one was probably meant to be.

/// More edits than this make another word.
const EDITS_MAX: usize = 3;

/// The candidate that is fewest edits away, case aside; none if all are too far.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = EDITS_MAX.min(word.chars().count() / 2);
    let edits = candidates.into_iter().map(|candidate| {
        let bare = candidate.to_lowercase();
        let is_longer_form = word.len() > 3 && (bare.starts_with(&word) || word.starts_with(&bare));
        let edits = match is_longer_form {
            true => 0,
            false => distance(&word, &bare),
        };
        (edits, candidate)
    });
    let best = edits.min_by_key(|(edits, _)| *edits);
    best.filter(|(edits, _)| *edits <= limit)
        .map(|(_, candidate)| candidate)
}

/// Characters that are added, left out or exchanged between two words.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, left) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, right) in to.iter().enumerate() {
            let exchanged = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_is_recognised_and_another_word_is_not() {
        let words = ["upgradesstables", "cleanup", "compact", "maxConcurrentPods"];
        for (mistyped, meant) in [
            ("upgradesstable", Some("upgradesstables")),
            ("upgradeSSTables", Some("upgradesstables")),
            ("clenup", Some("cleanup")),
            ("compaction", Some("compact")),
            ("maxConcurentPods", Some("maxConcurrentPods")),
            ("move", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(mistyped, words), meant, "{mistyped}");
        }
    }
}
