//! One lock for each backup that is being changed in this process.
//!
//! What must hold between processes is shaken out in the bucket; the locks spare one process from racing itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use model::BackupRef;
use tokio::sync::OwnedMutexGuard;

#[derive(Default)]
pub struct Locks(Mutex<HashMap<BackupRef, Weak<tokio::sync::Mutex<()>>>>);

impl Locks {
    pub async fn lock(&self, backup: &BackupRef) -> OwnedMutexGuard<()> {
        self.of(backup).lock_owned().await
    }

    fn of(&self, backup: &BackupRef) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(backup).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(backup.clone(), Arc::downgrade(&lock));
        lock
    }
}
