//! How long a restore takes, and how much disk it needs, from what each node has to do.
//!
//! Rough by nature: bytes by the rates that are given, and a fixed time for what costs time whatever its size. Steps wait
//! for each other as in `steps`: all stage, then the CQL, then all load; each node upgrades after its own load, and the
//! views come when all have.

use model::plan::{Rates, RestoreMode};

/// Of small objects: eight at a time, with a reply to each in 50 ms.
const REQUESTS_PER_SECOND: u64 = 160;
/// For one statement, and for all nodes to agree on the schema that it makes.
const STATEMENT_SECONDS: u64 = 2;
/// For nodetool to start, each time that files are loaded.
const LOAD_SECONDS: u64 = 3;
/// In place: for Cassandra to drain and to stop, and to start and be seen by the others.
const STOP_SECONDS: u64 = 60;
const START_SECONDS: u64 = 90;
/// On top of what is staged: indexes, filters and summaries that Cassandra builds, and room to go on compacting.
const DISK_RESERVE_PERCENT: u64 = 10;

/// What one target node has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub download_bytes: u64,
    /// Reads of the object store: one for each whole object, one for each range of a slice.
    pub requests: u64,
    /// On disk when all is staged, which a slice may make less than was downloaded. Loading moves the files.
    pub staged_bytes: u64,
    /// How often files are handed to Cassandra: once for each table.
    pub loads: u64,
    /// In SSTables that are rewritten after the restore, and in the largest of them, which for a time is there twice.
    pub upgrade_bytes: u64,
    pub upgrade_reserve_bytes: u64,
    /// What the views take that are rebuilt.
    pub view_bytes: u64,
}

/// What is done once for all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Course {
    pub mode: RestoreMode,
    pub schema_statements: u64,
    /// How often each node hands files to Cassandra before anything live is replaced.
    pub trial_loads: u64,
    pub view_statements: u64,
}

/// One node's time in each step, without waiting for others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NodeEstimate {
    pub stage_seconds: u64,
    /// Online the load; in place stop, swap and start.
    pub load_seconds: u64,
    pub upgrade_seconds: u64,
    pub view_seconds: u64,
    /// From the first byte that any node stages to this node's last SSTable upgraded, waiting included.
    pub seconds: u64,
    /// The most that is needed on the data disks at any time, the reserve included.
    pub disk_bytes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// In the order of the work.
    pub nodes: Vec<NodeEstimate>,
    /// From the first step to the last.
    pub seconds: u64,
}

pub(crate) fn estimate(work: &[Work], course: &Course, rates: &Rates) -> Estimate {
    if work.is_empty() {
        return Estimate::default();
    }
    let mut nodes: Vec<NodeEstimate> = work
        .iter()
        .map(|work| of_node(work, course.mode, rates))
        .collect();
    let longest = |seconds: fn(&NodeEstimate) -> u64| nodes.iter().map(seconds).max().unwrap_or(0);
    let staged = longest(|node| node.stage_seconds);
    let views = longest(|node| node.view_seconds);
    let prepared = staged
        .saturating_add(statements(course.schema_statements))
        .saturating_add(course.trial_loads.saturating_mul(LOAD_SECONDS));
    for node in &mut nodes {
        node.seconds = prepared
            .saturating_add(node.load_seconds)
            .saturating_add(node.upgrade_seconds);
    }
    let upgraded = nodes.iter().map(|node| node.seconds).max().unwrap_or(0);
    Estimate {
        nodes,
        seconds: upgraded
            .saturating_add(statements(course.view_statements))
            .saturating_add(views),
    }
}

fn of_node(work: &Work, mode: RestoreMode, rates: &Rates) -> NodeEstimate {
    let download = at_rate(work.download_bytes, rates.download_bytes_per_second);
    let loading = at_rate(work.staged_bytes, rates.load_bytes_per_second);
    let calls = work.loads.saturating_mul(LOAD_SECONDS);
    NodeEstimate {
        stage_seconds: download.saturating_add(at_rate(work.requests, REQUESTS_PER_SECOND)),
        load_seconds: match mode {
            RestoreMode::Online => loading.saturating_add(calls),
            RestoreMode::InPlace => STOP_SECONDS + START_SECONDS,
        },
        upgrade_seconds: at_rate(work.upgrade_bytes, rates.upgrade_bytes_per_second),
        // Building a view is reading and writing rows, as an upgrade is.
        view_seconds: at_rate(work.view_bytes, rates.upgrade_bytes_per_second),
        seconds: 0,
        disk_bytes: disk_bytes(work),
    }
}

/// What is staged stays, as loading moves it; an upgrade rewrites an SSTable before the old one goes.
fn disk_bytes(work: &Work) -> u64 {
    let used = work
        .staged_bytes
        .saturating_add(work.view_bytes)
        .saturating_add(work.upgrade_reserve_bytes);
    used.saturating_add(used / 100 * DISK_RESERVE_PERCENT)
}

fn statements(number: u64) -> u64 {
    number.saturating_mul(STATEMENT_SECONDS)
}

