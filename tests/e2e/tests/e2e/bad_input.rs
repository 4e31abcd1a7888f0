//! What goes wrong in real life: names, damage, disks. One node, many mistakes.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use e2e::{CLUSTER, World, assert_same, folder_objects};
use lab::{Cluster, Release};

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_and_damage_are_named_and_nothing_is_lost() -> Result<()> {
    let world = World::builder(Cluster::builder(Release::C50))
        .start()
        .await?;
    world.fill().await?;
    world.add_cluster().await?;
    let before = world.digest().await?;
    world.backup("good", "full").await?;

    names(&world).await?;
    damage(&world).await?;
    damaged_at_the_source(&world).await?;
    from_the_future(&world).await?;
    unreadable_data(&world).await?;

    assert_same(&before, &world.digest().await?);
    world.cli().ok(&["backup", "verify", "good"]).await?;
    let deep = ["backup", "verify", "good", "--level", "sstables"];
    world.cli().ok(&deep).await?;
    Ok(())
}

async fn names(world: &World) -> Result<()> {
    let cli = world.cli();
    let unknown = cli
        .run(&["backup", "create", "nowhere", "--wait"])
        .await?
        .expect(5);
    assert!(unknown.stderr.contains("nowhere"), "{}", unknown.stderr);
    let twice = cli
        .run(&["backup", "create", CLUSTER, "--name", "good", "--wait"])
        .await?
        .expect(1);
    assert!(twice.stderr.contains("good"), "{}", twice.stderr);
    let long = "x".repeat(300);
    for bad in ["a/b", "a b", "", "..", &long] {
        let answer = cli
            .run(&["backup", "create", CLUSTER, "--name", bad, "--wait"])
            .await?;
        assert_eq!(answer.code, 2, "{bad:?}: {}", answer.stderr);
    }
    cli.run(&["backup", "show", "missing"]).await?.expect(5);
    cli.run(&["restore", "plan", "missing", "--into", CLUSTER])
        .await?
        .expect(5);
    cli.run(&["restore", "plan", "good", "--into", "nowhere"])
        .await?
        .expect(5);
    let keyspace = [
        "backup",
        "create",
        CLUSTER,
        "--keyspace",
        "missing",
        "--wait",
    ];
    cli.run(&keyspace).await?.expect(3);
    let list = cli.ok(&["backup", "list"]).await?;
    assert_eq!(
        list.json.as_array().map(Vec::len),
        Some(1),
        "{}",
        list.stdout
    );
    Ok(())
}

/// Truncates and flips stored objects one after the other; each is found, named, and refused by a restore.
async fn damage(world: &World) -> Result<()> {
    let mut data = folder_objects(world.store_folder()?, "-Data.db")?;
    if data.is_empty() {
        // It is small, and in packs.
        data = folder_objects(world.store_folder()?, "/.packs/")?;
    }
    let biggest = data
        .iter()
        .max_by_key(|path| path.metadata().map(|meta| meta.len()).unwrap_or(0))
        .context("the store holds data")?;
    let whole = fs::read(biggest)?;

    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    damaged(world, biggest, &flipped, &["objects", "sstables"]).await?;
    damaged(
        world,
        biggest,
        &whole[..whole.len() - 1],
        &["manifest", "objects", "sstables"],
    )
    .await?;
    refused_by_restore(world, biggest, &flipped).await?;

    fs::remove_file(biggest)?;
    let report = world
        .cli()
        .run(&["backup", "verify", "good", "--level", "manifest"])
        .await?
        .expect(4);
    assert_eq!(report.json["ok"], false);
    let plan = ["restore", "plan", "good", "--into", CLUSTER];
    let plan = world.cli().run(&plan).await?.expect(3);
    assert!(plan.finding_codes().contains(&"OBJECTS_MISSING".to_owned()));
    write(biggest, &whole)?;

    let manifest = folder_objects(world.store_folder()?, "/nodes/")?.remove(0);
    let whole = fs::read(&manifest)?;
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    write(&manifest, &flipped)?;
    world
        .cli()
        .run(&["backup", "verify", "good", "--level", "manifest"])
        .await?
        .expect(4);
    write(&manifest, &whole)?;
    world.cli().ok(&["backup", "verify", "good"]).await?;
    Ok(())
}

