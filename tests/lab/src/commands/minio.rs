#[derive(Debug, clap::Subcommand)]
pub enum Minio { Up }
impl Minio { pub async fn run(self) -> anyhow::Result<()> { Ok(()) } }
