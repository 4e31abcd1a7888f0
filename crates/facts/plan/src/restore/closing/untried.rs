//! What was never run on the target's product.

use cassandra_versions::Product;
use model::plan::RestoreMode;

use crate::codes;
use crate::findings::Findings;
use crate::restore::sstables::Restored;

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let inputs = restored.given.inputs;
    let mut nodes = inputs.cluster.nodes.iter();
    let other = nodes.find(|node| node.release.product != Product::Cassandra);
    let (RestoreMode::InPlace, Some(node)) = (inputs.mode, other) else {
        return;
    };
    findings.say(
        codes::IN_PLACE_UNTRIED,
        restored.given.request.target.as_str(),
        format!(
            "restores in place are tested on Cassandra, not on {}",
            node.release
        ),
        "restore online, or rehearse this restore on a copy of the cluster first",
    );
}
