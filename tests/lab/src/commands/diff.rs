#[derive(Debug, clap::Args)]
pub struct Diff {}
impl Diff { pub fn run(self) -> anyhow::Result<std::process::ExitCode> { Ok(std::process::ExitCode::SUCCESS) } }
