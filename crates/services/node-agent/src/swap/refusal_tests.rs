use std::collections::BTreeMap;
use std::fs;

use api::{ErrorKind, ServiceError};
use model::TableRef;

use super::tests::{dying, live, picture_of, staged, targets};
use super::*;
use crate::testing::FakeNode;

/// What is staged of table `full`, of the table itself and of its index.
fn staged_files(node: &FakeNode) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for data in &node.agent.folders.data {
        let folder = node.agent.folders.staging_of(data, "r1").unwrap();
        let name = table_folder_name(&TableRef::new("ks", "full"), &FakeNode::table_id(1));
        let listed = sstables::list(&folder.join("ks").join(name)).unwrap();
        found.extend(listed.into_iter().map(|file| file.path));
    }
    found
}

#[tokio::test]
async fn nothing_live_is_moved_unless_every_staged_file_is_there() {
    let files = staged_files(&staged().await).len();
    assert_eq!(files, 15);
    for at in 0..files {
        for whole in [false, true] {
            let node = staged().await;
            let file = &staged_files(&node)[at];
            match whole {
                true => fs::remove_file(file).unwrap(),
                false => fs::write(file, "x").unwrap(),
            }
            let before = picture_of(&node);
            let error = swap(&node.agent, "r1", &targets()).await.unwrap_err();
            assert_eq!(error.reason(), "STAGING_LOST", "{error}");
            assert_eq!(error.kind(), ErrorKind::DataLoss);
            assert!(error.to_string().contains(files::name_of(file)), "{error}");
            assert_eq!(picture_of(&node), before, "{}", file.display());
        }
    }
    let node = staged().await;
    fs::remove_dir_all(node.root.path().join("ringkeep-staging")).unwrap();
    let error = swap(&node.agent, "r1", &targets()).await.unwrap_err();
    assert_eq!(error.reason(), "STAGING_LOST", "{error}");
    assert_eq!(live(&node), ["newer", "unwanted"]);
}

#[tokio::test]
async fn a_staged_slice_that_is_gone_is_missed() {
    let node = staged().await;
    let journal = node.agent.folders.restore_journal("r1");
    let (open, state) = RestoreState::open(&node.agent.folders, "r1").await.unwrap();
    // As if one of the SSTables were a slice, and the other had been empty as one.
    let data = state
        .fetched
        .keys()
        .find(|path| path.ends_with("/nb-1-big-Data.db"));
    let (sliced, _) = data.unwrap().rsplit_once('-').unwrap();
    let components = [("Data.db".to_owned(), state.fetched[data.unwrap()].bytes)];
    let text = fs::read_to_string(&journal).unwrap();
    let cut: String = text
        .lines()
        .filter(|line| !(line.contains("fetched") && line.contains(sliced)))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&journal, cut).unwrap();
    drop(open);
    let (open, _) = RestoreState::open(&node.agent.folders, "r1").await.unwrap();
    for (path, components) in [
        (sliced.to_owned(), components.into()),
        (format!("{sliced}0"), BTreeMap::new()),
    ] {
        let record = RestoreRecord::Sliced { path, components };
        open.append(&record).await.unwrap();
    }
    let name = format!("{}-Data.db", sliced.rsplit('/').next().unwrap());
    let files = staged_files(&node);
    let file = files
        .iter()
        .find(|path| files::name_of(path) == name)
        .unwrap();
    let aside = node.root.path().join("kept");
    fs::rename(file, &aside).unwrap();
    let error = swap(&node.agent, "r1", &targets()).await.unwrap_err();
    assert_eq!(error.reason(), "STAGING_LOST", "{error}");
    fs::rename(&aside, file).unwrap();
    assert_eq!(swap(&node.agent, "r1", &targets()).await.unwrap(), 2);
}

#[tokio::test]
async fn nothing_is_finished_while_a_swap_is_half_done() {
    for at in 1.. {
        for after in [false, true] {
            let node = staged().await;
            let (rename, _) = dying(at, after);
            let died = swap_files(&node.agent.folders, "r1", &targets(), rename)
                .await
                .is_err();
            let before = picture_of(&node);
            let touched = before.keys().any(|path| path.contains("/old/"));
            let finished = crate::restore::finish(&node.agent, "r1", true).await;
            if !died {
                assert!(finished.unwrap() > 0);
                return;
            }
            if !touched {
                assert!(finished.unwrap() > 0, "{at} {after}: nothing was moved");
                continue;
            }
            let error = finished.unwrap_err();
            assert_eq!(error.reason(), "SWAP_UNFINISHED", "{at} {after}: {error}");
            let hint = error.hint().unwrap();
            let journal = node.agent.folders.restore_journal("r1");
            assert!(hint.contains("task resume"), "{hint}");
            assert!(hint.contains(&journal.display().to_string()), "{hint}");
            assert_eq!(picture_of(&node), before, "{at} {after}");
            swap(&node.agent, "r1", &targets()).await.unwrap();
            assert!(
                crate::restore::finish(&node.agent, "r1", true)
                    .await
                    .unwrap()
                    > 0
            );
        }
    }
}

#[tokio::test]
async fn old_files_whose_journal_is_gone_are_kept() {
    let node = staged().await;
    swap(&node.agent, "r1", &targets()).await.unwrap();
    let journal = node.agent.folders.restore_journal("r1");
    let text = fs::read_to_string(&journal).unwrap();
    fs::remove_file(&journal).unwrap();
    let error = crate::restore::finish(&node.agent, "r1", true)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "SWAP_UNFINISHED", "{error}");
    fs::write(&journal, format!("{{}}\n{text}")).unwrap();
    let error = crate::restore::finish(&node.agent, "r1", true)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "JOURNAL_DAMAGED", "{error}");
    fs::write(&journal, text).unwrap();
    crate::restore::finish(&node.agent, "r1", true)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_half_done_swap_that_newer_restores_have_replaced_can_be_cleared_by_hand() {
    let node = staged().await;
    let (rename, _) = dying(1, true);
    let died = swap_files(&node.agent.folders, "r1", &targets(), rename).await;
    died.unwrap_err();
    let error = crate::restore::finish(&node.agent, "r1", true)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "SWAP_UNFINISHED", "{error}");
    for root in node.agent.folders.restore_roots("r1").unwrap() {
        files::remove_tree(&root.join(OLD)).unwrap();
    }
    fs::remove_file(node.agent.folders.restore_journal("r1")).unwrap();
    crate::restore::finish(&node.agent, "r1", true)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_file_with_two_records_is_counted_once() {
    let node = staged().await;
    let (open, state) = RestoreState::open(&node.agent.folders, "r1").await.unwrap();
    let mut fetched = state.fetched.iter();
    let (path, file) = fetched
        .find(|(path, _)| path.ends_with("/nb-1-big-Data.db"))
        .unwrap();
    let record = RestoreRecord::Sliced {
        path: path.strip_suffix("-Data.db").unwrap().to_owned(),
        components: [("Data.db".to_owned(), file.bytes)].into(),
    };
    open.append(&record).await.unwrap();
    assert_eq!(swap(&node.agent, "r1", &targets()).await.unwrap(), 2);
}
