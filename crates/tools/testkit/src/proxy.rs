//! A TCP proxy that makes trouble when a test asks for it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

const BUFFER_BYTES: usize = 16 << 10;

/// Stands between a client and a server on this machine; gone, with its connections, when dropped.
pub struct TcpProxy {
    address: SocketAddr,
    trouble: Arc<Mutex<Trouble>>,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Trouble {
    delay: Duration,
    refusing: bool,
    /// Breaks the connections that are open now.
    cut: CancellationToken,
    /// Ends what clients send, of the connections that are open now, while replies still pass.
    half_close: CancellationToken,
    accepted: usize,
}

impl TcpProxy {
    /// A proxy before a server, on a port of its own.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let trouble = Arc::new(Mutex::new(Trouble::default()));
        let accepting = tokio::spawn(accept(listener, server, Arc::clone(&trouble)));
        Self {
            address,
            trouble,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on every piece of data waits this long, in both directions.
    pub fn delay(&self, delay: Duration) {
        self.trouble().delay = delay;
    }

    /// Breaks every open connection, and each new one at once, until [`TcpProxy::heal`].
    pub fn cut(&self) {
        let mut trouble = self.trouble();
        trouble.refusing = true;
        std::mem::take(&mut trouble.cut).cancel();
    }

    /// Breaks the open connections only.
    pub fn cut_once(&self) {
        std::mem::take(&mut self.trouble().cut).cancel();
    }

    /// Closes the client's side of every open connection, as seen by the server; replies still pass.
    pub fn half_close(&self) {
        std::mem::take(&mut self.trouble().half_close).cancel();
    }

    /// No delay, and new connections pass.
    pub fn heal(&self) {
        let mut trouble = self.trouble();
        trouble.delay = Duration::ZERO;
        trouble.refusing = false;
    }

    /// Connections that passed until now.
    pub fn accepted(&self) -> usize {
        self.trouble().accepted
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        lock(&self.trouble)
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.cut();
    }
}

fn lock(trouble: &Mutex<Trouble>) -> MutexGuard<'_, Trouble> {
    trouble.lock().expect("no holder of the lock panics")
}

async fn accept(listener: TcpListener, server: SocketAddr, trouble: Arc<Mutex<Trouble>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (cut, half_close) = {
            let mut trouble = lock(&trouble);
            if trouble.refusing {
                continue;
            }
            trouble.accepted += 1;
            (trouble.cut.clone(), trouble.half_close.clone())
        };
        let trouble = Arc::clone(&trouble);
        tokio::spawn(async move {
            let pass = connect(client, server, trouble, half_close);
            // Dropping both sockets is the cut.
            cut.run_until_cancelled(pass).await
        });
    }
}

async fn connect(
    client: TcpStream,
    server: SocketAddr,
    trouble: Arc<Mutex<Trouble>>,
    half_close: CancellationToken,
) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let never = CancellationToken::new();
    tokio::join!(
        pump(from_client, to_server, &trouble, half_close),
        pump(from_server, to_client, &trouble, never),
    );
}

/// Passes data on until its source or `stop` ends it, and passes the end on too.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    trouble: &Mutex<Trouble>,
    stop: CancellationToken,
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = stop.run_until_cancelled(from.read(&mut buffer)).await;
        let Some(Ok(length @ 1..)) = read else {
            break;
        };
        let delay = lock(trouble).delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Answers every byte with itself until its client sends no more, and then with a full stop.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut byte = [0];
                    while let Ok(1) = stream.read(&mut byte).await {
                        stream.write_all(&byte).await.unwrap();
                    }
                    let _ = stream.write_all(b".").await;
                });
            }
        });
        address
    }

    async fn ask(stream: &mut TcpStream) -> std::io::Result<u8> {
        stream.write_all(b"x").await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn it_passes_delays_cuts_and_heals() {
        let proxy = TcpProxy::before(echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');

        proxy.delay(Duration::from_millis(30));
        let begun = Instant::now();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        assert!(begun.elapsed() >= Duration::from_millis(60));

        proxy.cut();
        assert!(ask(&mut stream).await.is_err());
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut refused).await.is_err());

        proxy.heal();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        assert_eq!(proxy.accepted(), 2);
    }

    #[tokio::test]
    async fn a_half_closed_connection_still_carries_answers() {
        let proxy = TcpProxy::before(echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), b'x');
        proxy.half_close();
        assert_eq!(stream.read_u8().await.unwrap(), b'.');
    }
}
