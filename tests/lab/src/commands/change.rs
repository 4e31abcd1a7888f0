#[derive(Debug, clap::Args)]
pub struct Change {}
impl Change { pub async fn run(self) -> anyhow::Result<()> { Ok(()) } }
