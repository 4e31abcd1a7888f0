#[derive(Debug, clap::Args)]
pub struct Digest {}
impl Digest { pub async fn run(self) -> anyhow::Result<()> { Ok(()) } }
