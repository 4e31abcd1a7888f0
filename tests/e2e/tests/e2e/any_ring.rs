//! A differential goes into a ring of another shape. The soak suite has more shapes and releases.

use anyhow::Result;
use e2e::World;
use e2e::moving::{Expected, backed_up_twice, restored};
use lab::{Cluster, Release};

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_3_11_grows() -> Result<()> {
    let store = tempfile::tempdir()?;
    let source = Cluster::builder(Release::C311).nodes(1).num_tokens(4);
    let before = backed_up_twice(source, store.path(), Release::C311).await?;
    let target = Cluster::builder(Release::C311)
        .name("larger")
        .nodes(2)
        .num_tokens(8);
    let world = World::builder(target).store(store.path()).start().await?;
    let expected = Expected {
        before: &before,
        read_as: Release::C311,
        sliced: true,
    };
    restored(&world, &[], expected).await?;
    Ok(())
}
