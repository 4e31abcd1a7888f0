//! A TCP connection between the task-runner and a service that the test can cut.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections until it is cut, and again once it is mended.
pub struct Wire {
    pub address: SocketAddr,
    is_cut: watch::Sender<bool>,
}

impl Wire {
    /// Leads to an address; it ends with the runtime.
    pub async fn to(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((down, _)) = listener.accept().await {
                tokio::spawn(relay(down, upstream, cut.clone()));
            }
        });
        Ok(Self { address, is_cut })
    }

    /// Ends all connections, and refuses new ones.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    pub fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

async fn relay(mut down: TcpStream, upstream: SocketAddr, mut cut: watch::Receiver<bool>) {
    if *cut.borrow_and_update() {
        return;
    }
    let Ok(mut up) = TcpStream::connect(upstream).await else {
        return;
    };
    // Both ends are dropped, however it ends.
    tokio::select! {
        _ = copy_bidirectional(&mut down, &mut up) => {}
        _ = cut.changed() => {}
    }
}
