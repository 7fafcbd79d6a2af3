//! The facts that figures are made from, as known at a place in the journal. They come from the journal and from nothing else, so
//! that what was known then is found again, and what is known now is kept in step with the entries that were added.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use domain::agreement::Agreement;
use domain::assignment::Assignment;
use domain::commitment::Commitment;
use domain::council::Council;
use domain::dossier::Dossier;
use domain::metrics::facts::{AdviceFact, Facts};
use domain::office_holder::OfficeHolder;
use domain::policy_track::PolicyTrack;
use domain::reference::{Area, Cluster, Obligation, TermOfOffice, Theme};
use domain::talk::Talk;
use serde::de::DeserializeOwned;

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::registry::Table;
use crate::schema::journal;
use crate::snapshot::{self, Snapshot, from_text};
use crate::{advice, bare, dossier, moment};

/// The resources that figures are made from.
const RESOURCES: [&str; 13] = [
    Table::Council.as_str(),
    Table::Area.as_str(),
    Table::Cluster.as_str(),
    Table::Theme.as_str(),
    Table::OfficeHolder.as_str(),
    Table::TermOfOffice.as_str(),
    Table::Obligation.as_str(),
    advice::RESOURCE,
    Agreement::RESOURCE,
    PolicyTrack::RESOURCE,
    Commitment::RESOURCE,
    Talk::RESOURCE,
    Assignment::RESOURCE,
];

/// How many entries are read at a time.
const BATCH: usize = 500;

/// The last entry of the journal up to and including a moment; the last of all when none is given. Zero before the first.
pub fn place(
    connection: &mut AnyConnection,
    known_at: Option<DateTime<Utc>>,
) -> Result<(i64, Option<DateTime<Utc>>), StoreError> {
    let mut query = journal::table
        .order(journal::sequence.desc())
        .select((journal::sequence, journal::moment))
        .into_boxed();
    if let Some(known_at) = known_at {
        query = query.filter(journal::moment.le(moment::of(known_at)));
    }
    let found: Option<(i64, i64)> = query.first(connection).optional()?;
    Ok(found.map_or((0, None), |(sequence, at)| (sequence, Some(moment::to_utc(at)))))
}

/// Reads the facts as known at a place in the journal, some at a time. What was known there stays the same, so that each step may
/// read on a snapshot of its own and nobody keeps a connection for all of them.
pub struct Loading {
    sequence: i64,
    facts: Facts,
    /// Which of the resources is read, and up to which item.
    resource: usize,
    item: String,
}

impl Loading {
    /// Nothing is read yet.
    pub fn at(sequence: i64) -> Self {
        Self { sequence, facts: Facts::default(), resource: 0, item: String::new() }
    }

    /// Where in the journal it reads.
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    /// Reads some more, and says whether there may be more.
    pub fn step(&mut self, connection: &mut AnyConnection) -> Result<bool, StoreError> {
        let Some(resource) = RESOURCES.get(self.resource).copied() else { return Ok(false) };
        // In order of item, out of the index: a table of facts is filled from end to end.
        let last: Vec<(String, Option<i64>)> = journal::table
            .filter(journal::resource.eq(resource))
            .filter(journal::item.gt(&self.item))
            .filter(journal::sequence.le(self.sequence))
            .group_by(journal::item)
            .order(journal::item)
            .limit(i64::try_from(BATCH).unwrap_or(i64::MAX))
            .select((journal::item, max(journal::sequence)))
            .load(connection)?;
        match last.last() {
            Some((item, _)) => self.item.clone_from(item),
            None => {
                self.resource += 1;
                self.item.clear();
                return Ok(self.resource < RESOURCES.len());
            }
        }
        let sequences: Vec<i64> = last.into_iter().filter_map(|(_, sequence)| sequence).collect();
        let mut entries: Vec<(String, String)> = journal::table
            .filter(journal::sequence.eq_any(sequences))
            .select((journal::item, journal::snapshot))
            .load(connection)?;
        entries.sort_unstable();
        for (_, text) in &entries {
            take(&mut self.facts, resource, text)?;
        }
        Ok(true)
    }

