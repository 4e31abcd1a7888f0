//! What each release line does with each feature, as a table.

use cassandra_schema::{Feature, Rewrite, Support, rewrites_of, support};
use cassandra_versions::Release;

const RELEASES: [&str; 7] = [
    "cassandra 3.11.19",
    "cassandra 4.0.17",
    "cassandra 4.1.9",
    "cassandra 5.0.5",
    "dse 6.8.50",
    "dse 6.9.2",
    "hcd 1.2.1",
];

/// `+` native, `s` safely rewritten, `o` a rewriting is offered, `y` needs a setting, `c` needs a class, `-` unsupported.
fn mark(support: &Support) -> char {
    match support {
        Support::Native => '+',
        Support::Rewritable(rewrite) if rewrite.is_safe() => 's',
        Support::Rewritable(_) => 'o',
        Support::NeedsSetting(_) => 'y',
        Support::NeedsClass(_) => 'c',
        Support::Unsupported => '-',
    }
}

fn release(text: &str) -> Release {
    text.parse().expect("a release")
}

#[test]
fn each_release_line_has_its_support() {
    let class = || "org.example.X".to_owned();
    for (feature, expected) in [
        // 3.11, 4.0, 4.1, 5.0, DSE 6.8, DSE 6.9, HCD
        (Feature::SearchIndex, "oooo++o"),
        (Feature::SearchColumn, "oooo++o"),
        (Feature::GraphLabel, "oooo++o"),
        (Feature::GraphKeyspace, "oooo++o"),
        (Feature::AnalyticsKeyspace, "----++-"),
        (Feature::NodeSync, "ssss++s"),
        (Feature::GraphProperty, "ssss++s"),
        (Feature::TieredCompaction, "oooo++o"),
        (Feature::MemoryOnlyCompaction, "oooo++o"),
        (Feature::EverywhereStrategy, "oooo+++"),
        (Feature::DseType, "----+++"),
        (Feature::FunctionProperties, "oooo++o"),
        (Feature::Sai, "ooo++++"),
        (Feature::Sasi, "+yyy++y"),
        (Feature::Vector, "---+-++"),
        (Feature::Duration, "+++++++"),
        (Feature::UnifiedCompaction, "ooo+oo+"),
        (Feature::DateTieredCompaction, "+++o+++"),
        (Feature::CompactStorage, "++++oo+"),
        (Feature::NoCql, "-------"),
        (Feature::JavaFunction, "yyyyyyy"),
        (
            Feature::ScriptedFunction("javascript".to_owned()),
            "yyy-yyy",
        ),
        (Feature::MaterializedView, "yyyy++y"),
        (Feature::Mask, "oooyooo"),
        (Feature::Trigger(class()), "ccccccc"),
        (Feature::Encryption("Encryptor".to_owned()), "----+++"),
        (Feature::Zstd, "-+++--+"),
        (Feature::CustomCompaction(class()), "ccccccc"),
        (Feature::CustomIndex(class()), "ccccccc"),
        (Feature::CustomCompressor(class()), "ccccccc"),
        (Feature::CustomType(class()), "ccccccc"),
        (Feature::CustomReplication(class()), "ccccccc"),
        (Feature::TransientReplication, "-yyy--y"),
        (Feature::ReadRepairChance, "+sss++s"),
        (Feature::ReadRepairPolicy, "s++++++"),
        (Feature::Memtable, "ss++ss+"),
        // Unknown properties to HCD 1.x, although HCD 2.x prints them.
        (Feature::SnapshotOptions, "sss+sss"),
        (Feature::Cdc, "yyyyyyy"),
        (Feature::OldCompressionNames, "+++s+++"),
    ] {
        let found: String = RELEASES
            .iter()
            .map(|text| mark(&support(&feature, &release(text))))
            .collect();
        assert_eq!(found, expected, "{feature:?}");
    }
}

/// HCD 2.x is built on Cassandra 5.0, and differs from HCD 1.x as that does.
#[test]
fn hcd_2_has_the_support_of_the_cassandra_that_it_is_built_on() {
    let (one, two) = (release("hcd 1.2.1"), release("hcd 2.0.6"));
    for (feature, expected) in [
        (Feature::SnapshotOptions, "s+"),
        (Feature::DateTieredCompaction, "+o"),
        (Feature::UnifiedCompaction, "++"),
        (Feature::NodeSync, "ss"),
        (Feature::Sai, "++"),
        (Feature::Vector, "++"),
        (Feature::OldCompressionNames, "+s"),
        (Feature::Mask, "oy"),
        (Feature::SearchIndex, "oo"),
        (Feature::TieredCompaction, "oo"),
    ] {
        let found = [&one, &two].map(|release| mark(&support(&feature, release)));
        assert_eq!(String::from_iter(found), expected, "{feature:?}");
    }
}

#[test]
fn settings_have_the_name_that_the_release_uses() {
    for (text, expected) in [
        ("cassandra 4.0.17", "enable_materialized_views"),
        ("cassandra 4.1.9", "materialized_views_enabled"),
        ("hcd 1.2.1", "enable_materialized_views"),
    ] {
        let found = support(&Feature::MaterializedView, &release(text));
        assert_eq!(found, Support::NeedsSetting(expected), "{text}");
    }
}

#[test]
fn what_needs_a_class_or_setting_can_be_left_out_instead() {
    let class = || "org.example.X".to_owned();
    let five = release("cassandra 5.0.5");
    for (feature, expected) in [
        (
            Feature::CustomCompaction(class()),
            Some(Rewrite::SizeTiered),
        ),
        (Feature::CustomIndex(class()), Some(Rewrite::LeaveIndexOut)),
        (Feature::Sasi, Some(Rewrite::LeaveIndexOut)),
        (Feature::MaterializedView, Some(Rewrite::LeaveViewOut)),
        (Feature::Trigger(class()), Some(Rewrite::DropTriggers)),
        // What is stored cannot be read without these.
        (Feature::CustomCompressor(class()), None),
        (Feature::CustomType(class()), None),
        (Feature::Sai, None),
    ] {
        assert_eq!(rewrites_of(&feature, &five), expected, "{feature:?}");
    }
}
