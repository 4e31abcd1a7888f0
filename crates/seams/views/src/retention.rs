//! What a retention policy does with the backups of a cluster.

use model::BackupSummary;
use retention::{Decided, Policy, Verdict};
use serde::Serialize;

use crate::backup_list::BackupSummaryView;

/// What a policy would keep and what would go.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionPreviewView {
    /// The cluster.
    pub cluster: String,
    /// The policy that was asked about.
    pub policy: Policy,
    /// Every backup of the cluster, in the order of `backup list`.
    pub backups: Vec<RetainedView>,
    /// Names of those that would go, in the order in which they would.
    pub go: Vec<String>,
    /// What these have added to the bucket.
    pub freed_bytes: u64,
}

/// A backup and its verdict.
#[derive(Debug, Clone, Serialize)]
pub struct RetainedView {
    /// Its figures, as in lists.
    #[serde(flatten)]
    pub summary: BackupSummaryView,
    /// `keep` or `go`.
    pub verdict: &'static str,
    /// Every reason for it.
    pub reasons: Vec<String>,
}

impl RetentionPreviewView {
    /// Of these backups, in the order in which they were decided.
    pub fn new(
        cluster: &str,
        policy: Policy,
        backups: &[BackupSummary],
        decided: &Decided,
    ) -> Self {
        let goes = |summary: &&BackupSummary| decided.go.contains(&summary.backup.name);
        let freed = backups.iter().filter(goes);
        Self {
            cluster: cluster.to_owned(),
            policy,
            freed_bytes: freed.map(|summary| summary.uploaded_bytes).sum(),
            backups: backups
                .iter()
                .zip(&decided.verdicts)
                .map(|(summary, verdict)| RetainedView::new(summary, verdict))
                .collect(),
            go: decided.go.iter().map(ToString::to_string).collect(),
        }
    }
}

impl RetainedView {
    fn new(summary: &BackupSummary, verdict: &Verdict) -> Self {
        let (word, reasons) = match verdict {
            Verdict::Keep(reasons) => ("keep", reasons.iter().map(ToString::to_string).collect()),
            Verdict::Go(reason) => ("go", vec![reason.to_string()]),
        };
        Self {
            summary: summary.into(),
            verdict: word,
            reasons,
        }
    }
}
