//! Gives each cluster a block of loopback addresses of its own, so that all nodes keep the usual ports.
//!
//! A block is taken by a small file that names the folder of its owner; it is free again when that
//! folder is gone. A bind on each port guards against strangers that know nothing of the files.

use std::env;
use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

pub const NATIVE_PORT: u16 = 9042;
pub const STORAGE_PORT: u16 = 7000;

const BLOCKS: u16 = 1000;
pub const NODES_MAX: usize = 20;
/// Local JMX listens on 127.0.0.1 only, so that each node needs a port of its own; below the range of ephemeral ports.
const JMX_PORT_FIRST: u16 = 10_000;

/// A run of loopback addresses: `127.A.B.1` and on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block(u16);

impl Block {
    pub fn address(self, node: usize) -> IpAddr {
        let (high, low) = (64 + self.0 / 250, 1 + self.0 % 250);
        Ipv4Addr::new(127, high as u8, low as u8, 1 + node as u8).into()
    }

    pub fn jmx_port(self, node: usize) -> u16 {
        JMX_PORT_FIRST + self.0 * NODES_MAX as u16 + node as u16
    }

    /// Takes a free block for the cluster in `owner`.
    pub fn take(owner: &Path, nodes: usize) -> Result<Self> {
        Self::take_in(&registry()?, owner, nodes)
    }

    fn take_in(registry: &Path, owner: &Path, nodes: usize) -> Result<Self> {
        ensure!(
            (1..=NODES_MAX).contains(&nodes),
            "a cluster of {nodes} nodes does not fit: ask for 1 to {NODES_MAX}"
        );
        let lock_path = registry.join("lock");
        let lock = File::create(&lock_path)
            .with_context(|| format!("could not create {}", lock_path.display()))?;
        lock.lock()?;
        // Each process starts elsewhere, so that one that ignores the files is met less often.
        let first = (process::id() % u32::from(BLOCKS)) as u16;
        for step in 0..BLOCKS {
            let block = Block((first + step) % BLOCKS);
            if block.is_free(registry) && block.can_bind(nodes) {
                fs::write(block.file(registry), owner.display().to_string())?;
                return Ok(block);
            }
        }
        bail!("all {BLOCKS} blocks of loopback addresses are taken: end old labs with `lab down`")
    }

    /// Gives the block back.
    pub fn release(self) {
        if let Ok(registry) = registry() {
            let _ = fs::remove_file(self.file(&registry));
        }
    }

    fn file(self, registry: &Path) -> PathBuf {
        registry.join(self.0.to_string())
    }

    fn is_free(self, registry: &Path) -> bool {
        fs::read_to_string(self.file(registry)).map_or(true, |owner| !Path::new(&owner).is_dir())
    }

    fn can_bind(self, nodes: usize) -> bool {
        (0..nodes).all(|node| {
            let address = self.address(node);
            let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
            [
                (address, NATIVE_PORT),
                (address, STORAGE_PORT),
                (local, self.jmx_port(node)),
            ]
            .into_iter()
            .all(|target| TcpListener::bind(target).is_ok())
        })
    }
}

fn registry() -> Result<PathBuf> {
    let folder = env::temp_dir().join("ringkeep-lab-addresses");
    fs::create_dir_all(&folder)
        .with_context(|| format!("could not create {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clusters_never_share_a_block_and_a_vanished_owner_frees_his() {
        let registry = tempfile::tempdir().unwrap();
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Block::take_in(registry.path(), one.path(), 3).unwrap();
        let second = Block::take_in(registry.path(), two.path(), 3).unwrap();
        assert_ne!(first, second);
        drop(one);
        assert!(first.is_free(registry.path()));
        assert!(!second.is_free(registry.path()));
    }

    #[test]
    fn addresses_and_ports_of_all_blocks_are_distinct_and_valid() {
        let mut seen = std::collections::HashSet::new();
        for block in (0..BLOCKS).map(Block) {
            assert!(seen.insert(block.address(0).to_string()));
            assert!(block.address(NODES_MAX - 1).is_loopback());
            assert!(block.jmx_port(NODES_MAX - 1) < 32_768);
        }
    }
}
