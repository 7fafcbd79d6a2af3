//! A copy while others write, and such a copy put back: whole and sound, or not at all. SQLite; PostgreSQL has tools of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use domain::reference::Theme;
use persistence::backup::{self, Backup, BackupError, RestoreOptions, Restored};
use persistence::registry::{self, Table};
use persistence::{DatabaseUrl, Store, StoreError, check_existing, journal};

use crate::support::{TestApp, draft_of, noon};

fn sqlite(path: &Path) -> DatabaseUrl {
    DatabaseUrl::Sqlite(path.to_owned())
}

/// A database with the reference data and one draft, a backup of it, and a folder for more.
struct Kept {
    app: TestApp,
    folder: tempfile::TempDir,
    backup: PathBuf,
    made: Backup,
}

async fn kept() -> Kept {
    let app = TestApp::on_sqlite().await;
    app.draft(draft_of("rozenburg")).await;
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.sqlite");
    let made = backup::backup(&app.url, &backup).unwrap();
    Kept { app, folder, backup, made }
}

fn add_theme(store: &Store, code: &str) {
    let theme =
        Theme { code: code.parse().unwrap(), dutch: "Wonen".to_owned(), english: "Living".to_owned() };
    store
        .write::<_, StoreError>("somebody", noon(), |tx| {
            registry::add(tx, Table::Theme, code, &theme, "made")
        })
        .unwrap();
}

fn restore(target: &Path, backup: &Path) -> Result<Restored, BackupError> {
    backup::restore(&sqlite(target), backup, &RestoreOptions::default(), noon())
}

fn replace(target: &Path, backup: &Path) -> Result<Restored, BackupError> {
    let options = RestoreOptions { replace: true, sha256: None };
    backup::restore(&sqlite(target), backup, &options, noon())
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, BackupError>) -> String {
    match outcome.unwrap_err() {
        BackupError::Refused(why) => why,
        other => panic!("{other}"),
    }
}

fn unsound<T: std::fmt::Debug>(outcome: Result<T, BackupError>) -> String {
    match outcome.unwrap_err() {
        BackupError::Unsound { file: _, problems } => problems.join("; "),
        other => panic!("{other}"),
    }
}

/// How many entries the journal of a database has, which must be sound.
fn entries(database: &Path) -> i64 {
    let report = check_existing(&sqlite(database)).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    report.entries
}

/// The names in a folder, but for those of locks.
fn names(folder: &Path) -> Vec<String> {
    let read = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        read.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with(".lock"));
    names.sort();
    names
}

/// A database as a killed server leaves it: its last entries stand beside the file.
fn killed_in(folder: &Path) -> (PathBuf, i64) {
    let living = folder.join("living.sqlite");
    let store = Store::open(&sqlite(&living), 1).unwrap();
    add_theme(&store, "first");
    let killed = folder.join("killed.sqlite");
    for ending in ["", "-wal", "-shm"] {
        let name = |database: &Path| format!("{}{ending}", database.display());
        std::fs::copy(name(&living), name(&killed)).unwrap();
    }
    (killed, 1)
}

#[actix_web::test]
async fn a_backup_while_others_write_is_the_database_at_one_moment() {
    let app = TestApp::on_sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let done = AtomicBool::new(false);
    let mut backups: Vec<Backup> = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                number += 1;
                add_theme(&app.store, &format!("theme-{number}"));
            }
        });
        for number in 0..8 {
            let file = folder.path().join(format!("{number}.sqlite"));
            backups.push(backup::backup(&app.url, &file).unwrap());
        }
        done.store(true, Ordering::Relaxed);
    });
    let written = app.store.read::<_, StoreError>(|reading| journal::after(reading, 0, 1_000_000)).unwrap();
    assert!(backups.first().unwrap().contents.entries < backups.last().unwrap().contents.entries);
    for (number, made) in backups.iter().enumerate() {
        let last = &written[usize::try_from(made.contents.entries).unwrap() - 1];
        assert_eq!((made.contents.last_moment, &made.contents.head_hash), (last.at(), &last.hash));
        let copy = folder.path().join(format!("{number}.sqlite"));
        assert_eq!(entries(&copy), made.contents.entries);
    }
}

