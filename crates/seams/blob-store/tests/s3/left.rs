//! A fake store that keeps the parts of unfinished uploads, lists them, and shows what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::fake::{Objects, Request, Response};

#[derive(Default)]
pub struct Left {
    pub objects: Objects,
    uploads: Mutex<Uploads>,
}

#[derive(Default)]
struct Uploads {
    begun: usize,
    by_id: BTreeMap<String, Upload>,
    /// Those that are still listed though they are gone.
    ghosts: BTreeMap<String, String>,
    aborted: BTreeSet<String>,
}

#[derive(Default)]
struct Upload {
    key: String,
    /// What the listing shows of it beside key and id, as XML.
    listed: String,
    /// Number, then checksum and bytes.
    parts: BTreeMap<i32, (String, Vec<u8>)>,
}

impl Left {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().expect("not poisoned")
    }

    /// Lists an upload that does not exist.
    pub fn add_ghost(&self, key: &str, id: &str) {
        self.uploads().ghosts.insert(id.into(), key.into());
    }

    /// An upload as an earlier process has left it.
    pub fn add(&self, key: &str, id: &str, listed: &str, parts: &[(i32, Vec<u8>)]) {
        let part = |(number, bytes): &(i32, Vec<u8>)| {
            let checksum = aws_smithy_types::base64::encode(crc32fast::hash(bytes).to_be_bytes());
            (*number, (checksum, bytes.clone()))
        };
        let upload = Upload {
            key: key.into(),
            listed: listed.into(),
            parts: parts.iter().map(part).collect(),
        };
        self.uploads().by_id.insert(id.into(), upload);
    }

    /// The ids of the uploads that were aborted.
    pub fn aborted(&self) -> Vec<String> {
        self.uploads().aborted.iter().cloned().collect()
    }

    /// The uploads that are unfinished, with the numbers of their parts.
    pub fn unfinished(&self) -> Vec<(String, Vec<i32>)> {
        let uploads = self.uploads();
        let numbers = |upload: &Upload| upload.parts.keys().copied().collect();
        let all = uploads.by_id.iter();
        all.map(|(id, upload)| (id.clone(), numbers(upload)))
            .collect()
    }

    /// Responds as S3 does.
    pub fn reply(&self, request: &Request) -> Response {
        match (request.method.as_str(), request.value("uploadId")) {
            ("POST", None) if request.asks("uploads") => self.begin(request),
            ("GET", None) if request.asks("uploads") => self.list(),
            (_, Some(id)) => self.on_upload(request, &id),
            _ => self.objects.reply(request),
        }
    }

    fn begin(&self, request: &Request) -> Response {
        let mut uploads = self.uploads();
        uploads.begun += 1;
        let id = format!("new{}", uploads.begun);
        let upload = Upload {
            key: request.key.clone(),
            ..Upload::default()
        };
        uploads.by_id.insert(id.clone(), upload);
        let body = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        Response::new(200, body)
    }

    fn list(&self) -> Response {
        let uploads = self.uploads();
        let ghosts = uploads.ghosts.iter().map(|(id, key)| (id, key, ""));
        let own = uploads.by_id.iter();
        let all = ghosts.chain(own.map(|(id, it)| (id, &it.key, it.listed.as_str())));
        let listed: String = all
            .map(|(id, key, more)| {
                format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId>{more}</Upload>")
            })
            .collect();
        let body = format!("<ListMultipartUploadsResult>{listed}</ListMultipartUploadsResult>");
        Response::new(200, body)
    }

    fn on_upload(&self, request: &Request, id: &str) -> Response {
        let mut uploads = self.uploads();
        let Some(upload) = uploads.by_id.get_mut(id) else {
            return Response::error(404, "NoSuchUpload", "there is none");
        };
        match request.method.as_str() {
            "PUT" => {
                let number = request.value("partNumber").expect("a number");
                let checksum = request.header("x-amz-checksum-crc32").unwrap_or_default();
                let part = (checksum.to_owned(), request.body.clone());
                upload.parts.insert(number.parse().expect("digits"), part);
                Response::new(200, "").with("etag", "\"p\"")
            }
            "GET" => {
                let listed: String = upload.parts.iter().map(listed_part).collect();
                Response::new(200, format!("<ListPartsResult>{listed}</ListPartsResult>"))
            }
            "POST" => {
                let upload = uploads.by_id.remove(id).expect("is there");
                let parts = upload.parts.into_values().map(|(_, bytes)| bytes);
                let whole = parts.collect::<Vec<_>>().concat();
                self.objects.lock().insert(upload.key, whole);
                Response::new(200, "<CompleteMultipartUploadResult/>")
            }
            _ => {
                uploads.by_id.remove(id);
                uploads.aborted.insert(id.to_owned());
                Response::new(204, "")
            }
        }
    }
}

fn listed_part((number, (checksum, bytes)): (&i32, &(String, Vec<u8>))) -> String {
    let size = bytes.len();
    format!(
        "<Part><PartNumber>{number}</PartNumber><ETag>p</ETag><Size>{size}</Size>\
         <ChecksumCRC32>{checksum}</ChecksumCRC32></Part>"
    )
}
