use super::*;

/// Signs in one line: `view x`, `setting x`, `format x`, `memtable text`, `dse 6.8.50`; the first word is the version.
fn signs(text: &str) -> Signs {
    let mut signs = Signs::default();
    let mut words = text.split_whitespace();
    signs.release_version = words.next().expect("a version").to_owned();
    while let (Some(what), Some(name)) = (words.next(), words.next()) {
        let name = name.to_owned();
        match what {
            "view" => drop(signs.views.insert(name)),
            "setting" => drop(signs.settings.insert(name)),
            "format" => drop(signs.written_formats.insert(name)),
            "memtable" => signs.memtable_type = Some(name),
            "dse" => signs.dse_version = Some(name),
            _ => panic!("unknown sign {what}"),
        }
    }
    signs
}

#[track_caller]
fn check(shown: &str, stated: &str, expected: &str) {
    let mut words = stated.split_whitespace();
    let stated = words.next().map(|product| {
        let product = match product {
            "cassandra" => Product::Cassandra,
            "dse" => Product::Dse,
            _ => Product::Hcd,
        };
        Stated::new(product, words.next()).expect("a statement")
    });
    let (release, how) = recognise(&signs(shown), stated.as_ref()).expect("a release");
    let found = format!("{} {release}", how.confidence);
    assert_eq!(found, expected, "{shown}: {:?}", how.contradictions);
    let is_certain = !matches!(
        how.confidence,
        Confidence::Unknown | Confidence::Contradicted
    );
    assert_eq!(how.contradictions.is_empty(), is_certain, "{shown}");
    assert!(!how.seen.is_empty());
}

const CC4: &str = "4.0.11-2a99ee441fb7";
const CC5: &str = "5.0.7.0-ea50e91ba01f";

#[test]
fn a_product_that_the_node_reports_is_taken_unless_something_contradicts() {
    for (shown, expected) in [
        ("3.11.19", "reported cassandra 3.11.19"),
        ("4.0.18 view settings", "reported cassandra 4.0.18"),
        ("4.1.10 memtable text", "reported cassandra 4.1.10"),
        (
            "5.0.6 memtable text format big-nb",
            "reported cassandra 5.0.6",
        ),
        ("5.0-beta1 format bti-da", "reported cassandra 5.0-beta1"),
        ("4.0.0.6816 dse 6.8.50 format bti-bb", "reported dse 6.8.50"),
        ("4.0.0.693 dse 6.9.2", "reported dse 6.9.2"),
        ("4.0.11-hcd-1.2.1", "reported hcd 1.2.1"),
        // As system.local renders it.
        ("4.0.11-hcd.1.2.1", "reported hcd 1.2.1"),
        ("4.0.11 view local_node", "unknown_build cassandra 4.0.11"),
        (
            "4.0.11 memtable frozen<map<text,text>>",
            "unknown_build cassandra 4.0.11",
        ),
        (
            "5.0.6 setting storage_flags.x",
            "unknown_build cassandra 5.0.6",
        ),
        ("4.1.9 format bti-cc", "unknown_build cassandra 4.1.9"),
        (
            "4.0.0.6816 dse 6.8.50 view local_node",
            "unknown_build cassandra 4.0.0.6816",
        ),
        (
            "5.0.7-hcd-2.0.6 format bti-da",
            "unknown_build cassandra 5.0.7-hcd-2.0.6",
        ),
    ] {
        check(shown, "", expected);
    }
}

