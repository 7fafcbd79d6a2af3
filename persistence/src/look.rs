//! One look at the database on behalf of many who ask at the same time: the state it is in, and advice by id. All of it is read of
//! that one state.

use std::collections::HashMap;

use diesel::prelude::*;
use domain::ids::AdviceId;

use crate::advice::Unread;
use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::journal::{self, State, StateRow};
use crate::schema::{advice, journal_head};
use crate::{dialect, registry};

/// What one look tells.
#[derive(Debug)]
pub struct Look {
    /// The state of the database.
    pub state: State,
    /// Those that were asked for and are there.
    pub advice: HashMap<AdviceId, Unread>,
}

/// The state, and the id and the text of an advice; a row without one where none is found.
type Row = (StateRow, Option<String>, Option<String>);

/// Looks once.
pub(crate) fn look(connection: &mut AnyConnection, ids: &[AdviceId]) -> Result<Look, StoreError> {
    match connection {
        AnyConnection::Postgres(postgres) => {
            // One statement, so one journey. As a query of PostgreSQL alone it takes the ids as one array, and is prepared once.
            let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let rows: Vec<Row> = journal_head::table
                .left_join(advice::table.on(advice::id.eq_any(texts)))
                .filter(journal_head::id.eq(1))
                .select((journal::state(), advice::id.nullable(), advice::snapshot.nullable()))
                .load(postgres)?;
            of_rows(rows)
        }
        // Its journeys are short, and it has no arrays.
        AnyConnection::Sqlite(_) => dialect::read_transaction(connection, |connection| {
            let mut advice = HashMap::with_capacity(ids.len());
            for id in ids {
                advice.extend(Unread::load(connection, *id)?.map(|unread| (*id, unread)));
            }
            let position = journal::position(connection)?;
            Ok(Look { state: State { position, registry: registry::sequence(connection)? }, advice })
        }),
    }
}

fn of_rows(rows: Vec<Row>) -> Result<Look, StoreError> {
    let malformed = |what, cause: &str| StoreError::Malformed { what, cause: cause.to_owned() };
    let Some((state, ..)) = rows.first() else { return Err(malformed("the journal", "it has no head")) };
    let state = State::of(state.clone());
    let mut advice = HashMap::with_capacity(rows.len());
    for (_, id, text) in rows {
        if let (Some(id), Some(text)) = (id, text) {
            let id = id.parse().map_err(|_| malformed("the id of an advice", "it is none"))?;
            advice.insert(AdviceId(id), Unread::of(text));
        }
    }
    Ok(Look { state, advice })
}
