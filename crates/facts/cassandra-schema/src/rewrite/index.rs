//! Rewrites indexes for the target's release, or leaves them out.

use super::{Rewrite, Work};
use crate::index::{Index, IndexKind, LEGACY_INDEX};
use crate::order::Object;

impl Work<'_> {
    /// Rewrites an index; returns whether it is kept.
    pub(super) fn index(&mut self, index: &mut Index) -> bool {
        let key = Object::Index(index).key();
        if self.wanted(Object::Index(index), Rewrite::LeaveIndexOut) {
            let before = index.to_cql().join(";\n");
            return !self.take(key, Rewrite::LeaveIndexOut, before, "");
        }
        let release = &self.target.release;
        let mut named = index.clone();
        let rewrite = match index.kind() {
            IndexKind::Legacy => {
                named.is_custom = false;
                named.class = release
                    .names_legacy_index()
                    .then(|| LEGACY_INDEX.to_owned());
                Rewrite::NameLegacyIndex
            }
            // Only 5.0 has `CREATE INDEX … USING 'sai'`; every release with the index understands its class.
            IndexKind::Sai if !release.names_sai_index() && !index.is_custom => {
                named.is_custom = true;
                named.class = Some("StorageAttachedIndex".to_owned());
                Rewrite::NameSaiClass
            }
            _ => return true,
        };
        if named != *index {
            let (before, after) = (index.to_cql().join(";\n"), named.to_cql().join(";\n"));
            self.take(key, rewrite, before, after);
            *index = named;
        }
        true
    }
}
