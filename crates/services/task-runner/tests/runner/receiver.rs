//! A receiver of webhooks that keeps what it was sent, and replies as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::world::DEADLINE;

/// One message.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its first line and its headers.
    pub head: Vec<String>,
    pub event: Value,
    /// What was replied.
    pub status: u16,
}

/// A server on a port of its own. Clones share it.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    /// The next replies; then 200. 0 is none: the connection hangs.
    replies: VecDeque<u16>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = Self {
            url,
            state: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        receiver
    }

    /// What it replies to the next messages.
    pub fn reply(&self, statuses: &[u16]) {
        let mut state = self.state.lock().expect("no panic");
        state.replies.extend(statuses);
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().expect("no panic").received.clone()
    }

    /// The names of the events that were taken, with the ids of those that came again left out.
    pub fn taken(&self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut names = Vec::new();
        for message in self
            .received()
            .iter()
            .filter(|message| message.status == 200)
        {
            let id = message.event["id"].clone();
            if !ids.contains(&id) {
                ids.push(id);
                names.push(message.event["event"].as_str().expect("a name").to_owned());
            }
        }
        names
    }

    pub async fn until(&self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let until = Instant::now() + 3 * DEADLINE;
        while !wanted(self) {
            assert!(Instant::now() < until, "{what}: {:#?}", self.received());
            sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let length = head.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().ok())?
        });
        let mut body = vec![0; length.expect("a length")];
        stream.read_exact(&mut body).await.expect("a body");
        let event = serde_json::from_slice(&body).expect("JSON");
        let status = {
            let mut state = self.state.lock().expect("no panic");
            let status = state.replies.pop_front().unwrap_or(200);
            state.received.push(Received {
                head,
                event,
                status,
            });
            status
        };
        if status == 0 {
            std::future::pending::<()>().await;
        }
        let reply =
            format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // Whoever has sent it may be gone.
        let _ = stream.write_all(reply.as_bytes()).await;
    }
}
