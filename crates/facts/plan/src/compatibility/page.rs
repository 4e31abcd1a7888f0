//! The text of docs/compatibility.md: every pair of release lines, and every format, from the tables themselves.

use std::fmt::Write;

use cassandra_versions::{
    FormatRow, FormatSettings, Line, Product, Refusal, SelectedFormat, StorageCompatibility,
    Verdict, compatibility, format_rows,
};

use super::check_compatibility;

/// The text of docs/compatibility.md.
pub fn page() -> String {
    let mut page = String::from(
        "# Compatibility\n\n\
         This page is made from the tables of `crates/facts/cassandra-versions`; after a change there, run\n\
         `UPDATE=1 cargo test -p plan --test compatibility`. `ringkeep compat --from \"cassandra 3.11.19\" --to \"cassandra 4.1.9\"`\n\
         shows one pair.\n\n\
         ## Which backup restores into which release\n\n\
         From the line on the left into the line above. `yes` may come with something to do, which the list below names; `older`\n\
         is a downgrade, which nothing lifts; `-` is not listed, and `--allow-unlisted-version` lifts it where all formats of the\n\
         backup can be read.\n\n",
    );
    grid(&mut page);
    page.push_str(
        "\nOf one line, a lower patch release that writes an older format is named by PATCH_DOWNGRADE.\n\n\
         ## Every pair\n\n| source | target | supported | findings |\n|---|---|---|---|\n",
    );
    for source in Line::known() {
        for target in Line::known() {
            let (supported, said) = pair(source, target);
            let _ = writeln!(page, "| {source} | {target} | {supported} | {said} |");
        }
    }
    page.push_str(
        "\n## Who reads and writes which format\n\n\
         The names of a backup's files decide, not the release that it was taken from: a format that a target node does not read\n\
         is refused by FORMAT_UNREADABLE whatever the table above says. What a node reads is asked of the node. The modes are\n\
         those of `storage_compatibility_mode`: Cassandra 5.0 ships with `CASSANDRA_4` and `big`, HCD 2.x with `bti` and, as long\n\
         as it reports no mode, its own formats.\n\n\
         | release | settings | reads | writes |\n|---|---|---|---|\n",
    );
    for row in format_rows() {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            releases(&row),
            row.settings
                .map(|set| settings(row.line.product, &set))
                .unwrap_or_default(),
            row.reads.join(" "),
            row.writes
        );
    }
    page.push_str(
        "\n## Which SSTable ids are parsed\n\n\
         Files with other ids are renamed on the node before they are loaded.\n\n\
         | release | sequence | UUID | ULID |\n|---|---|---|---|\n",
    );
    let yes = |can: bool| if can { "yes" } else { "-" };
    for line in Line::known() {
        let release = line.first_release();
        let (uuid, ulid) = (release.parses_time_ids(), release.parses_ulids());
        let _ = writeln!(page, "| {line} | yes | {} | {} |", yes(uuid), yes(ulid));
    }
    page
}

fn grid(page: &mut String) {
    let _ = write!(page, "| source |");
    for target in Line::known() {
        let _ = write!(page, " {target} |");
    }
    let _ = write!(page, "\n|---|");
    for _ in Line::known() {
        page.push_str("---|");
    }
    page.push('\n');
    for source in Line::known() {
        let _ = write!(page, "| {source} |");
        for target in Line::known() {
            let verdict = compatibility(&source.first_release(), &target.first_release());
            let word = match verdict {
                Verdict::Supported { .. } => "yes",
                Verdict::Refused(Refusal::Downgrade) => "older",
                Verdict::Refused(Refusal::Unlisted { .. }) => "-",
            };
            let _ = write!(page, " {word} |");
        }
        page.push('\n');
    }
}

/// Whether it is supported, and the codes of what is said, with the path that an unlisted pair has.
fn pair(source: Line, target: Line) -> (&'static str, String) {
    let (from, to) = (source.first_release(), target.first_release());
    let checked = check_compatibility(&from, &to);
    let codes: Vec<&str> = checked.findings.iter().map(|f| f.code.as_str()).collect();
    let mut said = codes.join(", ");
    if let Verdict::Refused(Refusal::Unlisted { nearest }) = compatibility(&from, &to) {
        said += &match nearest {
            Some(path) => format!(": go {path}"),
            None => ": no path".to_owned(),
        };
    }
    (if checked.supported { "yes" } else { "no" }, said)
}

fn releases(row: &FormatRow) -> String {
    let line = row.line;
    match row.patches {
        (0, None) => line.to_string(),
        (first, None) => format!("{line}.{first} and later"),
        (first, Some(last)) => format!(
            "{line}.{first} to {line_version}.{last}",
            line_version = line.version()
        ),
    }
}

/// The settings under which a row of this product holds.
fn settings(product: Product, settings: &FormatSettings) -> String {
    let mode = match settings.storage_compatibility {
        StorageCompatibility::Shipped => "",
        StorageCompatibility::Cassandra4 if product == Product::Cassandra => "`CASSANDRA_4`",
        StorageCompatibility::Cassandra4 => "`CASSANDRA_4` or `CC_4`",
        StorageCompatibility::Own => "`UPGRADING` or `NONE`",
    };
    let selected = match settings.selected {
        SelectedFormat::Shipped => "",
        SelectedFormat::Big => "`sstable.selected_format: big`",
        SelectedFormat::Bti => "`sstable.selected_format: bti`",
    };
    let both = [mode, selected];
    let set: Vec<&str> = both.into_iter().filter(|it| !it.is_empty()).collect();
    set.join(", ")
}
