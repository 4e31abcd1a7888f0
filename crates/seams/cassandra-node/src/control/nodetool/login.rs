//! The login of JMX, handed to nodetool in a file: what a process is given on its command line, every user of the host
//! can read.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secret::Secret;

use crate::files::FileError;

const FILE_NAME: &str = "jmx-password";
const OWNER_ONLY: u32 = 0o600;

/// A user of JMX, whose password is in a file that only this user may read.
#[derive(Debug, Clone)]
pub struct JmxLogin {
    username: String,
    password: Secret,
    file: PathBuf,
}

impl JmxLogin {
    /// Whether the words can be written to nodetool's file, which separates them by blanks and knows no quotes.
    pub fn fits(username: &str, password: &Secret) -> bool {
        let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        is_word(username) && is_word(password.expose())
    }

    /// Writes the file in a folder, which is made if absent. A file that is there is replaced.
    pub fn write(username: &str, password: &Secret, folder: &Path) -> Result<Self, FileError> {
        fs::create_dir_all(folder).map_err(FileError::at("make", folder))?;
        let file = folder.join(FILE_NAME);
        let temporary = folder.join(format!("{FILE_NAME}.new"));
        let line = format!("{username} {}\n", password.expose());
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(OWNER_ONLY)
            .open(&temporary)
            .and_then(|mut open| {
                // One that an earlier attempt left keeps its mode otherwise.
                open.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
                open.write_all(line.as_bytes())
            });
        written.map_err(FileError::at("write", &temporary))?;
        fs::rename(&temporary, &file).map_err(FileError::at("write", &file))?;
        Ok(Self {
            username: username.to_owned(),
            password: password.clone(),
            file,
        })
    }

    /// Removes the file of an earlier start, if there is one.
    pub fn remove(folder: &Path) -> Result<(), FileError> {
        let file = folder.join(FILE_NAME);
        match fs::remove_file(&file).map_err(FileError::at("remove", &file)) {
            Err(error) if !error.is_not_found() => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// nodetool's options, which come before its command.
    pub fn options(&self) -> [String; 4] {
        let file = self.file.display().to_string();
        [
            "-u".to_owned(),
            self.username.clone(),
            "-pwf".to_owned(),
            file,
        ]
    }

    pub(super) fn password(&self) -> &Secret {
        &self.password
    }
}
