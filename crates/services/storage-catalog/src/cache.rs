//! Remembers what was read from objects, as long as the listing says that they are the same objects.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use blob_store::Meta;

/// With more than this, each further one takes the place of another: reading again costs time, not correctness.
pub const ENTRIES_MAX: usize = 20_000;

/// Keyed by object key; valid for one size and tag.
pub struct Cache<T>(Mutex<HashMap<String, (u64, String, T)>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Cache<T> {
    pub fn get(&self, meta: &Meta) -> Option<T> {
        self.look(meta, T::clone)
    }

    pub fn has(&self, meta: &Meta) -> bool {
        self.look(meta, |_| ()).is_some()
    }

    fn look<U>(&self, meta: &Meta, then: impl FnOnce(&T) -> U) -> Option<U> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(&meta.key) {
            Some((size, tag, value)) if (*size, tag) == (meta.size, &meta.tag) => Some(then(value)),
            _ => None,
        }
    }

    pub fn put(&self, meta: &Meta, value: T) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX && !entries.contains_key(&meta.key) {
            let any = entries.keys().next().cloned();
            any.and_then(|any| entries.remove(&any));
        }
        entries.insert(meta.key.clone(), (meta.size, meta.tag.clone(), value));
    }
}
