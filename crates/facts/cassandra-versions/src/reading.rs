//! Whether a node reads a format, and if not, what would have to happen first.

use crate::formats::{FormatRow, format_rows};
use crate::{Line, Release};

/// Whether and how a node can read a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// It reads it as it is.
    Reads,
    /// Its release reads it in another `storage_compatibility_mode`.
    InAnotherMode,
    /// This line reads it, and rewrites it into a later version of the same format, which the node reads.
    AfterRewriteOn(Line),
    /// No listed line turns a file of this format into one that the node reads.
    Never,
}

/// Whether and how a node of this release, which reads `readable`, can read a format.
pub fn reading(release: &Release, readable: &[String], format: &str) -> Reading {
    let reads = |format: &str| readable.iter().any(|readable| readable == format);
    if reads(format) {
        return Reading::Reads;
    }
    let rows = || format_rows().filter(|row| row.reads.contains(&format));
    let other_mode = |row: &FormatRow| row.settings.is_some() && row.line.contains(release);
    if rows().any(|row| other_mode(&row)) {
        return Reading::InAnotherMode;
    }
    let rewrites = |row: &FormatRow| is_later(row.writes, format) && reads(row.writes);
    rows()
        .find(rewrites)
        .map_or(Reading::Never, |row| Reading::AfterRewriteOn(row.line))
}

/// The lines that read a format, in some settings.
pub fn lines_that_read(format: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in format_rows().filter(|row| row.reads.contains(&format)) {
        if !lines.contains(&row.line) {
            lines.push(row.line);
        }
    }
    lines
}

/// Whether `nodetool upgradesstables` would rewrite a format on a node for which these are current. It rewrites what
/// is older than the latest version of its own format, and `big` if only `bti` is written.
pub fn is_older(format: &str, current: &[&str]) -> bool {
    let mut same_family = current
        .iter()
        .filter(|current| family(current) == family(format))
        .peekable();
    match same_family.peek() {
        Some(_) => same_family.all(|current| is_later(current, format)),
        None => family(format) == "big",
    }
}

/// Whether plain `nodetool upgradesstables` may leave a file of this older format as it is. It skips the latest version of
/// each format: on a node that writes `bti` alone that is `nb`, and only `-a` rewrites it.
pub fn may_be_skipped(format: &str, current: &[&str]) -> bool {
    let is_same_family = |current: &&str| family(current) == family(format);
    !current.iter().any(is_same_family)
}

fn family(format: &str) -> &str {
    format.split_once('-').map_or(format, |(family, _)| family)
}

/// Within one format versions are ordered by their letters.
fn is_later(format: &str, than: &str) -> bool {
    family(format) == family(than) && format > than
}

