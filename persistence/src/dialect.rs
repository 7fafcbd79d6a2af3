//! What truly differs between the two databases.

use std::path::Path;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::schema::journal_head;
use crate::statement::Statement;

type Transactions = <AnyConnection as diesel::Connection>::TransactionManager;

/// Begins a transaction that writes. SQLite takes its one write lock at the start: a transaction that reads first and
/// writes later would find the database locked.
pub(crate) fn begin_write(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let begun = match connection {
        // Whatever the server's default is: the wait for the journal counts on seeing what was committed meanwhile.
        AnyConnection::Postgres(postgres) => AnsiTransactionManager::begin_transaction_sql(
            postgres,
            "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE",
        ),
        AnyConnection::Sqlite(sqlite) => {
            AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")
        }
    };
    begun.map_err(StoreError::from)
}

/// Does the work in the transaction that was begun, and commits it or rolls it back.
pub(crate) fn end_write<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    match work(connection) {
        Ok(value) => {
            Transactions::commit_transaction(connection).map_err(StoreError::from)?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one worth telling; a connection that cannot even roll back is thrown away by the pool.
            if let Err(rollback) = Transactions::rollback_transaction(connection) {
                tracing::warn!(error = %rollback, "a transaction could not be rolled back");
            }
            Err(error)
        }
    }
}

/// Begins queries that must agree with each other, on one snapshot of the database.
pub(crate) fn begin_read(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let begun = match connection {
        AnyConnection::Postgres(postgres) => AnsiTransactionManager::begin_transaction_sql(
            postgres,
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
        AnyConnection::Sqlite(_) => Transactions::begin_transaction(connection),
    };
    begun.map_err(StoreError::from)
}

/// Does the reading in the transaction that was begun, and ends it.
pub(crate) fn end_read<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    let outcome = work(connection);
    match Transactions::rollback_transaction(connection) {
        Err(error) if outcome.is_ok() => Err(StoreError::from(error).into()),
        // The first error is the one worth telling.
        _ => outcome,
    }
}

/// Runs queries that must agree with each other on one snapshot of the database.
pub(crate) fn read_transaction<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    begin_read(connection)?;
    end_read(connection, work)
}

/// Whether the connection is of no use any more.
pub(crate) fn is_broken(connection: &mut AnyConnection) -> bool {
    match connection {
        AnyConnection::Postgres(postgres) => AnsiTransactionManager::is_broken_transaction_manager(postgres),
        AnyConnection::Sqlite(sqlite) => AnsiTransactionManager::is_broken_transaction_manager(sqlite),
    }
}

/// Takes the lock of the journal, and reads where it ends: sequence, moment, hash. SQLite's write transaction is that lock already.
pub(crate) fn lock_head(connection: &mut AnyConnection) -> Result<(i64, i64, String), StoreError> {
    let head = journal_head::table.find(1).select((
        journal_head::sequence,
        journal_head::moment,
        journal_head::hash,
    ));
    Ok(match connection {
        AnyConnection::Postgres(postgres) => head.for_no_key_update().first(postgres)?,
        AnyConnection::Sqlite(sqlite) => head.first(sqlite)?,
    })
}

/// Does all of these, and says how many rows the last one changed. None of them may need to see what another did. PostgreSQL is
/// told in one go: the way there and back costs more than most of them.
pub(crate) fn execute_all(
    connection: &mut AnyConnection,
    statements: Vec<Statement>,
) -> Result<usize, StoreError> {
    const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    match connection {
        AnyConnection::Postgres(_) if statements.len() <= NAMES.len() => {
            let last = statements.len().saturating_sub(1);
            let mut whole = Statement::new();
            for ((place, statement), name) in statements.into_iter().enumerate().zip(NAMES) {
                let begin = if place == 0 { "WITH " } else { ", " };
                whole = match place {
                    _ if place < last => whole.sql(begin).sql(name).sql(" AS (").then(statement).sql(")"),
                    _ => whole.sql(" ").then(statement),
                };
            }
            Ok(whole.execute(connection)?)
        }
        AnyConnection::Postgres(_) | AnyConnection::Sqlite(_) => {
            let mut changed = 0;
            for statement in statements {
                changed = statement.execute(connection)?;
            }
            Ok(changed)
        }
    }
}

