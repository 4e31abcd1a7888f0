//! `lab tools`

use anyhow::Result;
use clap::Args;
use lab::go_tools::GoTool;
use tokio::task;

/// Build promtool and kustomize into the cache, for the tests of what is in `deploy`
#[derive(Debug, Args)]
pub struct Tools {}

impl Tools {
    pub async fn run(self) -> Result<()> {
        let build = || {
            GoTool::ALL
                .into_iter()
                .try_for_each(|tool| tool.program().map(drop))
        };
        task::spawn_blocking(build).await?
    }
}
