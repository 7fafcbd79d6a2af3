//! Who has a SQLite database: many that use it, or the one that puts another in its place.
//!
//! SQLite's own locks lie on the file that is replaced, so they can't tell who opens it a moment later. This lock lies on a
//! file of its own beside it (`….lock`), which stays empty and stays there. The system lets go of it when the process ends,
//! in whatever way.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// For as long as this lives, nobody puts another database in the place of this one.
pub(crate) fn in_use(database: &Path) -> Result<File, StoreError> {
    let path = lock_of(database)?;
    shared(open_or_make(&path)?, &path)
}

/// The same for who only reads, and so makes no file: where there is none, the database was never served from here.
pub(crate) fn in_use_where_served(database: &Path) -> Result<Option<File>, StoreError> {
    let path = lock_of(database)?;
    match File::open(&path) {
        Ok(file) => shared(file, &path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::Setting(format!("cannot open {}: {error}", path.display()))),
    }
}

/// For as long as this lives, nobody opens the database; `None` when somebody has it open now.
pub(crate) fn alone(database: &Path) -> Result<Option<File>, StoreError> {
    let path = lock_of(database)?;
    let file = open_or_make(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(not_lockable(&path, &error)),
    }
}

/// The path without links, whether the file is there or not: by every path to it there is one lock.
pub(crate) fn real(database: &Path) -> Result<PathBuf, StoreError> {
    let unreachable = |error: std::io::Error| {
        StoreError::Setting(format!("{} cannot be reached: {error}", database.display()))
    };
    match database.canonicalize() {
        Ok(path) => return Ok(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unreachable(error)),
    }
    let Some(name) = database.file_name() else {
        return Err(StoreError::Setting(format!("{} is not the path of a file", database.display())));
    };
    let folder = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(folder.canonicalize().map_err(unreachable)?.join(name))
}

fn shared(file: File, path: &Path) -> Result<File, StoreError> {
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Unavailable("a backup is being put in its place".to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(not_lockable(path, &error)),
    }
}

fn lock_of(database: &Path) -> Result<PathBuf, StoreError> {
    let mut path = real(database)?.into_os_string();
    path.push(".lock");
    Ok(PathBuf::from(path))
}

fn open_or_make(path: &Path) -> Result<File, StoreError> {
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    opened.map_err(|error| StoreError::Setting(format!("cannot open {}: {error}", path.display())))
}

fn not_lockable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Setting(format!("{} cannot be locked: {error}", path.display()))
}