/// Whether the connection turned out to be of no use. One that was lost outside a transaction finds that out when it begins one.
pub(crate) fn is_lost(connection: &mut AnyConnection) -> bool {
    if is_broken(connection) {
        return true;
    }
    match begin_read(connection) {
        Ok(()) => end_read(connection, |_| Ok::<_, StoreError>(())).is_err(),
        Err(_) => true,
    }
}

/// Waits until no other process migrates. SQLite's write transaction is that lock already.
pub(crate) fn lock_for_migration(connection: &mut AnyConnection) -> Result<(), StoreError> {
    match connection {
        AnyConnection::Postgres(_) => {
            // However long another one takes.
            diesel::sql_query("SET LOCAL lock_timeout = 0").execute(connection)?;
            diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext(current_schema()))")
                .bind::<Text, _>("wijkaanzet-migration")
                .execute(connection)?;
            Ok(())
        }
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// A process of a release before 0.4 leaves out what lists are read by (`advice_council.status`), and the advice would be missing there:
/// without a default it is refused. SQLite has one process, and can't take a default away.
pub(crate) fn refuse_older_writers(connection: &mut AnyConnection) -> Result<(), StoreError> {
    match connection {
        AnyConnection::Postgres(postgres) => Ok(postgres.batch_execute(
            "DO $$ BEGIN
               IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'advice_council'::regclass AND attname = 'status' AND atthasdef)
               THEN ALTER TABLE advice_council ALTER COLUMN status DROP DEFAULT; END IF;
             END $$",
        )?),
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// Makes a secret of 64 hexadecimal digits where there is none of this name yet. Both databases have their own source of chance.
pub(crate) fn make_secret(connection: &mut AnyConnection, name: &str) -> Result<(), StoreError> {
    let value = match connection {
        AnyConnection::Postgres(_) => "replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')",
        AnyConnection::Sqlite(_) => "lower(hex(randomblob(32)))",
    };
    let statement =
        format!("INSERT INTO secret (name, value) VALUES ($1, {value}) ON CONFLICT (name) DO NOTHING");
    diesel::sql_query(statement).bind::<Text, _>(name).execute(connection)?;
    Ok(())
}

/// Keeps the root of a day, unless one stands there. Diesel has no `on_conflict` for both databases; they spell it alike.
pub(crate) fn insert_root(
    connection: &mut AnyConnection,
    day: i32,
    sequence: i64,
    moment: i64,
    hash: &str,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO journal_root (day, sequence, moment, hash) VALUES ($1, $2, $3, $4) ON CONFLICT (day) DO NOTHING",
    )
    .bind::<Integer, _>(day)
    .bind::<BigInt, _>(sequence)
    .bind::<BigInt, _>(moment)
    .bind::<Text, _>(hash)
    .execute(connection)?;
    Ok(())
}

/// Copies the whole database, as it is at one moment, into an empty file; who writes meanwhile is not held up. Only SQLite
/// can: PostgreSQL's copies are made by tools of its own.
pub(crate) fn copy_into(connection: &mut AnyConnection, file: &Path) -> Result<(), StoreError> {
    match connection {
        AnyConnection::Postgres(_) => Err(StoreError::Setting("PostgreSQL is copied by pg_dump".to_owned())),
        AnyConnection::Sqlite(sqlite) => {
            // It also forbids to write to the copy.
            sqlite.batch_execute("PRAGMA query_only = OFF;")?;
            diesel::sql_query("VACUUM INTO ?")
                .bind::<Text, _>(file.to_string_lossy().into_owned())
                .execute(sqlite)?;
            Ok(())
        }
    }
}

/// What SQLite finds wrong with its own pages and indexes, also where no row is ever read.
pub(crate) fn damaged_pages(connection: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    match connection {
        AnyConnection::Postgres(_) => Ok(Vec::new()),
        AnyConnection::Sqlite(sqlite) => {
            let lines: Vec<Line> = diesel::sql_query("PRAGMA integrity_check(5)").load(sqlite)?;
            let lines = lines.into_iter().map(|Line { integrity_check }| integrity_check);
            Ok(lines.filter(|line| line != "ok").collect())
        }
    }
}
