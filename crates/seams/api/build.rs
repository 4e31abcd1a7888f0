//! Compiles the protos without protoc, and keeps the descriptors of each for gRPC reflection.

use std::path::PathBuf;

use prost::Message;

const PACKAGES: &[&str] = &[
    "types",
    "node_agent",
    "storage_catalog",
    "planner",
    "task_runner",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../../proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut files = Vec::new();
    for name in PACKAGES {
        let file = root.join(format!("ringkeep/{name}/v1/{name}.proto"));
        println!("cargo:rerun-if-changed={}", file.display());
        let descriptors = protox::compile([&file], [&root])?;
        std::fs::write(
            out.join(name).with_extension("bin"),
            descriptors.encode_to_vec(),
        )?;
        files.push(file);
    }
    let descriptors = protox::compile(&files, [&root])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
