//! Several SSTables at a time, with one progress over all of them.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use model::task::Progress;
use sstable_files::SstableFiles;

use crate::context::Context;
use crate::failure::Failure;
use crate::progress::Meter;

const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// How many SSTables are worked on at once; as many as there are cores without it.
    #[arg(long, value_name = "N")]
    parallel: Option<NonZeroUsize>,
}

impl Args {
    fn workers(&self) -> usize {
        self.parallel
            .or_else(|| std::thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get)
    }
}

/// The SSTables under the paths; none at all is an error.
pub fn find(paths: &[PathBuf]) -> Result<Vec<SstableFiles>, Failure> {
    let sstables = sstable_files::find(paths)?;
    if sstables.is_empty() {
        return Err(Failure::NoSstables {
            paths: paths.to_vec(),
        });
    }
    Ok(sstables)
}

/// Works on each SSTable; returns the results in their order. `work` is given a function to report bytes that are done,
/// of `bytes_total` (0 if it reports none).
pub fn for_each<T: Send>(
    what: &'static str,
    bytes_total: u64,
    sstables: &[SstableFiles],
    args: &Args,
    context: &mut Context,
    work: impl Fn(&SstableFiles, &mut dyn FnMut(u64)) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let bytes_done = AtomicU64::new(0);
    let mut progress = Progress {
        bytes_total,
        items_total: sstables.len() as u64,
        ..Progress::default()
    };
    let mut meter = Meter::new(what, &context.screen, context.patience);
    let mut results: Vec<Option<T>> = sstables.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..args.workers().min(sstables.len()) {
            let (sender, work) = (sender.clone(), &work);
            let (next, bytes_done) = (&next, &bytes_done);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(sstable) = sstables.get(at) else {
                        break;
                    };
                    let result = work(sstable, &mut |bytes| {
                        bytes_done.fetch_add(bytes, Ordering::Relaxed);
                    });
                    if sender.send((at, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(PROGRESS_INTERVAL) {
                Ok((at, result)) => {
                    results[at] = Some(result);
                    progress.items_done += 1;
                    progress.note = sstables[at].descriptor().to_string();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress.bytes_done = bytes_done.load(Ordering::Relaxed).min(progress.bytes_total);
            meter.show(&progress, &mut context.screen);
        }
    });
    meter.finish();
    results.into_iter().flatten().collect()
}
