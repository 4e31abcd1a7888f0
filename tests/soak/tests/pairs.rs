//! Every pair of the Cassandra lines, on real nodes: restored and upgraded, or refused with nothing touched.

use std::path::Path;

use anyhow::Result;
use e2e::{CLUSTER, World, assert_same, folder_objects};
use lab::digest::Digest;
use lab::{Cluster, ClusterBuilder, Release};

/// What a node runs and writes.
#[derive(Clone, Copy, Debug)]
struct Line {
    release: Release,
    bti: bool,
    writes: &'static str,
}

const LINES: [Line; 5] = [
    Line {
        release: Release::C311,
        bti: false,
        writes: "me-",
    },
    Line {
        release: Release::C40,
        bti: false,
        writes: "nb-",
    },
    Line {
        release: Release::C41,
        bti: false,
        writes: "nb-",
    },
    Line {
        release: Release::C50,
        bti: false,
        writes: "oa-",
    },
    Line {
        release: Release::C50,
        bti: true,
        writes: "da-",
    },
];

impl Line {
    fn cluster(self) -> ClusterBuilder {
        let cluster = Cluster::builder(self.release).tokens(vec![vec![0]]);
        if self.bti {
            return cluster.setting("sstable", "{selected_format: bti}");
        }
        cluster
    }

    /// As the matrix has it: into the same line, or one step up, 3.11 also to 4.1 and 4.0 also to 5.0.
    fn goes_onto(self, target: Self) -> bool {
        let (from, to) = (self.release, target.release);
        from == to || (from < to && !(from == Release::C311 && to == Release::C50))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_is_restored_and_upgraded_or_refused() -> Result<()> {
    let stores = tempfile::tempdir()?;
    let mut digests = Vec::new();
    for (at, line) in LINES.into_iter().enumerate() {
        digests.push(backed_up(line, &stores.path().join(at.to_string())).await?);
    }
    for target in LINES {
        for (at, source) in LINES.into_iter().enumerate() {
            println!("{source:?} onto {target:?}");
            let store = stores.path().join(at.to_string());
            if source.goes_onto(target) {
                restored(target, &store, source, &digests[at]).await?;
            } else {
                refused(target, &store).await?;
            }
        }
    }
    Ok(())
}

/// What the line holds, as it shows it itself.
async fn backed_up(line: Line, store: &Path) -> Result<Digest> {
    let world = World::builder(line.cluster()).store(store).start().await?;
    world.fill().await?;
    world.add_cluster().await?;
    world.backup("before", "full").await?;
    world.digest().await
}

async fn restored(target: Line, store: &Path, source: Line, before: &Digest) -> Result<()> {
    let world = World::builder(target.cluster())
        .store(store)
        .start()
        .await?;
    world.add_cluster().await?;
    world.restore("before", "auto").await?;
    assert_same(before, &world.digest_as(source.release).await?);
    let files = world.live_data_files()?;
    let is_written = |name: &String| name.starts_with(target.writes);
    // One line reads both of its own formats, and upgrades neither.
    let same = source.release == target.release;
    assert!(
        !files.is_empty() && (same || files.iter().all(is_written)),
        "{files:?}"
    );
    Ok(())
}

async fn refused(target: Line, store: &Path) -> Result<()> {
    let world = World::builder(target.cluster())
        .store(store)
        .start()
        .await?;
    world.add_cluster().await?;
    let objects = folder_objects(store, "")?;
    let arguments = ["restore", "plan", "before", "--into", CLUSTER];
    let planned = world.cli().run(&arguments).await?.expect(3);
    let codes = planned.finding_codes();
    let is_named =
        |code: &String| code == "VERSION_DOWNGRADE" || code == "VERSION_PAIR_UNSUPPORTED";
    assert!(codes.iter().any(is_named), "{codes:?}");
    let arguments = [
        "restore", "start", "before", "--into", CLUSTER, "--wait", "--yes",
    ];
    world.cli().run(&arguments).await?.expect(3);
    assert_eq!(objects, folder_objects(store, "")?, "not even a pin");
    let keyspaces = world.live_data_files()?;
    assert_eq!(keyspaces, Vec::<String>::new(), "nothing is made");
    Ok(())
}
