//! Locks by name within one process.
//!
//! Exclusion between processes is settled elsewhere, in the bucket or the state store; these locks only keep one process from
//! contending with itself.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

type Named<Name> = HashMap<Name, Weak<tokio::sync::Mutex<()>>>;

/// One lock for each name; clones share them.
pub struct Locks<Name>(Arc<Mutex<Named<Name>>>);

impl<Name> Default for Locks<Name> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<Name> Clone for Locks<Name> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Name: Eq + Hash> Locks<Name> {
    /// Waits until no other work holds this name.
    pub async fn lock<Key>(&self, name: &Key) -> OwnedMutexGuard<()>
    where
        Name: Borrow<Key>,
        Key: Eq + Hash + ToOwned<Owned = Name> + ?Sized,
    {
        self.named(name).lock_owned().await
    }

    /// The lock if no other work holds this name now.
    pub fn try_lock<Key>(&self, name: &Key) -> Option<OwnedMutexGuard<()>>
    where
        Name: Borrow<Key>,
        Key: Eq + Hash + ToOwned<Owned = Name> + ?Sized,
    {
        self.named(name).try_lock_owned().ok()
    }

    /// Whether work holds this name now, or waits for it.
    pub fn is_locked<Key>(&self, name: &Key) -> bool
    where
        Name: Borrow<Key>,
        Key: Eq + Hash + ?Sized,
    {
        let locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks.get(name).and_then(Weak::upgrade);
        lock.is_some_and(|lock| lock.try_lock().is_err())
    }

    fn named<Key>(&self, name: &Key) -> Arc<tokio::sync::Mutex<()>>
    where
        Name: Borrow<Key>,
        Key: Eq + Hash + ToOwned<Owned = Name> + ?Sized,
    {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Locks that are neither held nor waited for are dropped here, so the map stays as small as the work at hand.
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(name.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_name_is_locked_once_and_others_are_free() {
        let locks = Locks::<String>::default();
        let first = locks.lock("a").await;
        assert!(locks.try_lock("a").is_none());
        assert!(locks.try_lock("c").is_some());
        let _other = locks.lock("b").await;
        let again = tokio::spawn({
            let locks = locks.clone();
            async move {
                locks.lock("a").await;
            }
        });
        tokio::task::yield_now().await;
        assert!(!again.is_finished());
        assert!(locks.is_locked("a") && !locks.is_locked("c"));
        drop(first);
        again.await.unwrap();
        assert!(!locks.is_locked("a"));
    }

    #[tokio::test]
    async fn names_that_are_not_in_use_are_forgotten() {
        let locks = Locks::<String>::default();
        drop(locks.lock("a").await);
        let _held = locks.lock("b").await;
        let names: Vec<String> = locks.0.lock().unwrap().keys().cloned().collect();
        assert_eq!(names, ["b"]);
    }
}
