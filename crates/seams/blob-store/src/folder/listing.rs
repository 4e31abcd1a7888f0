//! Lists a folder in the order in which S3 lists keys.

use std::io::{self, ErrorKind};
use std::path::Path;

use futures::stream::{StreamExt, TryStreamExt, once, try_unfold};

use super::{Folder, meta, temporary};
use crate::{Children, Meta, MetaStream, StoreError, key};

/// One name in a folder. A folder sorts as if it ended with `/`, which is how its objects' keys sort.
enum Entry {
    Object(Meta),
    Folder(String),
}

impl Entry {
    fn sort_key(&self) -> &str {
        match self {
            Self::Object(meta) => &meta.key,
            Self::Folder(prefix) => prefix,
        }
    }
}

/// Lists everything under a prefix, one folder in memory at a time.
pub fn list(folder: Folder, prefix: String) -> MetaStream {
    if let Err(error) = key::check_prefix(&prefix) {
        return once(async { Err(error) }).boxed();
    }
    let start = parent_prefix(&prefix).to_owned();
    // The last entry comes next.
    let pending = vec![Entry::Folder(start)];
    try_unfold(
        (folder, prefix, pending),
        |(folder, prefix, mut pending)| async move {
            loop {
                match pending.pop() {
                    None => return Ok(None),
                    Some(Entry::Object(meta)) => {
                        return Ok(Some((meta, (folder, prefix, pending))));
                    }
                    Some(Entry::Folder(path)) => {
                        let mut entries = read(&folder, &path).await?;
                        entries.retain(|entry| overlaps(entry, &prefix));
                        entries.reverse();
                        pending.append(&mut entries);
                    }
                }
            }
        },
    )
    .into_stream()
    .boxed()
}

/// Lists one level.
pub async fn children(folder: &Folder, prefix: &str) -> Result<Children, StoreError> {
    key::check_prefix(prefix)?;
    let mut children = Children::default();
    for entry in read(folder, parent_prefix(prefix)).await? {
        if !entry.sort_key().starts_with(prefix) {
            continue;
        }
        match entry {
            Entry::Object(meta) => children.objects.push(meta),
            Entry::Folder(prefix) => children.prefixes.push(prefix),
        }
    }
    Ok(children)
}

/// Whether an entry is, or may hold, something under the prefix.
fn overlaps(entry: &Entry, prefix: &str) -> bool {
    match entry {
        Entry::Object(meta) => meta.key.starts_with(prefix),
        Entry::Folder(path) => path.starts_with(prefix) || prefix.starts_with(path.as_str()),
    }
}

/// The folder in which a prefix ends.
fn parent_prefix(prefix: &str) -> &str {
    prefix.rfind('/').map_or("", |at| &prefix[..=at])
}

async fn read(folder: &Folder, path: &str) -> Result<Vec<Entry>, StoreError> {
    let (root, owned) = (folder.root.clone(), path.to_owned());
    let read = folder.blocking(path, move || read_now(&root, &owned)).await;
    match read {
        // A missing folder has no objects.
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        read => read,
    }
}

fn read_now(root: &Path, prefix: &str) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(root.join(prefix))? {
        let entry = entry?;
        // A name that is not UTF-8 cannot have been written through this port.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if prefix.is_empty() && name == temporary::FOLDER {
            continue;
        }
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if metadata.is_dir() {
            let path = format!("{prefix}{name}/");
            entries.push(Entry::Folder(path));
        } else if metadata.is_file() {
            entries.push(Entry::Object(meta(format!("{prefix}{name}"), &metadata)));
        }
    }
    entries.sort_by(|a, b| a.sort_key().cmp(b.sort_key()));
    Ok(entries)
}
