use super::*;

fn release(text: &str) -> Release {
    text.parse().expect("a release")
}

#[track_caller]
fn check(text: &str, mode: Option<&str>, selected: Option<&str>, writes: &str, newest: &str) {
    let settings = FormatSettings::parse(mode, selected);
    let release = release(text);
    assert_eq!(
        written_format(&release, &settings),
        Some(writes),
        "{text} {mode:?}"
    );
    let reads = readable_formats(&release, &settings);
    assert!(reads.contains(&newest), "{text} {mode:?} reads {newest}");
    assert!(
        reads.contains(&writes),
        "{text} {mode:?} reads what it writes"
    );
}

#[test]
fn each_release_writes_its_format() {
    check("cassandra 3.11.3", None, None, "big-mc", "big-me");
    check("cassandra 3.11.10", None, None, "big-md", "big-me");
    check("cassandra 3.11.19", None, None, "big-me", "big-jb");
    check("cassandra 4.0.17", None, None, "big-nb", "big-na");
    check("cassandra 4.1.9", None, None, "big-nb", "big-me");
    check(
        "cassandra 5.0.5",
        Some("CASSANDRA_4"),
        Some("big"),
        "big-nb",
        "bti-da",
    );
    check(
        "cassandra 5.0.5",
        Some("NONE"),
        Some("big"),
        "big-oa",
        "bti-da",
    );
    check(
        "cassandra 5.0.5",
        Some("upgrading"),
        Some("bti"),
        "bti-da",
        "big-oa",
    );
    check("dse 6.8.4", None, None, "bti-ba", "bti-bb");
    check("dse 6.8.50", None, None, "bti-bb", "big-md");
    check("hcd 1.2.3", None, None, "bti-cc", "bti-bb");
    check("hcd 2.0.6", None, None, "bti-cc", "big-oa");
    check("hcd 2.0.6", None, Some("bti"), "bti-cc", "bti-bb");
    check("hcd 2.0.6", None, Some("big"), "big-oa", "bti-cc");
    check("hcd 2.0.6", Some("CC_4"), Some("big"), "big-nb", "bti-cc");
    check("hcd 2.0.6", Some("CC_4"), None, "bti-cc", "big-nb");
}

#[test]
fn neither_line_of_hcd_reads_the_tries_of_cassandra_5_0() {
    for hcd in ["hcd 1.2.3", "hcd 2.0.6"] {
        for settings in FormatSettings::all().chain([FormatSettings::default()]) {
            let reads = readable_formats(&release(hcd), &settings);
            assert!(!reads.contains(&"bti-da"), "{hcd} {settings:?}");
            assert!(reads.contains(&"big-nb"), "{hcd} {settings:?}");
        }
    }
    let compatible = FormatSettings::parse(Some("CC_4"), None);
    assert!(!readable_formats(&release("hcd 2.0.6"), &compatible).contains(&"big-oa"));
}

#[test]
fn what_hcd_writes_no_cassandra_reads() {
    let stock = FormatSettings::default();
    for hcd in ["hcd 1.2.3", "hcd 2.0.6"] {
        let written = written_format(&release(hcd), &stock).expect("a format");
        for line in Line::known().filter(|line| line.product == Product::Cassandra) {
            let reads = readable_formats(&line.first_release(), &stock);
            assert!(!reads.contains(&written), "{line} reads {written} of {hcd}");
        }
    }
}

#[test]
fn stock_5_0_does_not_read_its_own_big_format() {
    let stock = FormatSettings::default();
    assert!(!readable_formats(&release("cassandra 5.0.5"), &stock).contains(&"big-oa"));
}

#[test]
fn no_product_reads_the_other_familys_tries() {
    let stock = FormatSettings::default();
    for apache in ["cassandra 3.11.19", "cassandra 4.1.9", "cassandra 5.0.5"] {
        let reads = readable_formats(&release(apache), &stock);
        assert!(
            !reads.contains(&"bti-bb") && !reads.contains(&"bti-cc"),
            "{apache}"
        );
    }
    for other in ["dse 6.8.50", "dse 6.9.2", "hcd 1.2.3"] {
        let reads = readable_formats(&release(other), &stock);
        assert!(
            !reads.contains(&"bti-da") && !reads.contains(&"big-oa"),
            "{other}"
        );
    }
}

#[test]
fn an_unknown_release_reads_nothing_that_is_known() {
    assert!(readable_formats(&release("cassandra 9.0"), &FormatSettings::default()).is_empty());
    assert_eq!(
        current_formats(&release("cassandra 9.0"), &[]),
        [] as [&str; 0]
    );
}

#[test]
fn the_formats_that_a_node_reads_decide_which_are_current() {
    let reads = |text: &str, mode| {
        let settings = FormatSettings::parse(Some(mode), None);
        readable_formats(&release(text), &settings)
            .iter()
            .map(|format| (*format).to_owned())
            .collect::<Vec<_>>()
    };
    for (text, mode, current) in [
        ("cassandra 3.11.19", "", &["big-me"][..]),
        ("cassandra 3.11.5", "", &["big-md"]),
        ("cassandra 4.1.9", "", &["big-nb"]),
        ("cassandra 5.0.5", "CASSANDRA_4", &["big-nb"]),
        ("cassandra 5.0.5", "NONE", &["big-oa", "bti-da"]),
        ("hcd 1.2.3", "", &["bti-cc"]),
        ("hcd 2.0.6", "", &["big-oa", "bti-cc"]),
        ("hcd 2.0.6", "CC_4", &["big-nb", "bti-cc"]),
    ] {
        assert_eq!(
            current_formats(&release(text), &reads(text, mode)),
            current,
            "{text} {mode}"
        );
    }
    // If the node did not report what it reads, all that its release may write is current.
    assert_eq!(
        current_formats(&release("cassandra 5.0.5"), &[]),
        ["big-nb", "big-oa", "bti-da"]
    );
}
