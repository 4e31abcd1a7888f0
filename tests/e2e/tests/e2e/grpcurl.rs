//! The grpcurl lines of the docs, run as they are against a running service.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use e2e::{Deployment, Shape, Store};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/running.md");

#[tokio::test(flavor = "multi_thread")]
async fn the_grpcurl_lines_of_the_docs_work() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Store::Folder(folder.path().join("store"));
    let deployment = Deployment::start(Shape::Standalone, &[], &store, folder.path(), None).await?;
    let address = deployment
        .cli
        .endpoint
        .trim_start_matches("http://")
        .to_owned();
    let lines = lines("grpcurl ")?;
    assert!(lines.len() >= 4, "the page shows how to use grpcurl");
    let grpcurl = lab::grpcurl(&lab::Cache::open()?)?;
    for line in lines {
        let line = line.replace("127.0.0.1:7400", &address);
        let (code, output) = shell(&grpcurl, &line)?;
        assert_eq!(code, Some(0), "{line}\n{output}");
    }
    let (_, services) = shell(&grpcurl, &format!("grpcurl -plaintext {address} list"))?;
    for service in [
        "TaskRunner",
        "StorageCatalog",
        "Planner",
        "grpc.health.v1.Health",
    ] {
        assert!(
            services.contains(service),
            "{service} is not in\n{services}"
        );
    }
    Ok(())
}

/// The page's indented lines that start with a word.
fn lines(start: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(PAGE).context("read docs/running.md")?;
    Ok(text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(start))
        .map(str::to_owned)
        .collect())
}

fn shell(grpcurl: &Path, line: &str) -> Result<(Option<i32>, String)> {
    let folder = grpcurl.parent().context("a program lies in a folder")?;
    let path = format!("{}:{}", folder.display(), std::env::var("PATH")?);
    let output = Command::new("sh")
        .args(["-c", line])
        .env("PATH", path)
        .output()?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((output.status.code(), text))
}
