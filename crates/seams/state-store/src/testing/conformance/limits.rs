//! Limits: what is beyond them is refused with the key, the limit and the size found; what is within is not.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    Direction, Expected, KEY_BYTES_MAX, PAGE_ENTRIES_MAX, StateError, StateStore,
    TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, VALUE_BYTES_MAX, Write,
};

/// The quotes of a text in JSON.
const QUOTES: usize = 2;

/// A value of that many bytes as JSON text.
fn of_bytes(bytes: usize) -> Value {
    json!("x".repeat(bytes - QUOTES))
}

fn puts(count: usize, bytes: usize) -> Vec<Write> {
    let put = |n| Write::put(format!("k{n:03}"), of_bytes(bytes), Expected::Absent);
    (0..count).map(put).collect()
}

pub(super) async fn refused(store: Arc<dyn StateStore>) {
    for bad in [String::new(), "k".repeat(KEY_BYTES_MAX + 1)] {
        let wanted = bad.len();
        let refused = store.put(&bad, json!(1), Expected::Anything, None).await;
        assert!(
            matches!(&refused, Err(StateError::BadKey { bytes, .. }) if *bytes == wanted),
            "{refused:?}"
        );
    }
    let large = of_bytes(VALUE_BYTES_MAX + 1);
    let refused = store.put("large", large, Expected::Anything, None).await;
    assert!(
        matches!(
            &refused,
            Err(StateError::ValueTooLarge { key, bytes, max })
                if key == "large" && *bytes == VALUE_BYTES_MAX + 1 && *max == VALUE_BYTES_MAX
        ),
        "{refused:?}"
    );
    let refused = store
        .write(&puts(4, TRANSACTION_BYTES_MAX / 4 + 1), None)
        .await;
    assert!(
        matches!(
            &refused,
            Err(StateError::TransactionTooLarge { first, operations: 4, bytes, max })
                if first == "k000" && *bytes == TRANSACTION_BYTES_MAX + 4 && *max == TRANSACTION_BYTES_MAX
        ),
        "{refused:?}"
    );
    let many = puts(TRANSACTION_OPERATIONS_MAX + 1, QUOTES);
    let refused = store.write(&many, None).await;
    assert!(
        matches!(
            &refused,
            Err(StateError::TooManyOperations { operations, .. }) if *operations == many.len()
        ),
        "{refused:?}"
    );
    let refused = store.write(&[], None).await;
    assert!(
        matches!(refused, Err(StateError::EmptyTransaction)),
        "{refused:?}"
    );
    let twice = [
        Write::put("a", json!(1), Expected::Absent),
        Write::delete("a", Expected::Anything),
    ];
    let refused = store.write(&twice, None).await;
    assert!(
        matches!(&refused, Err(StateError::RepeatedKey { key }) if key == "a"),
        "{refused:?}"
    );
    for limit in [0, PAGE_ENTRIES_MAX + 1] {
        let refused = store.page("", None, limit, Direction::Ascending).await;
        assert!(
            matches!(refused, Err(StateError::BadPageLimit { .. })),
            "{refused:?}"
        );
    }
    assert!(store.list("").await.expect("list").is_empty());
}

pub(super) async fn accepted(store: Arc<dyn StateStore>) {
    let longest = "k".repeat(KEY_BYTES_MAX);
    store
        .put(&longest, of_bytes(VALUE_BYTES_MAX), Expected::Absent, None)
        .await
        .expect("the largest value under the longest key");
    let entry = store.get(&longest).await.expect("get").expect("an entry");
    assert_eq!(entry.value, of_bytes(VALUE_BYTES_MAX));
    store
        .delete(&longest, Expected::Anything, None)
        .await
        .expect("delete");
    let many = puts(
        TRANSACTION_OPERATIONS_MAX,
        TRANSACTION_BYTES_MAX / TRANSACTION_OPERATIONS_MAX,
    );
    let lease = store
        .acquire("l", "one", std::time::Duration::from_secs(30))
        .await
        .expect("free");
    store
        .write(&many, Some(&lease))
        .await
        .expect("the largest transaction, with a fence");
    let written = store.list("k").await.expect("list");
    assert_eq!(written.len(), TRANSACTION_OPERATIONS_MAX);
}