/// Puts other bytes in an object's place, expects each level to find it and name it, and puts it right again.
async fn damaged(world: &World, object: &Path, bytes: &[u8], levels: &[&str]) -> Result<()> {
    let whole = fs::read(object)?;
    write(object, bytes)?;
    for level in levels {
        let report = world
            .cli()
            .run(&["backup", "verify", "good", "--level", level])
            .await?
            .expect(4);
        let damage = report.json["damage"][0].clone();
        let name = object.file_name().unwrap_or_default().to_string_lossy();
        let named = damage["object"].as_str().unwrap_or_default();
        assert!(named.ends_with(name.as_ref()), "{damage}");
        if named.ends_with("-Data.db") {
            assert_eq!(damage["component"], "Data.db");
        }
        for part in ["keyspace", "table", "sstable", "component"] {
            let word = damage[part].as_str().unwrap_or_default();
            assert!(!word.is_empty(), "{part}: {damage}");
        }
    }
    write(object, &whole)
}

/// A restore that meets damage fails before it replaces anything.
async fn refused_by_restore(world: &World, object: &Path, bytes: &[u8]) -> Result<()> {
    let whole = fs::read(object)?;
    let before = world.digest().await?;
    write(object, bytes)?;
    let arguments = [
        "restore", "start", "good", "--into", CLUSTER, "--wait", "--yes",
    ];
    let failed = world.cli().run(&arguments).await?;
    assert!(
        matches!(failed.code, 1 | 4),
        "{} {}",
        failed.code,
        failed.stderr
    );
    assert_same(&before, &world.digest().await?);
    write(object, &whole)?;
    let tasks = world.cli().ok(&["task", "list"]).await?;
    let task = tasks.json[0]["id"]
        .as_str()
        .context("the restore is a task")?
        .to_owned();
    world.cli().ok(&["task", "resume", &task]).await?;
    let ended = e2e::until_final(world.cli(), &task).await?;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_same(&before, &world.digest().await?);
    Ok(())
}

/// A bit that flips on a node's disk fails the backup with its place, unless it is to be kept; then it is told wherever
/// the backup is looked at.
async fn damaged_at_the_source(world: &World) -> Result<()> {
    let cli = world.cli();
    let data = folder_objects(&table_folder(world, "shop")?, "-Data.db")?
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("/snapshots/"))
        .max_by_key(|path| path.metadata().map(|meta| meta.len()).unwrap_or(0))
        .context("the table has data")?;
    flip(&data)?;
    let name = data.file_name().unwrap_or_default().to_string_lossy();

    let failed = cli
        .run(&["backup", "create", CLUSTER, "--name", "hurt", "--wait"])
        .await?
        .expect(1);
    for word in [name.as_ref(), "at byte", "--keep-damaged"] {
        assert!(
            failed.stderr.contains(word) || failed.stdout.contains(word),
            "{word}: {} {}",
            failed.stdout,
            failed.stderr
        );
    }
    let keep = [
        "backup",
        "create",
        CLUSTER,
        "--name",
        "kept",
        "--keep-damaged",
        "--wait",
    ];
    let kept = cli.ok(&keep).await?;
    assert_eq!(
        kept.json["result"]["damaged_sstables"], 1,
        "{}",
        kept.stdout
    );
    let shown = cli.ok(&["backup", "show", "kept"]).await?;
    let damage = &shown.json["nodes"][0]["damaged"][0];
    assert_eq!(damage["keyspace"], "shop", "{}", shown.stdout);
    assert_eq!(damage["component"], "Data.db", "{}", shown.stdout);

    cli.ok(&["backup", "verify", "kept", "--level", "objects"])
        .await?;
    let report = cli
        .run(&["backup", "verify", "kept", "--level", "sstables"])
        .await?
        .expect(4);
    let damage = report.json["damage"].as_array();
    let damage = damage.context("the report has damage")?;
    for damage in damage {
        let what = damage["what"].as_str().unwrap_or_default();
        assert!(what.contains("on the node"), "{damage}");
        let part = |field: &str| damage[field].as_str().unwrap_or_default().to_owned();
        let file = format!("{}-{}", part("sstable"), part("component"));
        assert_eq!(file, name, "{damage}");
        let object = part("object");
        assert!(
            object.ends_with(&file) || object.contains("/.packs/"),
            "{damage}"
        );
    }
    assert!(
        damage.iter().any(|damage| damage["offset"].is_u64()),
        "{}",
        report.stdout
    );
    let plan = cli
        .ok(&["restore", "plan", "kept", "--into", CLUSTER])
        .await?;
    let findings = plan.json["findings"].as_array();
    let codes = findings
        .into_iter()
        .flatten()
        .map(|finding| &finding["code"]);
    assert!(
        codes.into_iter().any(|code| code == "BACKUP_DAMAGED"),
        "{}",
        plan.stdout
    );
    flip(&data)
}

