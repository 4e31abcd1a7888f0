//! Ports for servers that are started by tests, on 127.0.0.1.
//!
//! Not those that the kernel gives out: between the choice and the start of the server, one of those may become the port of a
//! client, of another server, or of the very connection that looks whether the server listens.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};

/// Below those that Linux gives out (`net.ipv4.ip_local_port_range`, from 32768), and without the usual ones of Cassandra.
const PORTS: Range<u16> = 10_000..30_000;

/// A port that nobody listens on now. One process never gets it again, and others get it only by chance.
pub fn free_port() -> Result<u16> {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(0) >> 1));
    let count = u64::from(PORTS.end - PORTS.start);
    for _ in 0..count {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) % count;
        let port = PORTS.start + number as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port of {PORTS:?} is free");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_out_twice_or_while_it_is_taken() {
        let first = free_port().unwrap();
        let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let second = free_port().unwrap();
        assert!(PORTS.contains(&first) && PORTS.contains(&second));
        assert_ne!(first, second);
    }
}
