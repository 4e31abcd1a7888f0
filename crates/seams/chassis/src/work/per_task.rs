//! What is kept of each task while it is at work, in memory that does not grow with the number of tasks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Tasks that are kept. Those at work stay, of which there are fewer; of the others those go that were asked for the longest ago.
pub const TASKS_MAX: usize = 256;

/// One value for each task, by the task's id.
#[derive(Debug)]
pub struct PerTask<T>(Mutex<VecDeque<(String, Arc<T>)>>);

impl<T> Default for PerTask<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> PerTask<T> {
    /// The value of a task; `make` makes the first. It is held for as long as the task is at work.
    pub fn of(&self, task: &str, make: impl FnOnce() -> T) -> Arc<T> {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = tasks.iter().position(|(known, _)| known == task)
            && let Some(known) = tasks.remove(at)
        {
            let value = known.1.clone();
            tasks.push_back(known);
            return value;
        }
        let is_idle = |(_, value): &(String, Arc<T>)| Arc::strong_count(value) == 1;
        if tasks.len() >= TASKS_MAX
            && let Some(at) = tasks.iter().position(is_idle)
        {
            tasks.remove(at);
        }
        let value = Arc::new(make());
        tasks.push_back((task.to_owned(), value.clone()));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_do_not_pile_up_and_those_at_work_stay() {
        let kept = PerTask::default();
        let at_work = kept.of("first", || 1);
        for task in 0..2 * TASKS_MAX {
            kept.of(&task.to_string(), || 2);
        }
        assert_eq!(kept.0.lock().unwrap().len(), TASKS_MAX);
        assert!(Arc::ptr_eq(&at_work, &kept.of("first", || 3)));
        assert_eq!(*kept.of("0", || 4), 4, "the oldest went");
    }

    #[test]
    fn one_that_was_asked_for_just_now_stays() {
        let kept = PerTask::default();
        for task in 0..TASKS_MAX {
            kept.of(&task.to_string(), || 1);
        }
        kept.of("0", || 2);
        kept.of("new", || 3);
        assert_eq!(*kept.of("0", || 4), 1, "it was asked for again");
        assert_eq!(*kept.of("1", || 5), 5, "the oldest went");
    }
}
