//! The parts of one object that are being sent at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::JoinSet;

use crate::parts::Parts;
use crate::{Put, StoreError};

/// An object that is sent in parts, in any order, and appears when it is completed.
#[async_trait]
pub trait InParts: Send + Sync + 'static {
    /// What the store wants to know of a part to complete the object.
    type Part: Send + 'static;
    /// The store's own limit.
    const PARTS_MAX: u64;

    fn key(&self) -> &str;
    fn store(&self) -> String;

    /// Sends the part of this number, from 1 on.
    async fn part(self: Arc<Self>, number: u32, bytes: Bytes) -> Result<Self::Part, StoreError>;

    /// Creates the object from all parts, in their order, unless there is one.
    async fn complete(&self, parts: Vec<Self::Part>) -> Result<Put, StoreError>;

    /// Discards what is of no use any more.
    async fn end(&self, put: &Result<Put, StoreError>);
}

pub struct Sending<U: InParts> {
    upload: Arc<U>,
    parallel: usize,
    tasks: JoinSet<Result<(u32, U::Part), StoreError>>,
    number: u32,
    sent: Vec<(u32, U::Part)>,
}

impl<U: InParts> Sending<U> {
    pub fn new(upload: Arc<U>, parallel: usize) -> Self {
        Self {
            upload,
            parallel,
            tasks: JoinSet::new(),
            number: 0,
            sent: Vec::new(),
        }
    }

    /// Sends all parts of a stream, of which the first has been read, and completes the object.
    pub async fn all_of(mut self, first: Bytes, parts: &mut Parts) -> Result<Put, StoreError> {
        let read = self.each(first, parts).await;
        self.finish(read).await
    }

    async fn each(&mut self, first: Bytes, parts: &mut Parts) -> Result<(), StoreError> {
        let mut next = Some(first);
        while let Some(bytes) = next {
            self.start(|upload, number| upload.part(number, bytes))
                .await?;
            next = parts.next().await?;
        }
        Ok(())
    }

    /// Starts to send the next part, and waits until another one may be read.
    pub async fn start<Sent>(
        &mut self,
        send: impl FnOnce(Arc<U>, u32) -> Sent,
    ) -> Result<(), StoreError>
    where
        Sent: Future<Output = Result<U::Part, StoreError>> + Send + 'static,
    {
        if u64::from(self.number) >= U::PARTS_MAX {
            let max = U::PARTS_MAX;
            let why =
                format!("the stream has more than {max} parts: give its size, or set larger parts");
            return Err(crate::source_error(self.upload.key(), why));
        }
        self.number += 1;
        let (sent, number) = (send(self.upload.clone(), self.number), self.number);
        self.tasks.spawn(async move { Ok((number, sent.await?)) });
        while self.tasks.len() >= self.parallel {
            self.join_one().await?;
        }
        Ok(())
    }

    /// Completes the object if all was read and sent.
    pub async fn finish(self, read: Result<(), StoreError>) -> Result<Put, StoreError> {
        self.finish_if(read, |_| Ok(())).await
    }

    /// Completes the object if all was read and sent, and the parts pass a check.
    pub async fn finish_if(
        mut self,
        read: Result<(), StoreError>,
        check: impl FnOnce(&[U::Part]) -> Result<(), StoreError>,
    ) -> Result<Put, StoreError> {
        let sent = self.all_sent(read).await;
        let checked = sent.and_then(|parts| check(&parts).map(|()| parts));
        let put = match checked {
            Ok(parts) => self.upload.complete(parts).await,
            Err(error) => {
                // Parts in flight would arrive after the end.
                self.tasks.shutdown().await;
                Err(error)
            }
        };
        self.upload.end(&put).await;
        put
    }

    /// All parts in order.
    async fn all_sent(&mut self, read: Result<(), StoreError>) -> Result<Vec<U::Part>, StoreError> {
        read?;
        while !self.tasks.is_empty() {
            self.join_one().await?;
        }
        let mut sent = std::mem::take(&mut self.sent);
        sent.sort_by_key(|(number, _)| *number);
        Ok(sent.into_iter().map(|(_, part)| part).collect())
    }

    async fn join_one(&mut self) -> Result<(), StoreError> {
        match self.tasks.join_next().await {
            Some(Ok(part)) => self.sent.push(part?),
            Some(Err(panicked)) => {
                return Err(StoreError::Other {
                    key: self.upload.key().to_owned(),
                    store: self.upload.store(),
                    source: panicked.into(),
                });
            }
            None => {}
        }
        Ok(())
    }
}
