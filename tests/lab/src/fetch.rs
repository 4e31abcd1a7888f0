//! Brings the parts that a lab runs into the cache: Cassandra's jars from Maven; MinIO, grpcurl, etcd and fake-gcs-server
//! from Go; Azurite from npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::Instant;

use anyhow::{Context, Error, Result, ensure};
use tracing::{info, warn};

use crate::cache::Cache;
use crate::release::Release;
use crate::{java, tools};

/// The line of etcd that most clusters run.
const ETCD_VERSION: &str = "v3.6.16";
/// The first that keeps the preconditions of resumable uploads.
const FAKE_GCS_VERSION: &str = "v1.56.1";
/// The last one that runs on Node.js before 22.
const AZURITE_VERSION: &str = "3.35.0";

/// One thing that can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Cassandra(Release),
    Minio,
    Grpcurl,
    Etcd,
    FakeGcs,
    Azurite,
}

impl Part {
    pub fn all() -> Vec<Part> {
        let releases = Release::ALL.into_iter().rev().map(Part::Cassandra);
        releases
            .chain([
                Part::Minio,
                Part::Grpcurl,
                Part::Etcd,
                Part::FakeGcs,
                Part::Azurite,
            ])
            .collect()
    }

    /// Name of the entry in the cache.
    pub fn entry(self) -> String {
        match self {
            Part::Cassandra(release) => format!("cassandra-{}", release.version()),
            Part::Minio => "minio".to_owned(),
            Part::Grpcurl => "grpcurl".to_owned(),
            Part::Etcd => format!("etcd-{ETCD_VERSION}"),
            Part::FakeGcs => format!("fake-gcs-server-{FAKE_GCS_VERSION}"),
            Part::Azurite => format!("azurite-{AZURITE_VERSION}"),
        }
    }
}

impl FromStr for Part {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "minio" => Ok(Part::Minio),
            "grpcurl" => Ok(Part::Grpcurl),
            "etcd" => Ok(Part::Etcd),
            "fake-gcs" => Ok(Part::FakeGcs),
            "azurite" => Ok(Part::Azurite),
            _ => text.parse().map(Part::Cassandra).with_context(|| {
                format!(
                    "`{text}` cannot be fetched: use 3.11, 4.0, 4.1, 5.0, minio, grpcurl, etcd, fake-gcs or azurite"
                )
            }),
        }
    }
}

/// All parts, without those whose tests are skipped by name because this machine lacks what they run on.
pub fn fetchable() -> Vec<Part> {
    let mut parts = Part::all();
    let runs_node = ["node", "npm"]
        .into_iter()
        .all(|name| tools::find(name).is_some());
    if !runs_node {
        warn!("Node.js and npm are not on this machine: the tests on Azurite will be skipped");
        parts.retain(|part| *part != Part::Azurite);
    }
    parts
}

