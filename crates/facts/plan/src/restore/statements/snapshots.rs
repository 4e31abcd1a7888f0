//! The snapshots that Cassandra takes by itself of what is dropped and emptied.

use model::TableRef;

use super::Asked;
use super::does::Verb;
use crate::findings::Findings;
use crate::{codes, wording};

pub(super) fn check(asked: &Asked, findings: &mut Findings) {
    let lost = lost(asked);
    if lost.is_empty() {
        return;
    }
    let target = &asked.given.request.target;
    let off = asked.nodes().iter().filter(|node| {
        let value = node.setup.settings.get("auto_snapshot");
        value.is_some_and(|value| value.eq_ignore_ascii_case("false"))
    });
    let off: Vec<&str> = off.map(|node| node.member.address.as_str()).collect();
    if !off.is_empty() {
        let nodes = wording::list(&off);
        findings.say(
            codes::AUTO_SNAPSHOT_OFF,
            target,
            format!("`auto_snapshot` is off on {nodes}: what {} hold now is gone once they are emptied", wording::list(&lost)),
            format!("back up the target first; or set `auto_snapshot: true` in cassandra.yaml of {nodes}, restart one node after the other, and plan again"),
        );
    }
    if off.len() == asked.nodes().len() {
        return;
    }
    findings.say(
        codes::AUTO_SNAPSHOTS_LEFT,
        target,
        format!(
            "Cassandra keeps what {} held before in snapshots on every node, together about {}",
            wording::list(&lost),
            wording::bytes(bytes(asked, &lost))
        ),
        "once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and \
         dropped-…, and `nodetool clearsnapshot -t TAG` deletes one",
    );
}

/// The live tables that are dropped or emptied.
fn lost<'a>(asked: &'a Asked) -> Vec<&'a TableRef> {
    let statements = asked.statements.iter();
    let emptied = statements.filter(|does| matches!(does.verb, Verb::DropTable | Verb::Truncate));
    let is_live = |table: &&TableRef| {
        let mut decided = asked.decided.iter();
        decided.any(|it| it.is_live && it.plan.table == **table)
    };
    let mut lost: Vec<&TableRef> = emptied.map(|does| &does.name).filter(is_live).collect();
    lost.sort();
    lost.dedup();
    lost
}

fn bytes(asked: &Asked, lost: &[&TableRef]) -> u64 {
    let tables = asked.nodes().iter().flat_map(|node| &node.tables);
    let lost = tables.filter(|table| lost.contains(&&table.table));
    lost.map(|table| table.live_bytes).sum()
}
