#[derive(Debug, clap::Args)]
pub struct Fill {}
impl Fill { pub async fn run(self) -> anyhow::Result<()> { Ok(()) } }
