//! Words for people: lists that stay short, figures with units.

/// The most names that a sentence lists before it counts the rest.
const NAMES_MAX: usize = 8;

/// `a, b and 3 more`.
pub(crate) fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    let shown = names.len().min(NAMES_MAX);
    let text = names[..shown].join(", ");
    match names.len() - shown {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// `1.5 GiB`; below a KiB exact.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // Compared as shown: 1023.96 would be rounded to 1024.0 of the smaller unit.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1 h 5 min`; the two largest units.
pub fn duration(seconds: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let first = UNITS
        .iter()
        .position(|(_, unit)| seconds >= *unit)
        .unwrap_or(UNITS.len() - 1);
    let (name, unit) = UNITS[first];
    let mut out = format!("{} {name}", seconds / unit);
    if let Some((name, smaller)) = UNITS.get(first + 1)
        && seconds % unit / smaller > 0
    {
        out.push_str(&format!(" {} {name}", seconds % unit / smaller));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_two_largest_units() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_725, "1 h 2 min"),
            (90_000, "1 d 1 h"),
            (86_460, "1 d"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn long_lists_are_counted() {
        assert_eq!(list(["a", "b"]), "a, b");
        assert_eq!(list(1..=10), "1, 2, 3, 4, 5, 6, 7, 8 and 2 more");
    }

    #[test]
    fn sizes_grow_through_the_units() {
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }
}