    /// The facts, once all is read.
    pub fn facts(self) -> Facts {
        self.facts
    }
}

/// The facts as known at a place in the journal.
pub fn at(connection: &mut AnyConnection, sequence: i64) -> Result<Facts, StoreError> {
    let mut loading = Loading::at(sequence);
    while loading.step(connection)? {}
    Ok(loading.facts())
}

/// Brings facts that were known at one place up to a later one.
pub fn advance(
    facts: &mut Facts,
    connection: &mut AnyConnection,
    from: i64,
    to: i64,
) -> Result<(), StoreError> {
    let mut after = from;
    loop {
        let entries: Vec<(i64, String, String)> = journal::table
            .filter(journal::sequence.gt(after))
            .filter(journal::sequence.le(to))
            .order(journal::sequence)
            .limit(i64::try_from(BATCH).unwrap_or(i64::MAX))
            .select((journal::sequence, journal::resource, journal::snapshot))
            .load(connection)?;
        let Some((last, ..)) = entries.last() else { return Ok(()) };
        after = *last;
        for (_, resource, text) in &entries {
            take(facts, resource, text)?;
        }
    }
}

/// Takes in an item as an entry of the journal has it; a later entry replaces an earlier one.
fn take(facts: &mut Facts, resource: &str, text: &str) -> Result<(), StoreError> {
    if resource == advice::RESOURCE {
        let record = bare::read(text)?;
        let fact = AdviceFact::of(&record);
        // In every test that asks for a figure the two ways of reading are compared.
        debug_assert_eq!(fact, AdviceFact::of(&snapshot::read(text)?.value));
        match fact {
            Some(fact) => facts.put_advice(fact),
            None => facts.advice.remove(&record.id),
        }
    } else if resource == Agreement::RESOURCE {
        facts.put_agreement(&dossier::read(text)?);
    } else if resource == PolicyTrack::RESOURCE {
        facts.put_policy_track(dossier::read(text)?);
    } else if resource == Commitment::RESOURCE {
        facts.put_commitment(dossier::read(text)?);
    } else if resource == Talk::RESOURCE {
        facts.put_talk(dossier::read(text)?);
    } else if resource == Assignment::RESOURCE {
        facts.put_assignment(dossier::read(text)?);
    } else if resource == Table::Council.as_str() {
        upsert(&mut facts.councils, row::<Council>(text)?, |council| council.code.to_string());
    } else if resource == Table::Area.as_str() {
        upsert(&mut facts.areas, row::<Area>(text)?.code, ToString::to_string);
    } else if resource == Table::Cluster.as_str() {
        upsert(&mut facts.clusters, row::<Cluster>(text)?.code, ToString::to_string);
    } else if resource == Table::Theme.as_str() {
        upsert(&mut facts.themes, row::<Theme>(text)?.code, ToString::to_string);
    } else if resource == Table::OfficeHolder.as_str() {
        upsert(&mut facts.office_holders, row::<OfficeHolder>(text)?.id, ToString::to_string);
    } else if resource == Table::TermOfOffice.as_str() {
        upsert(&mut facts.terms_of_office, row::<TermOfOffice>(text)?, |term| term.code.clone());
    } else if resource == Table::Obligation.as_str() {
        upsert(&mut facts.obligations, row::<Obligation>(text)?, |obligation| obligation.code.clone());
    }
    // Accords, plans, requests, drafts of responses and other tables stand in no figure of their own.
    Ok(())
}

fn row<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    let Snapshot { schema_version: _, created_at: _, item } = from_text("a row of the registry", text)?;
    Ok(item)
}

/// Puts a row of a small table in its place, in order of code.
fn upsert<T>(table: &mut Vec<T>, row: T, code: impl Fn(&T) -> String) {
    match table.binary_search_by_key(&code(&row), &code) {
        Ok(place) => table[place] = row,
        Err(place) => table.insert(place, row),
    }
}
