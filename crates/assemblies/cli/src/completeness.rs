//! `--completeness`: which replicas a backup or a restore may go without.

use model::plan::Completeness;

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum CompletenessArg {
    /// None: every replica that the ring had is there.
    All,
    /// Less than half of each range's: what was written at QUORUM is there.
    Quorum,
    /// All but one of each range's.
    One,
    /// Whatever is missing.
    Any,
}

impl From<CompletenessArg> for Completeness {
    fn from(completeness: CompletenessArg) -> Self {
        match completeness {
            CompletenessArg::All => Self::All,
            CompletenessArg::Quorum => Self::Quorum,
            CompletenessArg::One => Self::One,
            CompletenessArg::Any => Self::Any,
        }
    }
}
