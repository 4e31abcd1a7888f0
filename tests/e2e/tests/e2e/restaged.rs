//! Cassandra dies in the middle of an import and takes a staged SSTable with it: that one is staged again, and the restore
//! goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use e2e::{World, assert_same};
use lab::session::run;
use lab::{Cluster, Release};

const SSTABLES: usize = 4;

/// A nodetool whose first import of `many.t` loses one staged SSTable, loads the others, and kills Cassandra, which is
/// started again. It notes at each import how many SSTables are staged.
const NODETOOL: &str = r#"#!/bin/sh
bin=@BIN@
notes=@NOTES@
case " $* " in
*" import "*" many t "*)
    for staged; do :; done
    ls "$staged" | grep -c -- '-Data.db$' >> "$notes/imports"
    if mkdir "$notes/lost" 2>/dev/null; then
        lost=$(ls "$staged" | grep -- '-Data.db$' | head -n 1)
        rm "$staged/${lost%Data.db}"*
        "$bin/nodetool.real" "$@" >&2
        read -r pid start < "$bin/../run/pid"
        kill -KILL "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
        "$bin/start" >&2
        exit 1
    fi
    ;;
esac
exec "$bin/nodetool.real" "$@"
"#;

fn replace_nodetool(bin: &Path, notes: &Path) -> Result<()> {
    fs::create_dir_all(notes)?;
    let nodetool = bin.join("nodetool");
    fs::rename(&nodetool, bin.join("nodetool.real"))?;
    let script = NODETOOL
        .replace("@BIN@", &bin.display().to_string())
        .replace("@NOTES@", &notes.display().to_string());
    fs::write(&nodetool, script)?;
    fs::set_permissions(&nodetool, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// SSTables that no compaction joins.
async fn fill(world: &World) -> Result<()> {
    let session = world.cluster.session().await?;
    for statement in [
        "CREATE KEYSPACE many WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
        "CREATE TABLE many.t (id int PRIMARY KEY, v text) WITH compaction = {'class': 'SizeTieredCompactionStrategy', 'enabled': 'false'}",
    ] {
        run(&session, statement).await?;
    }
    for number in 0..SSTABLES {
        for row in 0..10 {
            let id = number * 10 + row;
            let insert = format!("INSERT INTO many.t (id, v) VALUES ({id}, 'row {id}')");
            run(&session, &insert).await?;
        }
        world.cluster.nodetool_all(&["flush", "many"]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sstable_that_a_dying_cassandra_has_lost_is_staged_again_and_no_other() -> Result<()> {
    let mut world = World::builder(Cluster::builder(Release::C41))
        .start()
        .await?;
    fill(&world).await?;
    world.add_cluster().await?;
    let before = world.cluster.digest(&["many"]).await?;
    world.backup("many", "full").await?;
    let session = world.cluster.session().await?;
    run(&session, "DELETE FROM many.t WHERE id = 7").await?;

    let notes = world.folder().join("notes");
    let bin = world.cluster.node(0).dir.join("bin");
    replace_nodetool(&bin, &notes)?;
    world.control_by_nodetool().await?;
    world.restore("many", "online").await?;

    assert_same(&before, &world.cluster.digest(&["many"]).await?);
    let imports = fs::read_to_string(notes.join("imports")).context("no import was seen")?;
    let imports: Vec<usize> = imports
        .lines()
        .map(|line| line.trim().parse().context("a count"))
        .collect::<Result<_>>()?;
    assert_eq!(imports.first(), Some(&SSTABLES), "{imports:?}");
    assert_eq!(imports.last(), Some(&1), "{imports:?}");
    assert_eq!(world.leftovers()?, Vec::<PathBuf>::new());
    Ok(())
}