#[actix_web::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_else_behind() {
    let Kept { app, folder, backup, made } = kept().await;
    assert_eq!(names(folder.path()), ["backup.sqlite"]);
    let why = refused(backup::backup(&app.url, &backup));
    assert!(why.ends_with("is there already"), "{why}");
    assert_eq!(names(folder.path()), ["backup.sqlite"]);
    assert_eq!(std::fs::metadata(&backup).unwrap().len(), made.bytes);
    std::fs::write(folder.path().join("other.sqlite.partial"), "").unwrap();
    let why = refused(backup::backup(&app.url, &folder.path().join("other.sqlite")));
    assert!(why.contains("a backup is at work on it"), "{why}");
}

#[actix_web::test]
async fn to_check_a_backup_does_not_change_it() {
    let Kept { app: _app, folder, backup, made } = kept().await;
    let before = std::fs::read(&backup).unwrap();
    assert_eq!(entries(&backup), made.contents.entries);
    assert_eq!(std::fs::read(&backup).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[actix_web::test]
async fn a_backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let Kept { app: _app, folder: _folder, backup, made: _ } = kept().await;
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
}

#[actix_web::test]
async fn an_unsound_database_gives_no_backup_of_that_name() {
    let Kept { app, folder, backup: _, made: _ } = kept().await;
    let DatabaseUrl::Sqlite(path) = &app.url else { panic!("{}", app.url) };
    let mut by_hand = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    by_hand.batch_execute("UPDATE journal SET actor = 'somebody else' WHERE sequence = 3").unwrap();
    let why = unsound(backup::backup(&app.url, &folder.path().join("later.sqlite")));
    assert!(why.contains("entry 3"), "{why}");
    assert_eq!(names(folder.path()), ["backup.sqlite", "later.sqlite.partial"]);
}

#[actix_web::test]
async fn what_was_backed_up_stands_again_byte_for_byte() {
    let Kept { app, folder, backup, made } = kept().await;
    let target = folder.path().join("new folder #1?/50%.sqlite");
    let restored = restore(&target, &backup).unwrap();
    assert_eq!(restored, Restored { contents: made.contents, set_aside: None, migrated: false });
    assert_eq!(names(target.parent().unwrap()), ["50%.sqlite"]);
    assert_eq!(std::fs::read(&target).unwrap(), std::fs::read(&backup).unwrap());
    let again = Store::open(&sqlite(&target), 1).unwrap();
    let all = |store: &Store| store.read::<_, StoreError>(|reading| journal::after(reading, 0, 1_000_000));
    assert_eq!(all(&again).unwrap(), all(&app.store).unwrap());
}

#[actix_web::test]
async fn a_backup_is_not_put_over_a_database_unasked() {
    let Kept { app: _app, folder, backup, made } = kept().await;
    let target = folder.path().join("target.sqlite");
    drop(Store::open(&sqlite(&target), 1).unwrap());
    let why = refused(restore(&target, &backup));
    assert!(why.contains("is there already; with --replace"), "{why}");
    assert_eq!(entries(&target), 0);
    let restored = replace(&target, &backup).unwrap();
    assert_eq!(entries(&target), made.contents.entries);
    let aside = restored.set_aside.unwrap();
    assert!(aside.ends_with("target.sqlite.before-restore-20261123T110000000000Z"), "{}", aside.display());
    assert_eq!(entries(&aside), 0);
    let why = refused(restore(&backup, &backup));
    assert!(why.contains("is there already"), "{why}");
    let why = refused(replace(&backup, &backup));
    assert!(why.ends_with("is the database itself"), "{why}");
}

#[actix_web::test]
async fn what_a_killed_server_left_is_set_aside_with_its_last_entries() {
    let Kept { app: _app, folder, backup, made } = kept().await;
    let (target, written) = killed_in(folder.path());
    let restored = replace(&target, &backup).unwrap();
    assert_eq!(entries(&restored.set_aside.unwrap()), written);
    assert_eq!(entries(&target), made.contents.entries);
}

#[actix_web::test]
async fn a_database_that_nobody_can_read_is_set_aside_as_it_is() {
    let Kept { app: _app, folder, backup, made } = kept().await;
    let target = folder.path().join("broken.sqlite");
    for (ending, content) in [("", "no database"), ("-wal", "no log")] {
        std::fs::write(format!("{}{ending}", target.display()), content).unwrap();
    }
    let aside = replace(&target, &backup).unwrap().set_aside.unwrap();
    assert_eq!(std::fs::read_to_string(&aside).unwrap(), "no database");
    assert_eq!(std::fs::read_to_string(format!("{}-wal", aside.display())).unwrap(), "no log");
    assert_eq!(entries(&target), made.contents.entries);
}

/// SQLite would take it for the log of the new one.
#[actix_web::test]
async fn a_log_without_its_database_does_not_end_up_beside_another() {
    let Kept { app: _app, folder, backup, made } = kept().await;
    let (target, _) = killed_in(folder.path());
    std::fs::remove_file(&target).unwrap();
    assert!(refused(restore(&target, &backup)).contains("killed.sqlite-wal is there already"));
    let aside = replace(&target, &backup).unwrap().set_aside.unwrap();
    assert!(Path::new(&format!("{}-wal", aside.display())).exists());
    assert_eq!(entries(&target), made.contents.entries);
}

#[actix_web::test]
async fn a_database_in_use_is_not_replaced() {
    let Kept { app, folder, backup, made } = kept().await;
    let DatabaseUrl::Sqlite(served) = &app.url else { panic!("{}", app.url) };
    let before = names(served.parent().unwrap());
    let why = refused(replace(served, &backup));
    assert!(why.contains("is in use: stop the server"), "{why}");
    assert_eq!(names(served.parent().unwrap()), before);

    // Another program, which knows nothing of our lock, and does nothing at this moment.
    let target = folder.path().join("target.sqlite");
    drop(Store::open(&sqlite(&target), 1).unwrap());
    let mut other = SqliteConnection::establish(&target.to_string_lossy()).unwrap();
    other.batch_execute("SELECT count(*) FROM journal").unwrap();
    let why = refused(replace(&target, &backup));
    assert!(why.contains("is in use: stop the server"), "{why}");
    assert!(!names(folder.path()).iter().any(|name| name.contains(".restoring")));
    drop(other);
    replace(&target, &backup).unwrap();
    assert_eq!(entries(&target), made.contents.entries);
}

#[cfg(unix)]
#[actix_web::test]
async fn by_whatever_path_it_is_opened_there_is_one_lock() {
    let Kept { app, folder, backup, made: _ } = kept().await;
    let DatabaseUrl::Sqlite(served) = &app.url else { panic!("{}", app.url) };
    let link = folder.path().join("link.sqlite");
    std::os::unix::fs::symlink(served, &link).unwrap();
    let why = refused(replace(&link, &backup));
    assert!(why.contains("is in use"), "{why}");
}

#[actix_web::test]
async fn a_restore_that_was_killed_can_be_done_again() {
    let Kept { app: _app, folder, backup, made } = kept().await;
    let target = folder.path().join("target.sqlite");
    std::fs::write(folder.path().join("target.sqlite.restoring"), "half of it").unwrap();
    restore(&target, &backup).unwrap();
    assert_eq!(entries(&target), made.contents.entries);
    assert!(!folder.path().join("target.sqlite.restoring").exists());
}

/// Damages a copy of the backup and tries to put it in place of a database, which must stay as it is.
fn damaged(kept: &Kept, damage: impl FnOnce(&Path)) -> String {
    let copy = kept.folder.path().join("damaged.sqlite");
    std::fs::copy(&kept.backup, &copy).unwrap();
    damage(&copy);
    let target = kept.folder.path().join("target.sqlite");
    if !target.exists() {
        restore(&target, &kept.backup).unwrap();
    }
    let before = names(kept.folder.path());
    let why = unsound(replace(&target, &copy));
    assert_eq!(names(kept.folder.path()), before);
    assert_eq!(entries(&target), kept.made.contents.entries);
    std::fs::remove_file(copy).unwrap();
    why
}

fn edited(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    edit(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn by_hand(path: &Path, statements: &str) {
    SqliteConnection::establish(&path.to_string_lossy()).unwrap().batch_execute(statements).unwrap();
}

#[actix_web::test]
async fn a_damaged_backup_is_not_put_in_place() {
    let kept = kept().await;
    let why = damaged(&kept, |path| edited(path, |bytes| bytes.truncate(bytes.len() / 2)));
    assert!(why.contains("malformed") || why.contains("missing"), "{why}");
    damaged(&kept, |path| edited(path, |bytes| bytes.clear()));
    damaged(&kept, |path| edited(path, |bytes| bytes[..4096].fill(0)));
    // One letter of one item, in the journal and in its row alike.
    let why = damaged(&kept, |path| {
        by_hand(
            path,
            "UPDATE journal SET snapshot = replace(snapshot, 'Pernis', 'Pernes');
             UPDATE registry SET snapshot = replace(snapshot, 'Pernis', 'Pernes');",
        );
    });
    assert!(why.contains("was changed after it was written"), "{why}");
    let why = damaged(&kept, |path| {
        by_hand(
            path,
            "DELETE FROM advice_term; DELETE FROM advice_council; DELETE FROM advice_theme; DELETE FROM advice",
        )
    });
    assert!(why.contains("items, but"), "{why}");
    // The last entry is cut off, and the head with it: then a row says more than the journal.
    let why = damaged(&kept, |path| {
        by_hand(
            path,
            "DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal);
             UPDATE journal_head SET (sequence, moment, hash) =
               (SELECT sequence, moment, hash FROM journal ORDER BY sequence DESC LIMIT 1);",
        );
    });
    assert!(why.contains("journal"), "{why}");
}

#[actix_web::test]
async fn each_bit_counts_where_its_digest_is_given() {
    let Kept { app: _app, folder, backup, made } = kept().await;
    let target = folder.path().join("target.sqlite");
    let with = |sha256: &str| {
        let options = RestoreOptions { replace: false, sha256: Some(sha256.to_owned()) };
        backup::restore(&sqlite(&target), &backup, &options, noon())
    };
    let why = unsound(with(&"0".repeat(64)));
    assert!(why.contains(&made.sha256), "{why}");
    assert!(!target.exists());
    with(&made.sha256.to_uppercase()).unwrap();
}

#[actix_web::test]
async fn a_database_with_its_log_is_not_taken_for_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = killed_in(folder.path());
    let why = refused(restore(&folder.path().join("target.sqlite"), &database));
    assert!(why.contains("this is a database and no backup"), "{why}");
}

#[test]
fn postgresql_is_left_to_its_own_tools() {
    let url: DatabaseUrl = "postgres://api@db.test/wijkaanzet".parse().unwrap();
    let file = Path::new("backup.sqlite");
    let made = backup::backup(&url, file).unwrap_err().to_string();
    assert!(made.contains("pg_dump -Fc") && made.contains("docs/backup.md"), "{made}");
    let options = RestoreOptions::default();
    let restored = backup::restore(&url, file, &options, DateTime::<Utc>::UNIX_EPOCH + Duration::days(1));
    assert!(restored.unwrap_err().to_string().contains("pg_restore"));
}
