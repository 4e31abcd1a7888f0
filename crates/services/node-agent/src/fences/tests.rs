use api::ServiceError;
use model::TaskId;
use uuid::Uuid;

use super::*;

const TASK: TaskId = TaskId(Uuid::from_u128(1));
const OTHER: TaskId = TaskId(Uuid::from_u128(2));
const CLUSTER: Uuid = Uuid::from_u128(3);
const OTHER_CLUSTER: Uuid = Uuid::from_u128(4);

fn on_disk(folder: &tempfile::TempDir) -> SeenFences {
    SeenFences::new(folder.path().join("state/fences.json"))
}

/// The reason of a refusal.
fn refused(result: Result<(), FenceError>) -> &'static str {
    result.expect_err("refused").reason()
}

#[tokio::test]
async fn a_lower_fence_is_refused_by_this_agent_and_by_the_one_that_is_started_next() {
    let folder = tempfile::tempdir().unwrap();
    let fences = on_disk(&folder);
    let newer = Fences::of_task(TASK, 2).and_cluster(CLUSTER, 20);
    fences.raise(&Fences::of_task(TASK, 1)).await.unwrap();
    fences.raise(&newer).await.unwrap();
    fences.raise(&newer).await.expect("the same is fine");
    for fences in [fences, on_disk(&folder)] {
        for (lower, is_refused) in [
            (Fences::of_task(TASK, 1), true),
            (Fences::of_task(TASK, 3).and_cluster(CLUSTER, 19), true),
            (Fences::of_task(OTHER, 1).and_cluster(CLUSTER, 19), true),
            (
                Fences::of_task(OTHER, 1).and_cluster(OTHER_CLUSTER, 1),
                false,
            ),
            (Fences::of_task(TASK, 2), false),
            (Fences::default(), false),
        ] {
            let checked = fences.check(&lower).await;
            assert_eq!(checked.is_err(), is_refused, "{lower}");
            if is_refused {
                assert_eq!(refused(fences.raise(&lower).await), "FENCED", "{lower}");
            }
        }
        fences
            .check(&newer)
            .await
            .expect("what is refused raises nothing");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_a_new_fence_but_for_calls_that_free_it() {
    let folder = tempfile::tempdir().unwrap();
    let fences = on_disk(&folder);
    fences.raise(&Fences::of_task(TASK, 1)).await.unwrap();
    // Nothing can be written beside the file.
    let beside = folder.path().join("state/fences.new");
    std::fs::create_dir(&beside).unwrap();
    let newer = Fences::of_task(TASK, 2);
    for _ in 0..2 {
        let refused = fences.raise(&newer).await;
        assert!(matches!(refused, Err(FenceError::File(_))), "{refused:?}");
    }
    fences.raise_if_possible(&newer).await.unwrap();
    let older = Fences::of_task(TASK, 1);
    assert_eq!(refused(fences.check(&older).await), "FENCED");
    assert_eq!(refused(fences.raise_if_possible(&older).await), "FENCED");
    std::fs::remove_dir(&beside).unwrap();
    fences.raise(&newer).await.unwrap();
    assert_eq!(refused(on_disk(&folder).check(&older).await), "FENCED");
}

#[tokio::test]
async fn a_damaged_file_refuses_calls_until_a_person_has_looked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    for text in ["", "{}", r#"[["task/1",1]]"#, r#"[["task/../x",-1]]"#] {
        std::fs::write(folder.path().join("state/fences.json"), text).unwrap();
        let error = on_disk(&folder).raise(&Fences::of_task(TASK, 1)).await;
        let error = error.expect_err(text);
        assert_eq!(error.reason(), "FENCES_UNREADABLE", "{text}");
        assert!(error.hint().is_some());
    }
}