impl Release {
    /// The formats that count as current on a node: those that its settings may make it write, and the one that it
    /// reports as written (`written`, empty if it reports none).
    pub fn current_formats<'a>(&self, readable: &[String], written: &'a str) -> Vec<&'a str> {
        let mut current: Vec<&'a str> = crate::current_formats(self, readable);
        if !written.is_empty() && !current.contains(&written) {
            current.push(written);
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{C3_11, C5_0, DSE6_8, HCD1, HCD2};
    use crate::{FormatSettings, readable_formats};

    fn readable(release: &Release, mode: &str) -> Vec<String> {
        let settings = FormatSettings::parse(Some(mode), None);
        let formats = readable_formats(release, &settings).iter();
        formats.map(|format| (*format).to_owned()).collect()
    }

    #[test]
    fn a_format_that_is_not_read_is_classified_by_what_would_help() {
        use Reading::{AfterRewriteOn, InAnotherMode, Never, Reads};
        for (text, mode, format, expected) in [
            ("cassandra 3.11.19", "", "big-jb", Reads),
            ("cassandra 3.11.19", "", "big-nb", Never),
            ("cassandra 4.1.9", "", "big-ma", Reads),
            ("cassandra 4.1.9", "", "big-lb", AfterRewriteOn(C3_11)),
            ("cassandra 4.1.9", "", "big-oa", Never),
            ("cassandra 4.1.9", "", "bti-bb", Never),
            ("cassandra 5.0.5", "CASSANDRA_4", "big-oa", InAnotherMode),
            ("cassandra 5.0.5", "CASSANDRA_4", "bti-da", Reads),
            ("cassandra 5.0.5", "NONE", "big-oa", Reads),
            ("cassandra 5.0.5", "NONE", "big-ka", AfterRewriteOn(C3_11)),
            ("cassandra 5.0.5", "NONE", "bti-cc", Never),
            ("dse 6.8.50", "", "bti-da", Never),
            ("dse 6.8.50", "", "big-nb", Never),
            ("dse 6.8.50", "", "big-jb", AfterRewriteOn(C3_11)),
            ("hcd 1.2.3", "", "big-oa", Never),
            ("hcd 1.2.3", "", "bti-da", Never),
            ("hcd 1.2.3", "", "bti-bb", Reads),
            ("cassandra 5.0.5", "NONE", "big-pa", Never),
            ("cassandra 5.0.5", "NONE", "", Never),
        ] {
            let release: Release = text.parse().expect("a release");
            let reads = readable(&release, mode);
            let got = reading(&release, &reads, format);
            assert_eq!(got, expected, "{text} {mode} {format}");
        }
    }

    #[test]
    fn the_lines_that_read_a_format_are_each_named_once() {
        assert_eq!(lines_that_read("big-oa"), [C5_0, HCD2]);
        assert_eq!(lines_that_read("big-jb"), [C3_11]);
        assert_eq!(lines_that_read("bti-cc"), [HCD1, HCD2]);
        assert_eq!(lines_that_read("bti-aa")[0], DSE6_8);
        assert_eq!(lines_that_read("bti-ea"), []);
    }

    #[test]
    fn only_what_upgradesstables_would_rewrite_is_older() {
        for (format, current, older) in [
            ("big-me", &["big-nb"][..], true),
            ("big-nb", &["big-nb"], false),
            // Another patch release wrote it, and nothing is rewritten downwards.
            ("big-me", &["big-md"], false),
            ("big-nb", &["big-oa", "bti-da"], true),
            ("big-oa", &["big-oa", "bti-da"], false),
            // Stock 5.0 reads it as the latest of its own format.
            ("bti-da", &["big-nb"], false),
            ("bti-bb", &["bti-cc"], true),
            ("big-nb", &["bti-cc"], true),
            // HCD configured to write what DSE reads.
            ("bti-cb", &["bti-cc", "bti-cb"], false),
        ] {
            assert_eq!(is_older(format, current), older, "{format} {current:?}");
        }
    }

    #[test]
    fn a_format_that_the_node_does_not_write_may_be_skipped() {
        for (format, current, skipped) in [
            ("big-nb", &["bti-cc"][..], true),
            ("big-me", &["bti-cc"], true),
            ("bti-bb", &["bti-cc"], false),
            ("big-nb", &["big-oa", "bti-da"], false),
            ("big-me", &["big-nb"], false),
        ] {
            assert_eq!(
                may_be_skipped(format, current),
                skipped,
                "{format} {current:?}"
            );
        }
    }

    #[test]
    fn the_format_that_a_node_reports_as_written_is_current() {
        let current = |text: &str, mode: &str, written: &'static str| {
            let release: Release = text.parse().expect("a release");
            let reads = readable(&release, mode);
            release.current_formats(&reads, written)
        };
        assert_eq!(current("hcd 1.2.3", "", "bti-cb"), ["bti-cc", "bti-cb"]);
        assert_eq!(current("hcd 1.2.3", "", ""), ["bti-cc"]);
        assert_eq!(
            current("cassandra 5.0.5", "CASSANDRA_4", "big-nb"),
            ["big-nb"]
        );
        assert_eq!(current("cassandra 9.0", "NONE", "big-zz"), ["big-zz"]);
    }
}
