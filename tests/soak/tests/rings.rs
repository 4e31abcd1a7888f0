//! Backups go into rings of another shape: other numbers of nodes, tokens, racks and datacenters.

use anyhow::Result;
use e2e::moving::{Expected, backed_up, codes, restored};
use e2e::{CLUSTER, World};
use lab::{Cluster, Release};

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_4_0_shrinks_onto_4_1() -> Result<()> {
    let store = tempfile::tempdir()?;
    let source = Cluster::builder(Release::C40).nodes(2).num_tokens(4);
    let before = backed_up(source, store.path(), Release::C40).await?;
    let target = Cluster::builder(Release::C41)
        .name("smaller")
        .nodes(1)
        .num_tokens(8);
    let world = World::builder(target).store(store.path()).start().await?;
    // One node that holds everything takes everything as it is, from both.
    let expected = Expected {
        before: &before,
        read_as: Release::C40,
        sliced: false,
    };
    let plan = restored(&world, &[], expected).await?;
    assert!(codes(&plan).contains(&"REPLICATION_ADJUSTED"), "{plan}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_datacenters_of_5_0_goes_into_another() -> Result<()> {
    let store = tempfile::tempdir()?;
    let source = Cluster::builder(Release::C50)
        .layout(&[("dc1", "r1"), ("dc1", "r2"), ("dc2", "r1")])
        .num_tokens(4)
        .setting("storage_compatibility_mode", "CASSANDRA_4");
    let before = backed_up(source, store.path(), Release::C50).await?;
    let target = Cluster::builder(Release::C50)
        .name("elsewhere")
        .layout(&[("east", "a"), ("east", "b"), ("east", "c")])
        .num_tokens(4)
        // As 5.0 comes: it writes what 4.x writes.
        .setting("storage_compatibility_mode", "CASSANDRA_4");
    let world = World::builder(target).store(store.path()).start().await?;
    world.add_cluster().await?;
    // Nobody has said where its data is to go.
    let refused = world
        .cli()
        .run(&["restore", "plan", "moving", "--into", CLUSTER])
        .await?;
    assert_eq!(refused.code, 3, "{}", refused.stdout);
    assert!(
        refused
            .finding_codes()
            .contains(&"DATACENTER_UNMAPPED".to_owned()),
        "{}",
        refused.stdout
    );
    let expected = Expected {
        before: &before,
        read_as: Release::C50,
        sliced: true,
    };
    let plan = restored(&world, &["--datacenter", "dc1=east"], expected).await?;
    assert!(codes(&plan).contains(&"DATACENTER_LEFT_OUT"), "{plan}");
    Ok(())
}
