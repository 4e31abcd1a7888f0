//! Of releases, formats, keys and rows that run out.

use model::manifest::{Hazard, SstableFacts};
use plan::RestoreRequest;

use super::{Case, said};
use crate::world::*;

fn between(source: &str, target: &str) -> RestoreRequest {
    let (source, target) = shop(source, target);
    request(&source, &target)
}

fn holding(source: &str, target: &str, sstable: SstableFacts) -> RestoreRequest {
    let (mut source, target) = shop(source, target);
    source.holds("shop.orders", vec![sstable]);
    request(&source, &target)
}

/// The source's key has this fingerprint, the target's that.
fn keys(source_key: Option<&str>, target_key: Option<&str>) -> RestoreRequest {
    let (mut source, mut target) = shop("dse 6.8.50", "dse 6.8.50");
    source.holds("shop.orders", vec![encrypted("bb-1-bti", "shop_key")]);
    source.keys = vec![key("shop_key", source_key)];
    target.keys = vec![key("shop_key", target_key)];
    request(&source, &target)
}

fn mixed() -> RestoreRequest {
    let mut request = between("cassandra 4.1.9", "cassandra 4.1.9");
    request.nodes[0].release = release("cassandra 4.1.8");
    request
}

fn other_partitioner() -> RestoreRequest {
    let mut request = between("cassandra 4.1.9", "cassandra 4.1.9");
    request.backup.partitioner = "RandomPartitioner".into();
    request
}

fn onto_hcd_in_place() -> RestoreRequest {
    let mut request = between("hcd 1.2.1", "hcd 1.2.1");
    request.options.mode = plan::RequestedMode::InPlace;
    request
}

/// A backup of a year ago.
fn old() -> RestoreRequest {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.now = "2027-01-02T03:04:05Z".parse().expect("a time");
    request
}

pub fn cases() -> Vec<Case> {
    let pairs = [
        ("VERSION_DOWNGRADE", "cassandra 5.0.5", "cassandra 4.1.9"),
        (
            "VERSION_PAIR_UNSUPPORTED",
            "cassandra 3.11.19",
            "cassandra 5.0.5",
        ),
        (
            "UPGRADE_SSTABLES_REQUIRED",
            "cassandra 4.1.9",
            "cassandra 5.0.5",
        ),
        ("LATER_MINOR_VERSION", "cassandra 4.0.17", "cassandra 4.1.9"),
        ("CASSANDRA_ONTO_HCD", "cassandra 4.1.9", "hcd 1.2.3"),
        ("SCHEMA_VALIDATION_REQUIRED", "dse 6.8.50", "hcd 1.2.3"),
        ("PATCH_DOWNGRADE", "cassandra 3.11.19", "cassandra 3.11.3"),
    ];
    let pairs = pairs.map(|(code, source, target)| (code, said(&between(source, target))));
    let tuples = with_hazard("bb-1-bti", Hazard::Tuples);
    let at = [(1_767_326_400, 50)];
    let one = "cassandra 4.1.9";
    let others = vec![
        ("MIXED_VERSIONS", said(&mixed())),
        ("PARTITIONER_DIFFERS", said(&other_partitioner())),
        ("FORMAT_UNREADABLE", said(&holding(one, one, wide("oa")))),
        (
            "SSTABLE_NEEDS_REWRITE",
            said(&holding("dse 6.8.20", "hcd 1.2.3", tuples)),
        ),
        (
            "TTL_MAY_EXPIRE",
            said(&holding(one, one, expiring("nb-1-big", 100, &at))),
        ),
        ("TOMBSTONES_KEPT", said(&old())),
        ("IN_PLACE_UNTRIED", said(&onto_hcd_in_place())),
        (
            "COMMIT_LOG_POSITIONS",
            said(&between("cassandra 3.11.9", "cassandra 3.11.10")),
        ),
        ("TDE_KEY_MISSING", said(&keys(Some("aa"), None))),
        ("TDE_KEY_DIFFERS", said(&keys(Some("aa"), Some("bb")))),
        ("TDE_KEY_UNKNOWN", said(&keys(None, Some("aa")))),
        ("TDE_KEY_ROWS", said(&keys(Some("aa"), Some("aa")))),
        (
            "TDE_UNAVAILABLE",
            said(&holding(one, one, encrypted("nb-1-big", "shop_key"))),
        ),
    ];
    pairs.into_iter().chain(others).collect()
}
