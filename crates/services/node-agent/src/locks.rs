//! Locks by name: one piece of work at a time on each snapshot, restore or node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Locks by name.
#[derive(Clone, Default)]
pub struct Locks {
    named: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Locks {
    /// Waits until no other work holds this name.
    pub async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that are neither held nor waited for are dropped here, so the map stays as small as the work at hand.
            named.retain(|_, lock| Arc::strong_count(lock) > 1);
            named.entry(name.to_owned()).or_default().clone()
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_name_is_locked_once_and_others_are_free() {
        let locks = Locks::default();
        let first = locks.lock("a").await;
        let _other = locks.lock("b").await;
        let again = tokio::spawn({
            let locks = locks.clone();
            async move {
                locks.lock("a").await;
            }
        });
        tokio::task::yield_now().await;
        assert!(!again.is_finished());
        drop(first);
        again.await.unwrap();
    }
}
