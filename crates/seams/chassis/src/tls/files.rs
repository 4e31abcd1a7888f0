//! Something that is made from files, and made again when they have changed.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

use super::TlsError;
use crate::certificate::Validity;

/// How often files are checked if no connection asks for them, so that mistakes and ends are logged in time.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// A certificate that ends within this time, or within a fifth of its life if that is shorter, is warned about.
const EXPIRY_WARNING: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How often the same warning is logged.
const EXPIRY_WARNING_INTERVAL: SignedDuration = SignedDuration::from_hours(12);

/// What was made from files, and the end of the certificate among them.
pub(super) struct Loaded<T> {
    pub value: Arc<T>,
    pub validity: Option<Validity>,
}

type Load<T> = dyn Fn() -> Result<Loaded<T>, TlsError> + Send + Sync;

/// Keeps what was made last from files; a change that does not work is logged, and what was made before stays.
pub(super) struct Watched<T> {
    /// The section of the settings, for the log.
    section: &'static str,
    paths: Vec<PathBuf>,
    load: Box<Load<T>>,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// The files when they were last read, whether that worked or not.
    seen: Vec<Option<Stamp>>,
    loaded: Loaded<T>,
    /// When the files as they are now were last read in vain.
    failed: Option<Instant>,
    warned: Option<Timestamp>,
}

/// What distinguishes one content of a file from another: a renewal replaces the file, or writes it again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        // Follows symbolic links: orchestrators renew secrets by switching one.
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    paths.iter().map(|path| Stamp::of(path)).collect()
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Loads once; from then on [`current`](Self::current) never fails.
    pub fn open(
        section: &'static str,
        paths: Vec<PathBuf>,
        load: impl Fn() -> Result<Loaded<T>, TlsError> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, TlsError> {
        // Before the files are read: what changes meanwhile is then read again.
        let seen = stamps(&paths);
        let loaded = load()?;
        let watched = Arc::new(Self {
            section,
            paths,
            load: Box::new(load),
            state: Mutex::new(State {
                seen,
                loaded,
                failed: None,
                warned: None,
            }),
        });
        watched.watch();
        Ok(watched)
    }

    /// What the files make now, or made last before they stopped to work.
    pub fn current(&self) -> Arc<T> {
        self.current_at(Instant::now())
    }

    /// Files that could not be read are read again after a while even if they have not changed: reading may fail for reasons
    /// that pass.
    fn current_at(&self, at: Instant) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.paths);
        let failed = state.failed;
        let is_retried = failed.is_some_and(|failed| at >= failed + CHECK_INTERVAL);
        if now != state.seen || is_retried {
            state.seen = now;
            state.failed = None;
            match (self.load)() {
                Ok(loaded) => {
                    info!(
                        section = self.section,
                        "certificates have changed and are in use"
                    );
                    state.loaded = loaded;
                    state.warned = None;
                }
                Err(error) => {
                    state.failed = Some(at);
                    error!(
                        section = self.section,
                        error = api::error::chain(&error),
                        "changed certificates do not work; those that were loaded before stay in use"
                    );
                }
            }
        }
        self.warn_of_expiry(&mut state, Timestamp::now());
        state.loaded.value.clone()
    }

    fn warn_of_expiry(&self, state: &mut State<T>, now: Timestamp) {
        let Some(validity) = state.loaded.validity else {
            return;
        };
        metrics::gauge!("ringkeep_certificate_expiry_timestamp_seconds", "section" => self.section)
            .set(validity.until.as_second() as f64);
        let is_due = state
            .warned
            .is_none_or(|warned| now.duration_since(warned) >= EXPIRY_WARNING_INTERVAL);
        if is_due && ends_soon(validity, now) {
            state.warned = Some(now);
            warn!(
                section = self.section,
                until = %validity.until,
                "a certificate ends soon, or has ended; renew its file, which needs no restart"
            );
        }
    }

    /// Checks from time to time, for as long as anyone holds this.
    fn watch(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let watched = Arc::downgrade(self);
        runtime.spawn(async move {
            // The first tick is at once: a certificate that has ended is logged at the start.
            let mut ticks = tokio::time::interval(CHECK_INTERVAL);
            loop {
                ticks.tick().await;
                match watched.upgrade() {
                    Some(watched) => drop(watched.current()),
                    None => return,
                }
            }
        });
    }
}

fn ends_soon(validity: Validity, now: Timestamp) -> bool {
    let life = validity.until.duration_since(validity.from);
    validity.until.duration_since(now) < EXPIRY_WARNING.min(life / 5)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_reload_that_failed_is_tried_again_though_the_files_have_not_changed() {
        let folder = testkit::folder();
        let path = folder.path().join("file");
        std::fs::write(&path, "1").unwrap();
        let loads = AtomicUsize::new(0);
        let load = move || match loads.fetch_add(1, Ordering::Relaxed) {
            1 => Err(TlsError::NoRoots),
            load => Ok(Loaded {
                value: Arc::new(load),
                validity: None,
            }),
        };
        let watched = Watched::open("test", vec![path.clone()], load).unwrap();
        std::fs::write(&path, "changed").unwrap();
        let begun = Instant::now();
        let at = |after| *watched.current_at(begun + after);
        assert_eq!(at(Duration::ZERO), 0, "the reload fails");
        assert_eq!(at(CHECK_INTERVAL / 2), 0, "it is not tried at once");
        assert_eq!(at(CHECK_INTERVAL), 2);
        assert_eq!(at(CHECK_INTERVAL * 3), 2, "what works is not read again");
    }

    #[test]
    fn a_certificate_is_warned_about_in_its_last_fortnight_or_fifth() {
        let at = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        for (life_days, day, expected) in [
            (365, 350, false),
            (365, 352, true),
            (365, 400, true),
            (10, 7, false),
            (10, 9, true),
        ] {
            let validity = Validity {
                from: at(0),
                until: at(life_days),
            };
            assert_eq!(ends_soon(validity, at(day)), expected, "{life_days} {day}");
        }
    }
}
