//! Fetches JDK 11 and JDK 8 from the Debian suites that still have them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tracing::info;

use crate::cache::Cache;
use crate::debian::{self, Suite};
use crate::java::Java;
use crate::tools;

/// Debian's own build of patchelf, new enough for what is done here.
const OLD_STABLE: &str = "bullseye";
/// The only suite that still has JDK 8.
const UNSTABLE: &str = "sid";

/// The `java` program in a fetched entry, where there is one.
pub fn program_in(entry: &Path) -> Option<PathBuf> {
    let homes = fs::read_dir(entry.join("usr/lib/jvm")).ok()?;
    homes
        .flatten()
        .filter(|home| home.path().is_dir() && !home.path().is_symlink())
        .flat_map(|home| {
            [
                home.path().join("jre/bin/java"),
                home.path().join("bin/java"),
            ]
        })
        .find(|program| program.is_file() && !program.is_symlink())
}

pub fn fetch_11(cache: &Cache) -> Result<PathBuf> {
    let entry = cache.make(&Java::J11.entry(), |root, _| {
        info!("fetching JDK 11 from Debian {OLD_STABLE} into the lab cache");
        unpack(OLD_STABLE, &["openjdk-11-jre-headless"], root)?;
        debian::resolve_etc_links(&root.join("usr/lib/jvm"), root)
    })?;
    program_in(&entry).with_context(|| unusable(&entry))
}

/// JDK 8 is built for a newer C library than this machine may have, so it brings that library along.
pub fn fetch_8(cache: &Cache) -> Result<PathBuf> {
    let entry = cache.make(&Java::J8.entry(), |root, home| {
        info!("fetching JDK 8 and its libraries from Debian {UNSTABLE} into the lab cache");
        let packages = [
            "openjdk-8-jre-headless",
            "libc6",
            "zlib1g",
            "libgcc-s1",
            "libstdc++6",
        ];
        unpack(UNSTABLE, &packages, root)?;
        debian::resolve_etc_links(&root.join("usr/lib/jvm"), root)?;
        let program = program_in(root).with_context(|| unusable(root))?;
        bind_libraries(&patchelf(cache)?, &program, root, home)
    })?;
    program_in(&entry).with_context(|| unusable(&entry))
}

fn unpack(suite: &str, packages: &[&str], root: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    Suite::open(folder.path(), suite)?.unpack(packages, root)
}

/// Makes `program` load the C library of its own folder, by the paths that it will have in `home`.
fn bind_libraries(patchelf: &Path, program: &Path, root: &Path, home: &Path) -> Result<()> {
    let libraries = library_folder(root)?;
    let jre = program.ancestors().nth(2).with_context(|| unusable(root))?;
    let machine = if cfg!(target_arch = "aarch64") {
        "aarch64"
    } else {
        "amd64"
    };
    let loader = fs::read_dir(&libraries)?
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with("ld-linux"))
        .with_context(|| unusable(root))?;
    let at_home = |path: &Path| {
        home.join(path.strip_prefix(root).unwrap_or(path))
            .display()
            .to_string()
    };
    let folders = [
        jre.join("lib").join(machine).join("jli"),
        jre.join("lib").join(machine),
        libraries,
    ];
    let search: Vec<String> = folders.iter().map(|folder| at_home(folder)).collect();
    tools::run(
        Command::new(patchelf)
            .arg("--set-interpreter")
            .arg(at_home(&loader.path()))
            .args(["--force-rpath", "--set-rpath", &search.join(":")])
            .arg(program),
        "bind JDK 8 to its C library",
    )?;
    Ok(())
}

fn library_folder(root: &Path) -> Result<PathBuf> {
    let folders = fs::read_dir(root.join("usr/lib"))?.flatten();
    folders
        .map(|entry| entry.path())
        .find(|folder| folder.join("libc.so.6").exists())
        .with_context(|| unusable(root))
}

/// The machine's patchelf, or a fetched one.
fn patchelf(cache: &Cache) -> Result<PathBuf> {
    if let Some(program) = tools::find("patchelf") {
        return Ok(program);
    }
    let entry = cache.make("patchelf", |root, _| {
        info!("fetching patchelf from Debian {OLD_STABLE} into the lab cache");
        unpack(OLD_STABLE, &["patchelf"], root)
    })?;
    Ok(entry.join("usr/bin/patchelf"))
}

fn unusable(entry: &Path) -> String {
    format!(
        "no usable java in {}: remove that folder and fetch again",
        entry.display()
    )
}