/// Flips a bit in the middle of a file that Cassandra may have open.
fn flip(path: &Path) -> Result<()> {
    let file = fs::File::options().read(true).write(true).open(path)?;
    let middle = file.metadata()?.len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle)?;
    byte[0] ^= 0x10;
    file.write_all_at(&byte, middle)?;
    Ok(())
}

async fn from_the_future(world: &World) -> Result<()> {
    let store = world.store_folder()?;
    let good = folder_objects(store, "/backups/")?.remove(0);
    let text = fs::read_to_string(&good)?;
    let future = good.with_file_name("tomorrow.json");
    fs::write(&future, text.replacen("\"format\":1", "\"format\":99", 1))?;
    let shown = world.cli().run(&["backup", "show", "tomorrow"]).await?;
    assert_ne!(shown.code, 0);
    assert!(shown.stderr.contains("newer Ringkeep"), "{}", shown.stderr);
    world.cli().ok(&["backup", "show", "good"]).await?;
    fs::remove_file(future)?;
    Ok(())
}

/// A data folder that the agent cannot read fails the backup; it never becomes an empty good one.
async fn unreadable_data(world: &World) -> Result<()> {
    let folder = table_folder(world, "shop")?;
    let hidden = folder.with_file_name("hidden-by-the-test");
    if nix::unistd::geteuid().is_root() {
        // Root reads everything: take the folder away instead.
        fs::rename(&folder, &hidden)?;
    } else {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o000))?;
    }
    let failed = world
        .cli()
        .run(&["backup", "create", CLUSTER, "--name", "blind", "--wait"])
        .await?;
    if hidden.exists() {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::rename(&hidden, &folder)?;
    } else {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    }
    assert_ne!(failed.code, 0, "{}", failed.stdout);
    let list = world.cli().ok(&["backup", "list"]).await?;
    let blind = list
        .json
        .as_array()
        .into_iter()
        .flatten()
        .find(|backup| backup["name"] == "blind");
    assert!(
        blind.is_none_or(|backup| backup["state"] != "complete"),
        "an unreadable folder must not make a good backup: {}",
        list.stdout
    );
    Ok(())
}

/// The folder of the first table of a keyspace that has SSTables.
fn table_folder(world: &World, keyspace: &str) -> Result<PathBuf> {
    let data = &world.cluster.node(0).data_dirs[0];
    let file = folder_objects(&data.join(keyspace), "-Data.db")?
        .into_iter()
        .find(|path| !path.to_string_lossy().contains("/snapshots/"))
        .context("the keyspace has data")?;
    Ok(file
        .parent()
        .context("a file lies in a folder")?
        .to_path_buf())
}

/// Writes over an object as damage would, whatever its permissions.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_fails_the_backup_with_words() -> Result<()> {
    let Some(full) = SmallDisk::mount(2 << 20)? else {
        println!(
            "skipped: a_full_store_fails_the_backup_with_words needs root to mount a small disk"
        );
        return Ok(());
    };
    let world = World::builder(Cluster::builder(Release::C50))
        .store(&full.path().join("store"))
        .start()
        .await?;
    world.fill().await?;
    world.add_cluster().await?;
    // Room for what is written before the upload, and for less than the upload itself.
    let filler = vec![0x5a; (2 << 20) - (96 << 10)];
    fs::write(full.path().join("filler"), filler)?;
    let failed = world
        .cli()
        .run(&["backup", "create", CLUSTER, "--name", "full", "--wait"])
        .await?;
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    let said = failed.stderr.to_lowercase();
    assert!(
        said.contains("space") || said.contains("full"),
        "{}",
        failed.stderr
    );
    let list = world.cli().ok(&["backup", "list"]).await?;
    assert!(!list.stdout.contains("\"complete\""), "{}", list.stdout);
    assert_eq!(world.leftovers()?, Vec::<PathBuf>::new());
    Ok(())
}

/// A small disk in memory, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(bytes: u64) -> Result<Option<Self>> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let size = format!("size={bytes}");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .status()?
            .success();
        Ok(mounted.then_some(Self(folder)))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0.path())
            .status();
    }
}
