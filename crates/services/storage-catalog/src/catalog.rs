//! The catalog itself: a bucket, a clock, and caches.

use std::sync::atomic::AtomicBool;

use blob_store::Store;
use bucket::Bucket;
use chassis::Locks;
use chassis::work::PerTask;
use jiff::Timestamp;
use model::BackupRef;
use model::manifest::{Intent, Marker, Verification};

use crate::Clock;
use crate::cache::Cache;
use crate::list::Known;
use crate::verify::VerifyLimits;

/// Small documents that are read at once.
pub const READS_PARALLEL: usize = 16;
/// Nodes that are worked on at once; their manifests are the largest things that the catalog holds in memory.
pub const NODES_PARALLEL: usize = 4;

pub struct Catalog {
    pub store: Store,
    pub bucket: Bucket,
    clock: Clock,
    /// On each backup that is being changed in this process.
    pub locks: Locks<BackupRef>,
    pub manifests: Cache<Known>,
    /// What was read not from manifests but from kept summaries.
    pub summaries: Cache<Known>,
    pub intents: Cache<Intent>,
    pub pin_documents: Cache<Marker>,
    pub verification_documents: Cache<Verification>,
    /// Apart from those that lists read: a backup has up to a thousand.
    pub sample_documents: Cache<Verification>,
    /// Of tasks that verify.
    pub verify_limits: PerTask<VerifyLimits>,
    /// Whether the store has been found to create only what is not there.
    pub creates_once: AtomicBool,
}

impl Catalog {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            bucket: Bucket::new(store.clone()),
            store,
            clock,
            locks: Locks::default(),
            manifests: Cache::default(),
            summaries: Cache::default(),
            intents: Cache::default(),
            pin_documents: Cache::default(),
            verification_documents: Cache::default(),
            sample_documents: Cache::default(),
            verify_limits: PerTask::default(),
            creates_once: AtomicBool::new(false),
        }
    }

    /// The time with the precision that the wire has, so that what is stored is what is shown.
    pub fn now(&self) -> Timestamp {
        let now = (self.clock)();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
