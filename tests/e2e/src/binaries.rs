//! Finds the binaries that users run, as cargo has built them beside this test.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The path of a built binary of the workspace.
pub fn path(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe().context("where am I")?;
    let folder = this.parent().context("a test lies in a folder")?;
    // Tests lie in `deps`, binaries one above.
    let folder = match folder.file_name() {
        Some(last) if last == "deps" => {
            folder.parent().context("deps lies in the target folder")?
        }
        _ => folder,
    };
    let binary = folder.join(name);
    if !binary.is_file() {
        bail!(
            "{} is not built; run `cargo build --workspace --bins` first, or `make test`",
            binary.display()
        );
    }
    Ok(binary)
}
