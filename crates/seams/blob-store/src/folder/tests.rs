use std::path::Path;

use futures::{StreamExt, stream};
use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, Folder) {
    let dir = TempDir::new().expect("folder");
    let store = Folder::open(dir.path()).expect("opens");
    (dir, store)
}

fn temporaries(root: &Path) -> usize {
    std::fs::read_dir(root.join(temporary::FOLDER)).map_or(0, Iterator::count)
}

#[tokio::test]
async fn no_key_leaves_the_folder() {
    let (_dir, store) = folder();
    for bad in ["../x", "/etc/x", "a/../../x", ".tmp/x"] {
        let put = store.put(bad, Bytes::from_static(b"x")).await;
        assert!(matches!(put, Err(StoreError::Key { .. })), "{bad}: {put:?}");
        assert!(store.get(bad, 1).await.is_err(), "{bad}");
        assert!(store.delete(bad).await.is_err(), "{bad}");
    }
}

#[tokio::test]
async fn no_temporary_file_stays_behind() {
    let (dir, store) = folder();
    store.put("a", Bytes::from_static(b"1")).await.expect("put");
    store.put("a", Bytes::from_static(b"2")).await.expect("put");
    let broken = stream::iter([
        Ok(Bytes::from_static(b"x")),
        Err(crate::source_error("b", "torn")),
    ]);
    store
        .put_stream("b", None, broken.boxed())
        .await
        .expect_err("torn");
    assert_eq!(temporaries(dir.path()), 0);
}

#[tokio::test]
async fn an_object_and_a_folder_of_one_name_are_refused_not_confused() {
    let (_dir, store) = folder();
    store.put("a/b", Bytes::new()).await.expect("put");
    for key in ["a", "a/b/c"] {
        let error = store
            .put(key, Bytes::new())
            .await
            .expect_err("cannot be both");
        assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
        assert_eq!(store.head(key).await.expect("head"), None);
    }
}

#[tokio::test]
async fn what_a_killed_writer_left_is_swept_and_a_living_writers_file_is_not() {
    let (dir, _store) = folder();
    let living = Temporary::create(dir.path()).expect("temporary");
    std::fs::write(dir.path().join(".tmp/dead"), b"half").expect("write");
    Folder::open(dir.path()).expect("opens again");
    assert!(living.path().exists());
    assert!(!dir.path().join(".tmp/dead").exists());
}

#[tokio::test]
async fn deleting_the_last_object_removes_the_emptied_folders() {
    let (dir, store) = folder();
    store.put("a/b/c", Bytes::new()).await.expect("put");
    store.put("a/d", Bytes::new()).await.expect("put");
    store.delete("a/b/c").await.expect("delete");
    assert!(!dir.path().join("a/b").exists());
    assert!(dir.path().join("a/d").exists());
    store.delete("a/d").await.expect("delete");
    assert!(dir.path().exists() && !dir.path().join("a").exists());
}

#[tokio::test]
async fn creating_and_deleting_neighbours_never_disturb_each_other() {
    let (_dir, store) = folder();
    let turns = |name: &'static str, store: Folder| async move {
        for turn in 0..200 {
            let key = format!("deep/er/{name}");
            let put = store
                .put(&key, Bytes::from(vec![turn; 3]))
                .await
                .expect("put");
            assert_eq!(put, Put::Created);
            store.delete(&key).await.expect("delete");
        }
    };
    let (a, b) = (
        tokio::spawn(turns("a", store.clone())),
        tokio::spawn(turns("b", store.clone())),
    );
    a.await.expect("a");
    b.await.expect("b");
}

/// Everything that was flushed since the last call, relative to the root.
fn flushed(store: &Folder) -> Vec<String> {
    let mut flushed = store.durable.flushed.lock().expect("not poisoned");
    let relative = |path: PathBuf| {
        let below = path.strip_prefix(&store.root).expect("below the root");
        below.display().to_string()
    };
    flushed.drain(..).map(relative).collect()
}

#[tokio::test]
async fn what_a_killed_writer_linked_is_flushed_before_it_counts() {
    let (dir, store) = folder();
    // Linked, and killed before the flush of the folders.
    std::fs::create_dir_all(dir.path().join("a/b")).expect("folders");
    std::fs::write(dir.path().join("a/b/c"), b"whole").expect("object");
    let whole = || stream::iter([Ok(Bytes::from_static(b"whole"))]).boxed();
    let put = store.put("a/b/c", Bytes::from_static(b"whole")).await;
    assert_eq!(put.expect("put"), Put::Exists);
    assert_eq!(flushed(&store), ["a/b/c", "a/b", "a", ""]);

    // What is known of the folders is not asked again; the object and its own folder are.
    let put = store.put_stream("a/b/c", None, whole()).await;
    assert_eq!(put.expect("put"), Put::Exists);
    assert_eq!(flushed(&store), ["a/b/c", "a/b"]);
    store.make_durable("a/b/c").await.expect("durable");
    assert_eq!(flushed(&store), ["a/b/c", "a/b"]);
}

#[tokio::test]
async fn a_folder_that_another_writer_made_is_flushed_before_an_object_in_it_counts() {
    let (dir, store) = folder();
    std::fs::create_dir_all(dir.path().join("a/b")).expect("folders");
    let put = store.put("a/b/c", Bytes::new()).await.expect("put");
    assert_eq!(put, Put::Created);
    assert_eq!(flushed(&store), ["a/b", "a", ""]);
    // Removed and made again, it is another folder.
    std::fs::remove_dir_all(dir.path().join("a")).expect("removes");
    std::fs::create_dir_all(dir.path().join("a/b")).expect("folders");
    store.put("a/b/d", Bytes::new()).await.expect("put");
    assert_eq!(flushed(&store), ["a/b", "a", ""]);
}
