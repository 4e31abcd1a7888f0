//! `lab minio up` and `lab minio down`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

/// An S3 server beside the clusters
#[derive(Debug, Subcommand)]
pub enum Minio {
    Up(Up),
    Down(Down),
}

/// Start a server and print where and with which keys it listens as JSON; starts a stopped one again
#[derive(Debug, Args)]
pub struct Up {
    /// Folder of the server; its data lies on this disk
    #[arg(long)]
    dir: PathBuf,
    /// Bucket to make; may be repeated
    #[arg(long)]
    bucket: Vec<String>,
}

/// End a server and remove its folder
#[derive(Debug, Args)]
pub struct Down {
    /// Folder of the server
    #[arg(long)]
    dir: PathBuf,
    /// End it in good order and keep its data; `lab minio up --dir` starts it again
    #[arg(long)]
    keep: bool,
}

impl Minio {
    pub async fn run(self) -> Result<()> {
        match self {
            Minio::Up(up) => up.run().await,
            Minio::Down(down) => down.run(),
        }
    }
}

impl Up {
    async fn run(self) -> Result<()> {
        if let Ok(minio) = lab::Minio::open(&self.dir) {
            minio.restart().await?;
            return self.finish(&minio);
        }
        let mut minio = lab::Minio::start(&self.dir).await?;
        self.finish(&minio)?;
        minio.detach();
        Ok(())
    }

    fn finish(&self, minio: &lab::Minio) -> Result<()> {
        for bucket in &self.bucket {
            if !minio.data_dir().join(bucket).is_dir() {
                minio.create_bucket(bucket)?;
            }
        }
        println!("{}", minio.to_json()?);
        Ok(())
    }
}

impl Down {
    fn run(self) -> Result<()> {
        let minio = lab::Minio::open(&self.dir)?;
        if self.keep {
            minio.stop();
        } else {
            minio.remove();
        }
        Ok(())
    }
}