/// Fetches the part and all that it needs to run.
pub fn fetch(cache: &Cache, part: Part) -> Result<()> {
    let started = Instant::now();
    match part {
        Part::Cassandra(release) => {
            cassandra_jars(cache, release)?;
            java::ensure(cache, release.java())?;
        }
        Part::Minio => drop(minio(cache)?),
        Part::Grpcurl => drop(grpcurl(cache)?),
        Part::Etcd => drop(etcd(cache)?),
        Part::FakeGcs => drop(fake_gcs(cache)?),
        Part::Azurite => drop(azurite(cache)?),
    }
    info!(
        "{} is ready after {:.1} s",
        part.entry(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The folder of jars that is a whole server.
pub fn cassandra_jars(cache: &Cache, release: Release) -> Result<PathBuf> {
    jars_of_version(cache, release, release.version())
}

/// The same for another exact version of the line.
pub fn jars_of_version(cache: &Cache, release: Release, version: &str) -> Result<PathBuf> {
    let entry = cache.make(&format!("cassandra-{version}"), |folder, _| {
        let maven = tools::need("mvn")?;
        info!("fetching Cassandra {version} with Maven");
        let pom = folder.join("pom.xml");
        fs::write(&pom, render_pom(release, version))?;
        let lib = folder.join("lib");
        tools::run(
            Command::new(maven)
                .args(["-q", "-B", "dependency:copy-dependencies", "-f"])
                .arg(&pom)
                .arg(format!("-DoutputDirectory={}", lib.display())),
            &format!("fetch the jars of Cassandra {version}"),
        )?;
        let jar = lib.join(format!("cassandra-all-{version}.jar"));
        ensure!(
            jar.is_file(),
            "Maven has not copied {}: try again",
            jar.display()
        );
        Ok(())
    })?;
    Ok(entry.join("lib"))
}

pub fn minio(cache: &Cache) -> Result<PathBuf> {
    go_install(cache, Part::Minio, "github.com/minio/minio@latest")
}

pub fn grpcurl(cache: &Cache) -> Result<PathBuf> {
    go_install(
        cache,
        Part::Grpcurl,
        "github.com/fullstorydev/grpcurl/cmd/grpcurl@latest",
    )
}

/// The folder of `etcd` and `etcdctl`. Their modules replace others in their `go.mod`, which `go install` refuses, so they are
/// built as dependencies of a module made for it.
pub fn etcd(cache: &Cache) -> Result<PathBuf> {
    let name = Part::Etcd.entry();
    cache.make(&name, |folder, _| {
        let go = tools::need("go")?;
        info!("building {name} with Go, which takes some minutes the first time");
        let module = folder.join("module");
        fs::create_dir(&module)?;
        go_in(&go, &module, &["mod", "init", "etcd-of-lab"])?;
        for (program, package) in [
            ("etcd", "go.etcd.io/etcd/server/v3"),
            ("etcdctl", "go.etcd.io/etcd/etcdctl/v3"),
        ] {
            go_in(&go, &module, &["get", &format!("{package}@{ETCD_VERSION}")])?;
            let out = folder.join(program);
            go_in(
                &go,
                &module,
                &["build", "-o", &out.display().to_string(), package],
            )?;
        }
        Ok(())
    })
}

pub fn fake_gcs(cache: &Cache) -> Result<PathBuf> {
    let name = Part::FakeGcs.entry();
    let entry = cache.make(&name, |folder, _| {
        let go = tools::need("go")?;
        info!("building {name} with Go");
        let package = format!("github.com/fsouza/fake-gcs-server@{FAKE_GCS_VERSION}");
        go_build(&go, &package, folder, "local")
            .or_else(|_| go_build(&go, &package, folder, "auto"))
    })?;
    Ok(entry.join("fake-gcs-server"))
}

/// The script that Node.js runs.
pub fn azurite(cache: &Cache) -> Result<PathBuf> {
    let name = Part::Azurite.entry();
    let entry = cache.make(&name, |folder, _| {
        let npm = tools::need("npm")?;
        info!("fetching {name} with npm");
        let mut command = Command::new(npm);
        command.args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
        ]);
        command
            .arg(folder)
            .arg(format!("azurite@{AZURITE_VERSION}"));
        tools::run(&mut command, &format!("fetch {name}")).map(drop)
    })?;
    Ok(entry.join("node_modules/azurite/dist/src/blob/main.js"))
}

pub(crate) fn go_in(go: &Path, module: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(go);
    command
        .args(arguments)
        .current_dir(module)
        .env("CGO_ENABLED", "0");
    tools::run(&mut command, &format!("run go {arguments:?}")).map(drop)
}

fn go_install(cache: &Cache, part: Part, package: &str) -> Result<PathBuf> {
    let name = part.entry();
    let entry = cache.make(&name, |folder, _| {
        let go = tools::need("go")?;
        info!("building {name} with Go, which takes some minutes the first time");
        // The Go at hand is tried first: another toolchain is a download of its own.
        let local = go_build(&go, package, folder, "local");
        local.or_else(|_| go_build(&go, package, folder, "auto"))
    })?;
    Ok(entry.join(&name))
}

fn go_build(go: &Path, package: &str, folder: &Path, toolchain: &str) -> Result<()> {
    let mut command = Command::new(go);
    command
        .args(["install", package])
        .env("GOBIN", folder)
        .env("GOTOOLCHAIN", toolchain);
    tools::run(&mut command, &format!("build {package}")).map(drop)
}

fn render_pom(release: Release, version: &str) -> String {
    let mut dependencies = dependency("org.apache.cassandra", "cassandra-all", version, "");
    if release == Release::C311 {
        // 3.11 loads Thrift classes although nothing here speaks Thrift.
        dependencies += &dependency("org.apache.cassandra", "cassandra-thrift", version, "");
        // Its functions in Java are made with the old driver, which its own pom leaves out. The shaded
        // one alone does not bring a second netty along.
        dependencies += &dependency(
            "com.datastax.cassandra",
            "cassandra-driver-core",
            "3.0.1",
            "<classifier>shaded</classifier><exclusions><exclusion><groupId>*</groupId>\
             <artifactId>*</artifactId></exclusion></exclusions>",
        );
    }
    if version != release.version() && release == Release::C311 {
        // 3.0 and 3.7 leave out what their nodetool reads its arguments with.
        dependencies += &dependency("io.airlift", "airline", "0.6", "");
    }
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>ringkeep</groupId><artifactId>lab-cassandra</artifactId><version>1</version>\n  \
         <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
}

fn dependency(group: &str, artifact: &str, version: &str, more: &str) -> String {
    format!(
        "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version>{more}</dependency>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_3_11_asks_for_thrift() {
        assert!(render_pom(Release::C311, "3.11.19").contains("cassandra-thrift"));
        assert!(!render_pom(Release::C50, "5.0.5").contains("cassandra-thrift"));
        assert!(render_pom(Release::C50, "5.0.5").contains("<version>5.0.5</version>"));
    }
}