#[test]
fn hcd_is_inferred_only_from_signs_that_agree() {
    let one = format!("inferred hcd 1.x-{CC4}");
    let two = format!("inferred hcd 2.x-{CC5}");
    for (version, sign, expected) in [
        (CC4, "view local_node", one.clone()),
        (CC4, "view peer_nodes", one.clone()),
        (CC4, "view peer_v2_nodes", one.clone()),
        (CC4, "memtable frozen<map<text,text>>", one.clone()),
        (CC4, "setting enable_uuid_sstable_identifiers", one.clone()),
        (CC4, "format bti-cc", one.clone()),
        // It was DSE before.
        (CC4, "format bti-cc format bti-bb", one.clone()),
        (
            CC4,
            "view sstable_indexes memtable text",
            format!("unknown_build cassandra {CC4}"),
        ),
        (
            CC4,
            "format bti-cc format bti-da",
            format!("unknown_build cassandra {CC4}"),
        ),
        (CC5, "setting storage_flags.x", two.clone()),
        (CC5, "setting emulate_dbaas_defaults", two.clone()),
        (CC5, "setting metadata_directory", two.clone()),
        (CC5, "view indexes", two.clone()),
        (CC5, "view sstable_indexes", two.clone()),
        (CC5, "view sstable_index_segments", two.clone()),
        (CC5, "format bti-cc memtable text", two.clone()),
        // While it stays compatible with CC4.
        (CC5, "memtable frozen<map<text,text>>", two),
        (
            CC5,
            "format bti-cc view local_node",
            format!("unknown_build cassandra {CC5}"),
        ),
        // One sign alone is a guess, and Cassandra 4.1 has the same column.
        (CC4, "", format!("unknown_build cassandra {CC4}")),
        (
            CC5,
            "memtable text view settings",
            format!("unknown_build cassandra {CC5}"),
        ),
        (
            CC5,
            "format bti-da",
            format!("unknown_build cassandra {CC5}"),
        ),
        // Apache's name of that setting says nothing.
        (
            CC5,
            "setting uuid_sstable_identifiers_enabled",
            format!("unknown_build cassandra {CC5}"),
        ),
    ] {
        check(&format!("{version} {sign}"), "", &expected);
    }
    // Nothing that is known is built on 4.1, and no product has such versions.
    for version in ["4.1.3-2a99ee441fb7", "4.1.9-acme", "5.0.7.0", "4.0.0.6816"] {
        let shown = format!("{version} format bti-cc");
        check(&shown, "", &format!("unknown_build cassandra {version}"));
    }
}

#[test]
fn a_node_is_what_the_settings_state_unless_it_shows_that_it_is_not() {
    let cc4 = |sign: &str| format!("{CC4} {sign}");
    let cc5 = |sign: &str| format!("{CC5} {sign}");
    let dse = || "4.0.0.6816 dse 6.8.50".to_owned();
    for (shown, stated, expected) in [
        (cc4(""), "hcd", format!("stated hcd 1.x-{CC4}")),
        (cc5(""), "hcd", format!("stated hcd 2.x-{CC5}")),
        (cc4(""), "hcd 1.2.3", "stated hcd 1.2.3".to_owned()),
        (
            cc4("format bti-cc"),
            "hcd 1.2.3",
            "stated hcd 1.2.3".to_owned(),
        ),
        (
            cc4(""),
            "hcd 2.0.6",
            format!("contradicted cassandra {CC4}"),
        ),
        (
            cc4("view local_node"),
            "hcd 2.0.6",
            format!("contradicted hcd 1.x-{CC4}"),
        ),
        (
            cc4("memtable text"),
            "hcd",
            format!("contradicted cassandra {CC4}"),
        ),
        (cc4(""), "cassandra", "stated cassandra 4.0.11".to_owned()),
        (
            cc4(""),
            "cassandra 4.0.11",
            "stated cassandra 4.0.11".to_owned(),
        ),
        (
            cc4(""),
            "cassandra 4.0.12",
            format!("contradicted cassandra {CC4}"),
        ),
        (
            cc4("view local_node"),
            "cassandra",
            format!("contradicted hcd 1.x-{CC4}"),
        ),
        (cc4(""), "dse", format!("contradicted cassandra {CC4}")),
        (
            "4.0.11-hcd-1.2.1".into(),
            "hcd",
            "stated hcd 1.2.1".to_owned(),
        ),
        (
            "4.0.11-hcd-1.2.1".into(),
            "hcd 1.2.2",
            "contradicted hcd 1.2.1".to_owned(),
        ),
        (
            "4.0.11-hcd-1.2.1".into(),
            "cassandra",
            "contradicted hcd 1.2.1".to_owned(),
        ),
        // An own build of HCD, whose version is Apache's.
        (
            "4.0.11 view local_node".into(),
            "hcd",
            "stated hcd 1.x-4.0.11".to_owned(),
        ),
        (
            "4.0.11".into(),
            "hcd",
            "contradicted cassandra 4.0.11".to_owned(),
        ),
        (
            "4.1.9".into(),
            "hcd",
            "contradicted cassandra 4.1.9".to_owned(),
        ),
        (
            "5.0-beta1".into(),
            "cassandra",
            "stated cassandra 5.0-beta1".to_owned(),
        ),
        (
            "4.1.9-acme".into(),
            "cassandra",
            "stated cassandra 4.1.9-acme".to_owned(),
        ),
        (
            "4.0.17".into(),
            "dse",
            "contradicted cassandra 4.0.17".to_owned(),
        ),
        (dse(), "dse", "stated dse 6.8.50".to_owned()),
        (dse(), "dse 6.8", "stated dse 6.8.50".to_owned()),
        (dse(), "dse 6.9.2", "contradicted dse 6.8.50".to_owned()),
        (dse(), "cassandra", "contradicted dse 6.8.50".to_owned()),
        (dse(), "hcd", "contradicted dse 6.8.50".to_owned()),
    ] {
        check(&shown, stated, &expected);
    }
    assert!(Stated::new(Product::Hcd, Some("two")).is_err());
}

