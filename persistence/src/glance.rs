//! One look at the database on behalf of many who ask at the same time: where its journal ends, whether the reference tables are
//! still those that were read, and advice by id. All of it is of one state of the database. The one query over the tables of others.

use std::collections::HashMap;

use diesel::dsl::max;
use diesel::prelude::*;
use domain::ids::AdviceId;

use crate::advice::Unread;
use crate::connection::AnyConnection;
use crate::dialect;
use crate::error::StoreError;
use crate::journal::{self, Position};
use crate::registry;
use crate::schema::{advice, journal_head, registry as registry_table};

/// What one look tells.
#[derive(Debug)]
pub struct Glance {
    /// Where the journal ends.
    pub position: Position,
    /// The number of the last change of the reference tables, as [`registry::sequence`] gives it.
    pub registry: i64,
    /// Those that were asked for and are there.
    pub advice: HashMap<AdviceId, Unread>,
}

/// The number and the hash that the journal ends with, the number of the reference tables, and the id and the text of an advice;
/// a row without an advice where none is found.
type Row = (i64, String, Option<i64>, Option<String>, Option<String>);

/// Looks once.
pub(crate) fn glance(connection: &mut AnyConnection, ids: &[AdviceId]) -> Result<Glance, StoreError> {
    match connection {
        AnyConnection::Postgres(postgres) => {
            // One statement, so one journey. As a query of PostgreSQL alone it takes the ids as one array, and is prepared once.
            let rows: Vec<Row> = journal_head::table
                .left_join(advice::table.on(advice::id.eq_any(texts(ids))))
                .select((
                    journal_head::sequence,
                    journal_head::hash,
                    registry_table::table.select(max(registry_table::sequence)).single_value(),
                    advice::id.nullable(),
                    advice::snapshot.nullable(),
                ))
                .load(postgres)?;
            of_rows(rows)
        }
        // Its journeys are short, and it has no arrays.
        AnyConnection::Sqlite(_) => dialect::read_transaction(connection, |connection| {
            let mut advice = HashMap::with_capacity(ids.len());
            for id in ids {
                advice.extend(Unread::load(connection, *id)?.map(|unread| (*id, unread)));
            }
            Ok(Glance {
                position: journal::position(connection)?,
                registry: registry::sequence(connection)?,
                advice,
            })
        }),
    }
}

fn of_rows(rows: Vec<Row>) -> Result<Glance, StoreError> {
    let malformed = |what, cause: &str| StoreError::Malformed { what, cause: cause.to_owned() };
    let Some((sequence, hash, registry, ..)) = rows.first() else {
        return Err(malformed("the journal", "it has no head"));
    };
    let (position, registry) = (Position::of(*sequence, hash), registry.unwrap_or(0));
    let mut advice = HashMap::with_capacity(rows.len());
    for (_, _, _, id, text) in rows {
        if let (Some(id), Some(text)) = (id, text) {
            let id = id.parse().map_err(|_| malformed("the id of an advice", "it is none"))?;
            advice.insert(AdviceId(id), Unread::of(text));
        }
    }
    Ok(Glance { position, registry, advice })
}

fn texts(ids: &[AdviceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
