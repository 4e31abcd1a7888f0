//! Restores across releases: the upgrade that works, and the downgrade that is refused with nothing touched.

use anyhow::Result;
use e2e::{CLUSTER, World, assert_same};
use lab::{Cluster, Release};

/// One node with the same token in every cluster of this file, so that all rings are alike.
fn ring() -> Vec<Vec<i64>> {
    vec![vec![0]]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_3_11_restores_into_4_1_and_is_upgraded() -> Result<()> {
    let store = tempfile::tempdir()?;
    let before = {
        let old = World::builder(Cluster::builder(Release::C311).tokens(ring()))
            .store(store.path())
            .start()
            .await?;
        old.fill().await?;
        old.add_cluster().await?;
        let digest = old.digest_as(Release::C311).await?;
        old.backup("last-of-3-11", "full").await?;
        digest
    };
    let new = World::builder(Cluster::builder(Release::C41).tokens(ring()))
        .store(store.path())
        .start()
        .await?;
    new.add_cluster().await?;
    let plan = new
        .cli()
        .ok(&["restore", "plan", "last-of-3-11", "--into", CLUSTER])
        .await?;
    assert!(
        plan.finding_codes()
            .contains(&"UPGRADE_SSTABLES_REQUIRED".to_owned())
    );
    let kinds: Vec<&str> = plan.json["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|step| step["kind"].as_str())
        .collect();
    assert!(kinds.contains(&"upgradesstables"), "{kinds:?}");

    new.restore("last-of-3-11", "auto").await?;
    assert_same(&before, &new.digest_as(Release::C311).await?);

    let formats = new.live_data_files()?;
    assert!(
        !formats.is_empty() && formats.iter().all(|name| name.starts_with("nb-")),
        "{formats:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_4_1_goes_into_another_cluster_of_5_0_and_is_upgraded() -> Result<()> {
    let store = tempfile::tempdir()?;
    let before = {
        let old = World::builder(Cluster::builder(Release::C41).tokens(ring()))
            .store(store.path())
            .start()
            .await?;
        old.fill().await?;
        old.add_cluster().await?;
        old.backup("moved", "full").await?;
        old.digest_as(Release::C41).await?
    };
    let new = World::builder(Cluster::builder(Release::C50).tokens(ring()))
        .store(store.path())
        .start()
        .await?;
    let cli = new.cli();
    let agent = &new.deployment.agents[0];
    cli.ok(&["cluster", "add", "staging", "--agent", agent])
        .await?;
    let plan = cli
        .ok(&["restore", "plan", "prod/moved", "--into", "staging"])
        .await?;
    for code in ["UPGRADE_SSTABLES_REQUIRED", "CONNECTIONS_STAY"] {
        assert!(plan.finding_codes().contains(&code.to_owned()), "{code}");
    }
    cli.ok(&[
        "restore",
        "start",
        "prod/moved",
        "--into",
        "staging",
        "--wait",
        "--yes",
    ])
    .await?;
    assert_same(&before, &new.digest_as(Release::C41).await?);
    let formats = new.live_data_files()?;
    assert!(
        !formats.is_empty() && formats.iter().all(|name| name.starts_with("oa-")),
        "{formats:?}"
    );
    // Two clusters share the bucket, and their backups may have the same name.
    cli.ok(&["backup", "create", "staging", "--name", "moved", "--wait"])
        .await?;
    for backup in ["prod/moved", "staging/moved"] {
        cli.ok(&["backup", "verify", backup]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_4_1_is_refused_by_4_0_with_nothing_touched() -> Result<()> {
    let store = tempfile::tempdir()?;
    {
        let newer = World::builder(Cluster::builder(Release::C41).tokens(ring()))
            .store(store.path())
            .start()
            .await?;
        newer.fill().await?;
        newer.add_cluster().await?;
        newer.backup("of-4-1", "full").await?;
    }
    let older = World::builder(Cluster::builder(Release::C40).tokens(ring()))
        .store(store.path())
        .start()
        .await?;
    older.fill().await?;
    older.add_cluster().await?;
    let before = older.digest().await?;
    let objects = e2e::folder_objects(store.path(), "")?;

    let plan = older
        .cli()
        .run(&["restore", "plan", "of-4-1", "--into", CLUSTER])
        .await?
        .expect(3);
    assert_eq!(plan.json["supported"], false);
    assert!(
        plan.finding_codes()
            .contains(&"VERSION_DOWNGRADE".to_owned())
    );
    older
        .cli()
        .run(&[
            "restore", "start", "of-4-1", "--into", CLUSTER, "--wait", "--yes",
        ])
        .await?
        .expect(3);
    older
        .cli()
        .run(&[
            "restore",
            "plan",
            "of-4-1",
            "--into",
            CLUSTER,
            "--allow-unlisted-version",
        ])
        .await?
        .expect(3);

    assert_same(&before, &older.digest().await?);
    assert_eq!(older.leftovers()?, Vec::<std::path::PathBuf>::new());
    assert_eq!(
        objects,
        e2e::folder_objects(store.path(), "")?,
        "not even a pin"
    );
    let tasks = older.cli().ok(&["task", "list"]).await?;
    assert_eq!(tasks.json.as_array().map(Vec::len), Some(0));
    Ok(())
}
