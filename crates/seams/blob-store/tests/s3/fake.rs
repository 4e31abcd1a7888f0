//! A fake of S3 for faults that the real server does not have. It knows one bucket and checks no signature.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use blob_store::S3Config;
use futures::future::BoxFuture;
use secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use crate::server::{BUCKET, PART_BYTES};

/// A request as it came, its body not decoded.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// What follows the bucket in the path.
    pub key: String,
    pub query: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Whether the query has this parameter.
    pub fn asks(&self, parameter: &str) -> bool {
        self.value(parameter).is_some()
    }

    pub fn value(&self, parameter: &str) -> Option<String> {
        let mut pairs = self
            .query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let (_, value) = pairs.find(|(name, _)| *name == parameter)?;
        Some(value.replace("%2F", "/"))
    }
}

#[derive(Debug, Clone, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection ends after so many bytes of the body.
    pub cut_after: Option<usize>,
}

impl Response {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            ..Self::default()
        }
    }

    /// An error of S3.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        Self::new(status, body)
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Reply = dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync;

/// The server; it ends with the value.
pub struct Fake {
    address: std::net::SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    _accepting: AbortOnDropHandle<()>,
}

impl Fake {
    /// Starts a server that responds as the function does.
    pub async fn start(reply: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::start_async(move |request| {
            let response = reply(&request);
            Box::pin(async move { response })
        })
        .await
    }

    pub async fn start_async(
        reply: impl Fn(Request) -> BoxFuture<'static, Response> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (reply, noted): (Arc<Reply>, _) = (Arc::new(reply), seen.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, reply.clone(), noted.clone()));
            }
        });
        Self {
            address,
            seen,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    pub fn config(&self) -> S3Config {
        S3Config {
            bucket: BUCKET.into(),
            region: "us-east-1".into(),
            endpoint: format!("http://{}", self.address),
            path_style: true,
            access_key_id: "fake".into(),
            secret_access_key: Some(Secret::new("fake")),
            part_size_bytes: PART_BYTES as u64,
            parallel_parts: 2,
            attempts_max: 3,
            ..S3Config::default()
        }
    }

    /// The requests so far.
    pub fn seen(&self) -> MutexGuard<'_, Vec<Request>> {
        self.seen.lock().expect("not poisoned")
    }
}

async fn serve(mut client: TcpStream, reply: Arc<Reply>, seen: Arc<Mutex<Vec<Request>>>) {
    let Some(request) = read(&mut client).await else {
        return;
    };
    let is_head = request.method == "HEAD";
    seen.lock().expect("not poisoned").push(request.clone());
    let response = reply(request).await;
    let mut text = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", response.status);
    if !response
        .headers
        .iter()
        .any(|(name, _)| *name == "content-length")
    {
        text.push_str(&format!("content-length: {}\r\n", response.body.len()));
    }
    for (name, value) in &response.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    if !is_head {
        let sent = response.cut_after.unwrap_or(response.body.len());
        bytes.extend_from_slice(&response.body[..sent]);
    }
    // The client may have gone.
    let _ = client.write_all(&bytes).await;
    let _ = client.shutdown().await;
}

/// `None` if the client closed the connection.
async fn read(client: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(Some(0), |text| text.parse().ok())?;
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if client.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = path.trim_start_matches('/').strip_prefix(BUCKET)?;
    Some(Request {
        method,
        key: key.trim_start_matches('/').to_owned(),
        query: query.to_owned(),
        headers,
        body,
    })
}

/// What the fake keeps, as a well-behaved store would.
#[derive(Clone, Default)]
pub struct Objects(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Objects {
    pub fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().expect("not poisoned")
    }

    /// Responds as S3 does to what these tests ask for.
    pub fn reply(&self, request: &Request) -> Response {
        let mut objects = self.lock();
        let key = request.key.clone();
        let is_conditional = request.has("if-none-match");
        match request.method.as_str() {
            "GET" if request.asks("list-type") => {
                let prefix = request.value("prefix").unwrap_or_default();
                let keys = objects.keys().filter(|key| key.starts_with(&prefix));
                let listed: String = keys
                    .map(|key| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>"))
                    .collect();
                Response::new(
                    200,
                    format!("<ListBucketResult>{listed}</ListBucketResult>"),
                )
            }
            "GET" if request.asks("uploads") => Response::new(200, "<ListMultipartUploadsResult/>"),
            "HEAD" if key.is_empty() => Response::new(200, ""),
            "GET" | "HEAD" => match objects.get(&key) {
                Some(bytes) => part(bytes, request.header("range")),
                None => Response::error(404, "NoSuchKey", "there is none"),
            },
            "POST" if request.asks("uploads") => Response::new(
                200,
                "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
            ),
            "PUT" if request.asks("partNumber") => {
                let part = format!(".parts/{key}");
                objects.insert(part, request.body.clone());
                Response::new(200, "").with("etag", "\"p\"")
            }
            "POST" if request.asks("uploadId") && is_conditional && objects.contains_key(&key) => {
                Response::error(412, "PreconditionFailed", "it exists")
            }
            "POST" if request.asks("uploadId") => {
                let body = objects.remove(&format!(".parts/{key}")).unwrap_or_default();
                objects.insert(key, body);
                Response::new(200, "<CompleteMultipartUploadResult/>")
            }
            "PUT" if is_conditional && objects.contains_key(&key) => {
                Response::error(412, "PreconditionFailed", "it exists")
            }
            "PUT" => {
                objects.insert(key, request.body.clone());
                Response::new(200, "").with("etag", "\"e\"")
            }
            "DELETE" => {
                let part = format!(".parts/{key}");
                let gone = if request.asks("uploadId") { part } else { key };
                objects.remove(&gone);
                Response::new(204, "")
            }
            _ => Response::error(501, "NotImplemented", "the fake does not know this"),
        }
    }
}

/// A whole object, or `bytes=10-19` of it.
fn part(bytes: &[u8], range: Option<&str>) -> Response {
    let tagged = |response: Response| response.with("etag", "\"e\"");
    let Some(range) = range else {
        return tagged(Response::new(200, bytes));
    };
    let (first, last) = range
        .trim_start_matches("bytes=")
        .split_once('-')
        .expect("a range");
    let (first, last): (usize, usize) =
        (first.parse().expect("first"), last.parse().expect("last"));
    if first >= bytes.len() {
        return Response::error(416, "InvalidRange", "it begins behind the end");
    }
    let end = (last + 1).min(bytes.len());
    let content_range = format!("bytes {first}-{}/{}", end - 1, bytes.len());
    tagged(Response::new(206, &bytes[first..end])).with("content-range", content_range)
}