/// Rounded up; a rate of nothing is taken for one in a second.
fn at_rate(amount: u64, per_second: u64) -> u64 {
    amount.div_ceil(per_second.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONLINE: Course = Course {
        mode: RestoreMode::Online,
        schema_statements: 5,
        trial_loads: 0,
        view_statements: 1,
    };

    /// 100, 50 and 10 bytes in a second, so that all can be computed by hand.
    const RATES: Rates = Rates {
        download_bytes_per_second: 100,
        load_bytes_per_second: 50,
        upgrade_bytes_per_second: 10,
    };

    fn work() -> Work {
        Work {
            download_bytes: 10_000,
            requests: 1600,
            staged_bytes: 8000,
            loads: 4,
            upgrade_bytes: 300,
            upgrade_reserve_bytes: 200,
            view_bytes: 1000,
        }
    }

    #[test]
    fn a_nodes_steps_are_those_that_one_computes_by_hand() {
        let got = estimate(&[work()], &ONLINE, &RATES);
        let node = NodeEstimate {
            stage_seconds: 100 + 10,
            load_seconds: 160 + 12,
            upgrade_seconds: 30,
            view_seconds: 100,
            seconds: 110 + 10 + 172 + 30,
            disk_bytes: 9200 + 920,
        };
        assert_eq!(got.nodes, [node]);
        assert_eq!(got.seconds, 322 + 2 + 100);
    }

    #[test]
    fn all_nodes_wait_for_the_last_to_stage_and_none_for_the_others_load() {
        let slow_to_stage = Work {
            download_bytes: 100_000,
            staged_bytes: 500,
            ..Work::default()
        };
        let slow_to_load = Work {
            download_bytes: 100,
            staged_bytes: 50_000,
            ..Work::default()
        };
        let slow_to_upgrade = Work {
            staged_bytes: 50,
            upgrade_bytes: 5000,
            ..Work::default()
        };
        let work = [slow_to_stage, slow_to_load, slow_to_upgrade];
        let got = estimate(&work, &ONLINE, &RATES);
        let seconds: Vec<u64> = got.nodes.iter().map(|node| node.seconds).collect();
        assert_eq!(
            seconds,
            [1000 + 10 + 10, 1000 + 10 + 1000, 1000 + 10 + 1 + 500]
        );
        assert_eq!(got.seconds, 2010 + 2);
    }

    #[test]
    fn in_place_nothing_is_loaded_and_cassandra_is_restarted() {
        let in_place = Course {
            mode: RestoreMode::InPlace,
            schema_statements: 0,
            trial_loads: 0,
            view_statements: 0,
        };
        let no_views = Work {
            view_bytes: 0,
            ..work()
        };
        let got = estimate(&[no_views], &in_place, &RATES);
        assert_eq!(got.nodes[0].load_seconds, 150);
        assert_eq!(got.seconds, 110 + 150 + 30);
    }

    #[test]
    fn many_small_objects_cost_time_that_their_bytes_do_not() {
        let small = Work {
            download_bytes: 1,
            requests: 160_001,
            ..Work::default()
        };
        let got = estimate(&[small], &ONLINE, &Rates::default());
        assert_eq!(got.nodes[0].stage_seconds, 1 + 1001);
    }

    #[test]
    fn a_terabyte_takes_what_the_default_rates_make_of_it() {
        let terabyte = Work {
            download_bytes: 1 << 40,
            staged_bytes: 1 << 40,
            upgrade_bytes: 1 << 40,
            upgrade_reserve_bytes: 1 << 38,
            ..Work::default()
        };
        let got = estimate(&[terabyte], &ONLINE, &Rates::default());
        let node = got.nodes[0];
        // 2^40 over 200, 500 and 40 times 2^20.
        assert_eq!(
            (node.stage_seconds, node.load_seconds, node.upgrade_seconds),
            (5243, 2098, 26_215)
        );
        let used: u64 = (1 << 40) + (1 << 38);
        assert_eq!(node.disk_bytes, used + used / 100 * 10);
    }

    #[test]
    fn no_figures_are_too_small_or_too_large() {
        assert_eq!(estimate(&[], &ONLINE, &RATES), Estimate::default());
        let all = Work {
            download_bytes: u64::MAX,
            requests: u64::MAX,
            staged_bytes: u64::MAX,
            loads: u64::MAX,
            upgrade_bytes: u64::MAX,
            upgrade_reserve_bytes: u64::MAX,
            view_bytes: u64::MAX,
        };
        let none = Rates {
            download_bytes_per_second: 0,
            load_bytes_per_second: 0,
            upgrade_bytes_per_second: 0,
        };
        let course = Course {
            schema_statements: u64::MAX,
            view_statements: u64::MAX,
            ..ONLINE
        };
        assert_eq!(estimate(&[all; 2], &course, &none).seconds, u64::MAX);
        assert_eq!(
            estimate(&[Work::default()], &ONLINE, &none).nodes[0].seconds,
            10
        );
    }
}
