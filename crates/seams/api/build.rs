//! Compiles the protos without protoc, and keeps their descriptors for gRPC reflection.

use std::path::PathBuf;

use prost::Message;

const SERVICES: &[&str] = &[
    "types",
    "node_agent",
    "storage_catalog",
    "planner",
    "task_runner",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../../proto");
    let files: Vec<PathBuf> = SERVICES
        .iter()
        .map(|name| root.join(format!("ringkeep/{name}/v1/{name}.proto")))
        .collect();
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    let descriptors = protox::compile(&files, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
