use super::*;

fn verdict(from: &str, to: &str) -> String {
    let release = |text: &str| text.parse::<Release>().expect("a release");
    match compatibility(&release(from), &release(to)) {
        Verdict::Supported { rules } => {
            let codes: Vec<&str> = rules.iter().map(|rule| rule.code()).collect();
            format!("yes {}", codes.join(" ")).trim_end().to_owned()
        }
        Verdict::Refused(Refusal::Downgrade) => "no VERSION_DOWNGRADE".into(),
        Verdict::Refused(Refusal::Unlisted { nearest }) => match nearest {
            Some(path) => format!("unlisted, go {path}"),
            None => "unlisted".into(),
        },
    }
}

#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    assert_eq!(verdict(from, to), expected, "{from} to {to}");
}

/// One test for each row of the published matrix, named by its pair.
macro_rules! rows {
    ($($name:ident: $from:literal, $to:literal => $expected:literal;)*) => {
        $(#[test] fn $name() { check($from, $to, $expected); })*
    };
}

rows! {
    cassandra_3_11_onto_3_11: "cassandra 3.11.19", "cassandra 3.11.19" => "yes";
    cassandra_3_11_onto_4_0: "cassandra 3.11.19", "cassandra 4.0.17" => "yes UPGRADE_SSTABLES_REQUIRED";
    cassandra_3_11_onto_4_1: "cassandra 3.11.19", "cassandra 4.1.9" => "yes UPGRADE_SSTABLES_REQUIRED";
    cassandra_4_0_onto_4_0: "cassandra 4.0.17", "cassandra 4.0.17" => "yes";
    cassandra_4_0_onto_4_1: "cassandra 4.0.17", "cassandra 4.1.9" => "yes LATER_MINOR_VERSION";
    cassandra_4_0_onto_hcd: "cassandra 4.0.17", "hcd 1.1.0" => "yes CASSANDRA_ONTO_HCD";
    cassandra_4_1_onto_4_0: "cassandra 4.1.9", "cassandra 4.0.17" => "no VERSION_DOWNGRADE";
    cassandra_4_1_onto_4_1: "cassandra 4.1.9", "cassandra 4.1.9" => "yes";
    cassandra_4_1_onto_hcd: "cassandra 4.1.9", "hcd 1.2.3" => "yes CASSANDRA_ONTO_HCD";
    cassandra_4_0_onto_3_11: "cassandra 4.0.17", "cassandra 3.11.19" => "no VERSION_DOWNGRADE";
    cassandra_4_1_onto_3_11: "cassandra 4.1.9", "cassandra 3.11.19" => "no VERSION_DOWNGRADE";
    dse_6_8_onto_6_8: "dse 6.8.50", "dse 6.8.50" => "yes";
    dse_6_8_onto_6_9: "dse 6.8.50", "dse 6.9.2" => "yes UPGRADE_SSTABLES_REQUIRED";
    dse_6_8_onto_hcd: "dse 6.8.50", "hcd 1.2.3" => "yes SCHEMA_VALIDATION_REQUIRED";
    dse_6_9_onto_6_9: "dse 6.9.2", "dse 6.9.2" => "yes";
    dse_6_9_onto_hcd: "dse 6.9.2", "hcd 1.0.0" => "yes SCHEMA_VALIDATION_REQUIRED";
    dse_6_9_onto_6_8: "dse 6.9.2", "dse 6.8.50" => "no VERSION_DOWNGRADE";
    hcd_1_onto_hcd_1: "hcd 1.1.0", "hcd 1.2.3" => "yes";
    hcd_1_onto_hcd_2: "hcd 1.2.3", "hcd 2.0.6" => "yes UPGRADE_SSTABLES_REQUIRED";
    hcd_2_onto_hcd_2: "hcd 2.0.6", "hcd 2.0.6" => "yes";
    hcd_2_onto_hcd_1: "hcd 2.0.6", "hcd 1.2.3" => "no VERSION_DOWNGRADE";
    cassandra_4_0_onto_5_0: "cassandra 4.0.17", "cassandra 5.0.5" => "yes UPGRADE_SSTABLES_REQUIRED";
    cassandra_4_1_onto_5_0: "cassandra 4.1.9", "cassandra 5.0.5" => "yes UPGRADE_SSTABLES_REQUIRED";
    cassandra_5_0_onto_5_0: "cassandra 5.0.5", "cassandra 5.0.2" => "yes";
    cassandra_5_0_onto_4_1: "cassandra 5.0.5", "cassandra 4.1.9" => "no VERSION_DOWNGRADE";
    cassandra_5_0_onto_4_0: "cassandra 5.0.5", "cassandra 4.0.17" => "no VERSION_DOWNGRADE";
    cassandra_5_0_onto_3_11: "cassandra 5.0.5", "cassandra 3.11.19" => "no VERSION_DOWNGRADE";
}

#[test]
fn an_unlisted_pair_names_the_nearest_supported_path() {
    check(
        "cassandra 3.11.19",
        "cassandra 5.0.5",
        "unlisted, go cassandra 3.11 → 4.1 → 5.0",
    );
    check(
        "cassandra 3.11.19",
        "hcd 1.2.3",
        "unlisted, go cassandra 3.11 → 4.1 → hcd 1.x",
    );
}

#[test]
fn no_path_is_named_if_there_is_none() {
    for (from, to) in [
        ("cassandra 4.1.9", "dse 6.8.50"),
        ("cassandra 5.0.5", "hcd 1.2.3"),
        ("dse 6.8.50", "cassandra 4.1.9"),
        ("hcd 1.2.3", "cassandra 4.1.9"),
        ("hcd 1.2.3", "dse 6.9.2"),
        ("cassandra 3.0.30", "cassandra 3.0.30"),
        ("cassandra 3.0.30", "cassandra 4.1.9"),
        ("cassandra 5.0.5", "cassandra 6.0.0"),
        ("dse 5.1.40", "dse 6.8.50"),
    ] {
        check(from, to, "unlisted");
    }
}

#[test]
fn an_older_target_is_a_downgrade_even_if_the_table_does_not_list_it() {
    check(
        "cassandra 4.1.9",
        "cassandra 3.0.30",
        "no VERSION_DOWNGRADE",
    );
}

#[test]
fn a_lower_patch_is_reported_only_if_the_formats_differ() {
    check("cassandra 3.11.19", "cassandra 3.11.11", "yes");
    check(
        "cassandra 3.11.19",
        "cassandra 3.11.10",
        "yes PATCH_DOWNGRADE",
    );
    check("cassandra 3.11.3", "cassandra 3.11.19", "yes");
    check("dse 6.8.50", "dse 6.8.4", "yes PATCH_DOWNGRADE");
    check("cassandra 4.1.9", "cassandra 4.1.0", "yes");
}

#[test]
fn all_of_hcd_1_is_one_line_and_two_minors_of_cassandra_are_not() {
    let same = |a: &str, b: &str| {
        let release = |text: &str| text.parse::<Release>().expect("a release");
        release(a).is_same_line(&release(b))
    };
    assert!(same("hcd 1.1.0", "hcd 1.2.3"));
    assert!(same("cassandra 3.0.1", "cassandra 3.0.30"));
    assert!(!same("cassandra 4.0.17", "cassandra 4.1.9"));
    assert!(!same("cassandra 6.8.0", "dse 6.8.0"));
}

#[test]
fn a_supported_target_reads_what_the_source_writes_as_shipped() {
    let stock = FormatSettings::default();
    let mut supported = 0;
    for source in Line::known() {
        for target in Line::known() {
            let (from, to) = (source.first_release(), target.first_release());
            if !matches!(compatibility(&from, &to), Verdict::Supported { .. }) {
                continue;
            }
            supported += 1;
            // Patch releases of one line write several formats.
            let rows = crate::format_rows().filter(|row| row.line == source);
            let writes = rows.filter(|row| row.settings.is_none_or(|settings| settings == stock));
            for row in writes {
                let reads = crate::readable_formats(&to, &stock);
                assert!(reads.contains(&row.writes), "{target} reads {}", row.writes);
            }
        }
    }
    assert_eq!(supported, 19);
}
