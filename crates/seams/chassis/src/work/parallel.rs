//! Runs work on many items in parallel, and stops all of it at the first error.

use futures::StreamExt;

use super::Work;

/// Runs something for each item, `parallel` at a time, and returns when all have ended. The first error stops the others
/// at their next safe point: none is cut off in the middle of what it writes. `run` must work under `children`.
pub async fn for_each<Item, T, E, Run>(
    children: &Work,
    parallel: usize,
    items: Vec<Item>,
    run: impl Fn(Item) -> Run,
    mut ended: impl FnMut(T),
) -> Result<(), E>
where
    Run: Future<Output = Result<T, E>>,
{
    let mut running = futures::stream::iter(items)
        .map(run)
        .buffer_unordered(parallel.max(1));
    let mut first_error = None;
    while let Some(result) = running.next().await {
        match result {
            Ok(value) => ended(value),
            Err(error) => {
                children.stop.cancel();
                first_error.get_or_insert(error);
            }
        }
    }
    first_error.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_stops_the_others_and_waits_for_them() {
        let (work, ..) = Work::new();
        let children = work.child();
        let ended = std::cell::RefCell::new(Vec::new());
        let run = |item: u32| {
            let (children, ended) = (children.clone(), &ended);
            async move {
                if item == 2 {
                    return Err(item);
                }
                let stopped = children.or_stop(std::future::pending::<()>()).await;
                tokio::task::yield_now().await;
                ended.borrow_mut().push(item);
                stopped.map_err(|_| item)
            }
        };
        let result = for_each(&children, 2, vec![1, 2, 3], run, |()| {}).await;
        assert_eq!(result, Err(2));
        ended.borrow_mut().sort();
        assert_eq!(*ended.borrow(), [1, 3]);
        assert_eq!(work.check(), Ok(()), "the work itself may go on");
    }
}