#[test]
fn what_contradicts_is_named() {
    let why = |shown: &str| {
        let (_, how) = recognise(&signs(shown), None).expect("a release");
        how.contradictions.join("; ")
    };
    let plain = why("4.0.11 view local_node");
    assert!(plain.contains("view local_node is of HCD"), "{plain}");
    let lonely = why(CC4);
    assert!(lonely.contains("nothing else of HCD was seen"), "{lonely}");
}

#[test]
fn what_was_seen_is_listed() {
    let shown = format!(
        "{CC4} view local_node setting auto_snapshot memtable frozen<map<text,text>> format big-nb"
    );
    let (_, how) = recognise(&signs(&shown), None).expect("a release");
    assert_eq!(
        how.seen,
        [
            &format!("release_version {CC4}"),
            "memtable is a map",
            "view local_node",
            "format big-nb",
            "no setting of HCD",
        ]
    );
}

#[test]
fn a_source_is_recognised_by_its_version_and_its_files() {
    let of = |release: &str, formats: &[&str]| {
        let release: Release = release.parse().expect("a release");
        recognise_source(&release, formats).to_string()
    };
    let (one, two) = (format!("cassandra {CC4}"), format!("cassandra {CC5}"));
    assert_eq!(of(&one, &["bti-cc", "big-nb"]), format!("hcd 1.x-{CC4}"));
    assert_eq!(of(&two, &["bti-cc"]), format!("hcd 2.x-{CC5}"));
    assert_eq!(of(&one, &["big-nb"]), one);
    assert_eq!(of("cassandra 4.1.9", &["bti-cc"]), "cassandra 4.1.9");
    assert_eq!(of("hcd 1.2.3", &["bti-cc"]), "hcd 1.2.3");
}

#[test]
fn a_description_without_a_recognition_is_judged_by_the_version() {
    let unknown = |release: &str, confidence| {
        let how = Recognition {
            confidence,
            ..Recognition::default()
        };
        how.is_unknown(&release.parse().expect("a release"))
    };
    assert!(unknown(
        &format!("cassandra {CC4}"),
        Confidence::NotReported
    ));
    assert!(!unknown("cassandra 4.1.9", Confidence::NotReported));
    assert!(unknown("cassandra 4.1.9", Confidence::Unknown));
    assert!(!unknown(&format!("cassandra {CC4}"), Confidence::Stated));
}
