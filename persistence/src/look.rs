//! One look at the database on behalf of many who ask at the same time: the state it is in, and advice by id. All of it is read of
//! that one state.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::dsl::case_when;
use diesel::prelude::*;
use domain::ids::AdviceId;

use crate::advice::{Unread, id_of};
use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::journal::{self, State, StateRow};
use crate::schema::{advice, journal_head};
use crate::snapshot::Mark;
use crate::{dialect, moment, registry};

/// What one look tells.
#[derive(Debug)]
pub struct Look {
    /// The state of the database.
    pub state: State,
    /// When its last entry was written; none before the first.
    pub moment: Option<DateTime<Utc>>,
    /// Those that were asked for and are there.
    pub advice: HashMap<AdviceId, Standing>,
}

impl Look {
    fn of((state, moment): (StateRow, i64), advice: HashMap<AdviceId, Standing>) -> Self {
        let state = State::of(state);
        let moment = (state.position.sequence > 0).then(|| moment::to_utc(moment));
        Self { state, moment, advice }
    }
}

/// How an advice stands.
#[derive(Debug)]
pub struct Standing {
    /// Which writing of it holds.
    pub mark: Mark,
    /// That writing, where it was wanted.
    pub text: Option<Unread>,
}

/// The state and its moment, and the id, the mark and the text of an advice; a row without them where none is found.
type Row = ((StateRow, i64), Option<String>, Option<i64>, Option<i64>, Option<String>);

/// Looks once. Of each advice it is said whether its text is wanted: a text is the most of what there is to read and to send.
pub(crate) fn look(
    connection: &mut AnyConnection,
    wanted: &BTreeMap<AdviceId, bool>,
) -> Result<Look, StoreError> {
    match connection {
        AnyConnection::Postgres(postgres) => {
            // One statement, so one journey.
            let state = (journal_head::sequence, journal_head::hash, journal::last_of_registry());
            let state = (state, journal_head::moment);
            if wanted.is_empty() {
                return Ok(Look::of(
                    journal_head::table.find(1).select(state).first(postgres)?,
                    HashMap::new(),
                ));
            }
            // As a query of PostgreSQL alone it takes the ids as arrays, and is prepared once.
            let all: Vec<String> = wanted.keys().map(ToString::to_string).collect();
            let with_text = wanted.iter().filter(|(_, with_text)| **with_text);
            let with_text: Vec<String> = with_text.map(|(id, _)| id.to_string()).collect();
            let rows: Vec<Row> = journal_head::table
                .left_join(advice::table.on(advice::id.eq_any(all)))
                .filter(journal_head::id.eq(1))
                .select((
                    state,
                    advice::id.nullable(),
                    advice::version.nullable(),
                    advice::modified_at.nullable(),
                    case_when(advice::id.nullable().eq_any(with_text), advice::snapshot.nullable()),
                ))
                .load(postgres)?;
            of_rows(rows)
        }
        // Its journeys are short, and it has no arrays.
        AnyConnection::Sqlite(_) => dialect::read_transaction(connection, |connection| {
            let mut advice = HashMap::with_capacity(wanted.len());
            for (id, with_text) in wanted {
                advice.extend(standing(connection, *id, *with_text)?.map(|standing| (*id, standing)));
            }
            let head = (journal_head::sequence, journal_head::hash, journal_head::moment);
            let (sequence, hash, moment) = journal_head::table.find(1).select(head).first(connection)?;
            let registry = registry::sequence(connection)?;
            Ok(Look::of(((sequence, hash, Some(registry)), moment), advice))
        }),
    }
}

fn standing(
    connection: &mut AnyConnection,
    id: AdviceId,
    with_text: bool,
) -> Result<Option<Standing>, StoreError> {
    let row = advice::table.find(id.to_string());
    let mark = (advice::version, advice::modified_at);
    let found: Option<((i64, i64), Option<String>)> = match with_text {
        true => row.select((mark, advice::snapshot.nullable())).first(connection).optional()?,
        false => row.select(mark).first(connection).optional()?.map(|mark| (mark, None)),
    };
    Ok(found.map(|((version, moment), text)| Standing {
        mark: Mark { version, moment },
        text: text.map(Unread::of),
    }))
}

fn of_rows(rows: Vec<Row>) -> Result<Look, StoreError> {
    let Some((state, ..)) = rows.first() else {
        return Err(StoreError::Malformed { what: "the journal", cause: "it has no head".to_owned() });
    };
    let state = state.clone();
    let mut advice = HashMap::with_capacity(rows.len());
    for (_, id, version, moment, text) in rows {
        if let (Some(id), Some(version), Some(moment)) = (id, version, moment) {
            let standing = Standing { mark: Mark { version, moment }, text: text.map(Unread::of) };
            advice.insert(id_of(&id)?, standing);
        }
    }
    Ok(Look::of(state, advice))
}
