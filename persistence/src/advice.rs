//! Advice in storage: `find`, `list`, `add`, `save`. Every read starts at what the caller may see.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{IntoBoxed, auto_type, exists, max, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use domain::access::{self, Caller, View};
use domain::advice::{Advice, AdviceRecord};
use domain::codes::{AdviceKind, AdviceStatus, Level, Outcome, PublicationState, TermState};
use domain::ids::{AdviceId, AdviceRequestId, ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use domain::term;
use uuid::Uuid;

use crate::connection::{AnyConnection, MultiBackend};
use crate::dialect;
use crate::error::StoreError;
use crate::journal::{self, Change, State, StateRow, Tx};
use crate::moment;
use crate::schema::{advice, advice_council, advice_reference, advice_term, advice_theme, audience};
use crate::snapshot::{self, Mark, Seen, Stamp, Stored};
use crate::statement::{OneOf, Statement, Value, one_of};

/// The name of the resource in the journal.
pub const RESOURCE: &str = "advice";

/// What a caller finds at the address of an advice.
#[derive(Debug)]
pub enum Found {
    /// The item, and how much of it the caller sees.
    Visible(Box<Stored<Advice>>, View),
    /// It was public and is no more; the reason and the moment are public.
    Gone {
        /// Why it was withdrawn from publication.
        reason: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// There is none that the caller may know of.
    Missing,
}

/// An advice as it is kept. Nobody reads it but for a caller.
#[derive(Debug)]
pub struct Unread(String);

impl Unread {
    pub(crate) fn of(snapshot: String) -> Self {
        Self(snapshot)
    }

    pub(crate) fn load(connection: &mut AnyConnection, id: AdviceId) -> Result<Option<Self>, StoreError> {
        let found = advice::table.find(id.to_string()).select(advice::snapshot).first(connection);
        Ok(found.optional()?.map(Self))
    }

    /// What this caller finds.
    pub fn for_caller(&self, caller: &Caller) -> Result<Found, StoreError> {
        let stored = snapshot::read(&self.0)?;
        if let Some(view) = caller.view(&stored.value) {
            return Ok(Found::Visible(Box::new(stored), view));
        }
        let publication = &stored.value.publication;
        Ok(match (publication.state, publication.withdrawn_at) {
            (PublicationState::Withdrawn, Some(at)) => {
                Found::Gone { reason: publication.reason.clone().unwrap_or_default(), at }
            }
            _ => Found::Missing,
        })
    }
}

/// Finds an advice for a caller.
pub fn find(connection: &mut AnyConnection, id: AdviceId, caller: &Caller) -> Result<Found, StoreError> {
    Unread::load(connection, id)?.map_or(Ok(Found::Missing), |unread| unread.for_caller(caller))
}

/// Each of these as it now is, with how much of it the caller sees; what he may not see is left out.
pub fn find_all(
    connection: &mut AnyConnection,
    ids: &[AdviceId],
    caller: &Caller,
) -> Result<Vec<(Stored<Advice>, View)>, StoreError> {
    let found: Vec<String> =
        advice::table.filter(advice::id.eq_any(texts_of(ids))).select(advice::snapshot).load(connection)?;
    let mut visible = Vec::with_capacity(found.len());
    for text in found {
        let stored = snapshot::read(&text)?;
        if let Some(view) = caller.view(&stored.value) {
            visible.push((stored, view));
        }
    }
    Ok(visible)
}

/// What an import needs to recognise an advice that it knows; for the importer, who sees every imported item.
pub fn imported(tx: &mut Tx<'_>) -> Result<Vec<Stored<Advice>>, StoreError> {
    let texts: Vec<String> = advice::table.order(advice::id).select(advice::snapshot).load(tx.connection)?;
    texts.iter().map(|text| snapshot::read(text)).collect()
}

/// Adds a new advice.
pub fn add(tx: &mut Tx<'_>, value: &Advice, event: &str) -> Result<Stored<Advice>, StoreError> {
    let seen_from = seen_from(None, value);
    write(tx, value, Before::Nothing, seen_from, event, None)
}

/// Saves a changed advice, if nobody else changed it since it was read.
pub fn save(
    tx: &mut Tx<'_>,
    value: &Advice,
    before: &Stored<Advice>,
    event: &str,
    reason: Option<String>,
) -> Result<Stored<Advice>, StoreError> {
    let seen_from = seen_from(Some(&*before.value), value);
    write(tx, value, Before::Item(before), seen_from, event, reason)
}

/// Advice that reacts to this one or was merged into it.
pub fn naming(tx: &mut Tx<'_>, id: AdviceId) -> Result<Vec<Stored<Advice>>, StoreError> {
    let texts: Vec<String> = advice::table
        .filter(advice::second_round_of.eq(id.to_string()).or(advice::merged_into.eq(id.to_string())))
        .order(advice::id)
        .select(advice::snapshot)
        .load(tx.connection)?;
    texts.iter().map(|text| snapshot::read(text)).collect()
}

/// Advice that this office holder answers.
pub fn of_portfolio_holder(
    tx: &mut Tx<'_>,
    holder: OfficeHolderId,
) -> Result<Vec<Stored<Advice>>, StoreError> {
    let texts: Vec<String> = advice::table
        .filter(advice::portfolio_holder.eq(holder.to_string()))
        .order(advice::id)
        .select(advice::snapshot)
        .load(tx.connection)?;
    texts.iter().map(|text| snapshot::read(text)).collect()
}

/// Advice of which a follow-up names one of these agreements. Few are in follow-up at any time, and an accord is published seldom.
pub fn following_up(tx: &mut Tx<'_>, agreements: &BTreeSet<Uuid>) -> Result<Vec<Stored<Advice>>, StoreError> {
    let texts: Vec<String> = advice::table
        .filter(advice::snapshot.like("%\"agreement\":\"%"))
        .order(advice::id)
        .select(advice::snapshot)
        .load(tx.connection)?;
    let read = texts.iter().map(|text| snapshot::read(text)).collect::<Result<Vec<_>, _>>()?;
    let names = |stored: &Stored<Advice>| {
        let mut named = stored.value.follow_ups.iter().filter_map(access::linked_agreement);
        named.any(|agreement| agreements.contains(&agreement))
    };
    Ok(read.into_iter().filter(names).collect())
}

/// Writes down that an advice looks another way because one that it names was published or is no longer: copies and
/// caches of it are out of date though nothing was recorded of it. All that is made from it is made anew.
pub fn save_as_seen_anew(tx: &mut Tx<'_>, stored: &Stored<Advice>) -> Result<Stored<Advice>, StoreError> {
    write(tx, &stored.value, Before::Same(stored), View::Public, "link", None)
}

#[derive(Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = advice)]
struct Row {
    id: String,
    version: i64,
    created_at: i64,
    modified_at: i64,
    own_modified_at: i64,
    public_modified_at: i64,
    snapshot: String,
    kind: String,
    status: String,
    outcome: Option<String>,
    level: String,
    cluster: Option<String>,
    portfolio_holder: Option<String>,
    request: Option<String>,
    second_round_of: Option<String>,
    merged_into: Option<String>,
    letter_day: Option<i32>,
    listed_day: Option<i32>,
    submitted_day: Option<i32>,
    received_day: Option<i32>,
    answered_day: Option<i32>,
    words: String,
}

/// The columns of a row but for its id.
const COLUMNS: &str = "version, created_at, modified_at, own_modified_at, public_modified_at, snapshot, kind, status, outcome, \
                       level, cluster, portfolio_holder, request, second_round_of, merged_into, letter_day, listed_day, \
                       submitted_day, received_day, answered_day, words";

impl Row {
    /// The id, and the others in the order of [`COLUMNS`].
    fn into_values(self) -> (Value, [Value; 21]) {
        let Self {
            id,
            version,
            created_at,
            modified_at,
            own_modified_at,
            public_modified_at,
            snapshot,
            kind,
            status,
            outcome,
            level,
            cluster,
            portfolio_holder,
            request,
            second_round_of,
            merged_into,
            letter_day,
            listed_day,
            submitted_day,
            received_day,
            answered_day,
            words,
        } = self;
        let columns = [
            version.into(),
            created_at.into(),
            modified_at.into(),
            own_modified_at.into(),
            public_modified_at.into(),
            snapshot.into(),
            kind.into(),
            status.into(),
            outcome.into(),
            level.into(),
            cluster.into(),
            portfolio_holder.into(),
            request.into(),
            second_round_of.into(),
            merged_into.into(),
            letter_day.into(),
            listed_day.into(),
            submitted_day.into(),
            received_day.into(),
            answered_day.into(),
            words.into(),
        ];
        (id.into(), columns)
    }
}

/// What stood there before.
enum Before<'b> {
    Nothing,
    Item(&'b Stored<Advice>),
    /// The very same; what is made from it is to be made anew.
    Same(&'b Stored<Advice>),
}

impl<'b> Before<'b> {
    fn stored(&self) -> Option<&'b Stored<Advice>> {
        match self {
            Self::Nothing => None,
            Self::Item(stored) | Self::Same(stored) => Some(stored),
        }
    }
}

fn write(
    tx: &mut Tx<'_>,
    value: &Advice,
    before: Before<'_>,
    seen_from: View,
    event: &str,
    reason: Option<String>,
) -> Result<Stored<Advice>, StoreError> {
    // Whatever can be worked out before the journal's lock is.
    let id = value.id.to_string();
    let index = IndexRows::of(value, &term::segments(&value.term_facts()));
    let known = match before {
        Before::Item(stored) => {
            Some(IndexRows::of(&stored.value, &term::segments(&stored.value.term_facts())))
        }
        Before::Nothing | Before::Same(_) => None,
    };
    let audience: Vec<String> = access::audience(value).iter().map(|key| key.as_str().to_owned()).collect();
    let keys = match before {
        Before::Nothing => Vec::new(),
        // If anybody changed the item meanwhile, it is stale, and nothing of this is written.
        Before::Item(_) | Before::Same(_) => tx.held(RESOURCE, &id)?,
    };
    let before = before.stored();
    let (mut gone, mut rows) = index.statements(known.as_ref(), &id);

    let place = tx.next_place()?;
    let now = moment::to_utc(place.moment);
    let seen = |known: Option<Seen>, view: View| match known {
        Some(known) if seen_from > view => known,
        known => Seen {
            version: known.map_or(0, |known| known.version) + i64::from(seen_from <= view),
            modified_at: now,
        },
    };
    let known = before.map(|before| before.stamp);
    let stamp = Stamp {
        version: known.map_or(0, |known| known.version) + 1,
        created_at: known.map_or(now, |known| known.created_at),
        modified_at: now,
        own: seen(known.map(|known| known.own), View::Own),
        public: seen(known.map(|known| known.public), View::Public),
    };
    let text = snapshot::write(value, stamp)?;
    let (key, columns) = row_of(value, stamp, text.clone()).into_values();
    match before {
        None => {
            let insert = Statement::new().sql("INSERT INTO advice (id, ").sql(COLUMNS).sql(") VALUES (");
            rows.insert(0, insert.values([key].into_iter().chain(columns)).sql(")"));
        }
        Some(before) => {
            let update =
                Statement::new().sql("UPDATE advice SET (").sql(COLUMNS).sql(") = (").values(columns);
            let same = update.sql(") WHERE id = ").value(key).sql(" AND version = ");
            gone.push(same.value(before.stamp.version));
            if dialect::execute_all(tx.connection, gone)? != 1 {
                return Err(StoreError::Stale);
            }
        }
    }
    let change =
        Change { resource: RESOURCE, item: id, version: stamp.version, event, reason, audience, seen_from };
    tx.append_with(place, change, text, keys, rows)?;
    Ok(Stored { value: value.clone(), stamp })
}

/// The narrowest view that sees a difference.
fn seen_from(before: Option<&AdviceRecord>, after: &AdviceRecord) -> View {
    let public = |record: &AdviceRecord| record.is_published().then(|| access::project(record, View::Public));
    let own = |record: &AdviceRecord| access::project(record, View::Own);
    if before.and_then(public) != public(after) {
        View::Public
    } else if before.map(own) != Some(own(after)) {
        View::Own
    } else {
        View::Internal
    }
}

fn row_of(value: &Advice, stamp: Stamp, snapshot: String) -> Row {
    let received = value.received.as_ref();
    Row {
        id: value.id.to_string(),
        version: stamp.version,
        created_at: moment::of(stamp.created_at),
        modified_at: moment::of(stamp.modified_at),
        own_modified_at: moment::of(stamp.own.modified_at),
        public_modified_at: moment::of(stamp.public.modified_at),
        snapshot,
        kind: value.text.kind.as_str().to_owned(),
        status: value.status().as_str().to_owned(),
        outcome: value.outcome().map(|outcome| outcome.as_str().to_owned()),
        level: value.text.level.as_str().to_owned(),
        cluster: value.cluster().map(ToString::to_string),
        portfolio_holder: value.portfolio_holder().map(|holder| holder.to_string()),
        request: value.text.request.map(|request| request.to_string()),
        second_round_of: value.text.second_round_of.map(|first| first.to_string()),
        merged_into: value.merge.as_ref().map(|merge| merge.into.to_string()),
        letter_day: value.text.letter_on.map(moment::day),
        listed_day: value.text.listed_on.map(moment::day),
        submitted_day: value.submitted_on.map(moment::day),
        received_day: received.map(|received| moment::day(received.received_on)),
        answered_day: value.final_response().and_then(|response| response.sent_on).map(moment::day),
        words: searchable(value),
    }
}

/// The words that `search` looks through: what every view of the advice shows.
fn searchable(value: &Advice) -> String {
    let points = value.text.points.iter().map(|point| point.text.as_str());
    let parts = [value.text.subject.as_str(), value.text.summary.as_deref().unwrap_or_default()];
    parts.into_iter().chain(points).map(str::to_lowercase).collect::<Vec<_>>().join("\n")
}

/// The rows beside an advice, to filter and sort by: all that is made from it at each save, but for its own columns.
#[derive(Debug, Default, PartialEq, Eq)]
struct IndexRows {
    councils: Vec<CouncilRow>,
    themes: Vec<String>,
    /// Place, value, and whether the public sees it.
    references: Vec<(i32, String, bool)>,
    terms: Vec<TermRow>,
}

/// Council, whether the public sees it there, status, day of submission, day of receipt.
type CouncilRow = (String, bool, String, Option<i32>, Option<i32>);

/// In place of a council: where an advice stands among all.
const ALL_COUNCILS: &str = "*";

/// First day, the day after the last, state, due day, days over.
type TermRow = (i32, i32, String, Option<i32>, Option<i32>);

impl IndexRows {
    fn of(value: &Advice, segments: &[term::Segment]) -> Self {
        let public = access::project(value, View::Public);
        let status = value.status().as_str();
        let submitted = value.submitted_on.map(moment::day);
        let received = value.received.as_ref().map(|received| moment::day(received.received_on));
        let councils = value
            .councils()
            .map(|council| (council.to_string(), public.belongs_to(council)))
            .chain([(ALL_COUNCILS.to_owned(), true)])
            .map(|(council, is_public)| (council, is_public, status.to_owned(), submitted, received));
        let of_responses = value.responses.iter().flat_map(|response| {
            response.references.iter().map(move |reference| (reference, response.sent_on.is_some()))
        });
        let references = value.text.references.iter().map(|reference| (reference, true)).chain(of_responses);
        let terms = segments.iter().map(|segment| {
            (
                moment::day(segment.from),
                segment.to.map_or(i32::MAX, moment::day),
                segment.state.as_str().to_owned(),
                segment.due_on.map(moment::day),
                segment.fixed_days_over.and_then(|days| i32::try_from(days).ok()),
            )
        });
        Self {
            councils: councils.collect(),
            themes: value.text.themes.iter().map(ToString::to_string).collect(),
            references: (0i32..)
                .zip(references)
                .map(|(place, (reference, is_public))| (place, reference.value.trim().to_owned(), is_public))
                .collect(),
            terms: terms.collect(),
        }
    }

    /// What takes away the rows that are no more, and what adds those that are new. A table whose rows stay as they are known to
    /// be is left alone.
    fn statements(self, known: Option<&Self>, id: &str) -> (Vec<Statement>, Vec<Statement>) {
        let Self { councils, themes, references, terms } = self;
        let id = || Value::from(id);
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        let mut table = |delete, is_same: Option<bool>, insert| {
            if is_same == Some(true) {
                return;
            }
            gone.push(Statement::new().sql("DELETE FROM ").sql(delete).sql(" WHERE advice = ").value(id()));
            new.extend(insert);
        };
        table(
            "advice_council",
            known.map(|known| known.councils == councils),
            Statement::insert(
                "advice_council (advice, council, is_public, status, submitted_day, received_day)",
                councils.into_iter().map(|(council, is_public, status, submitted, received)| {
                    [id(), council.into(), is_public.into(), status.into(), submitted.into(), received.into()]
                }),
            ),
        );
        table(
            "advice_theme",
            known.map(|known| known.themes == themes),
            Statement::insert(
                "advice_theme (advice, theme)",
                themes.into_iter().map(|theme| [id(), theme.into()]),
            ),
        );
        table(
            "advice_reference",
            known.map(|known| known.references == references),
            Statement::insert(
                "advice_reference (advice, place, value, is_public)",
                references
                    .into_iter()
                    .map(|(place, value, is_public)| [id(), place.into(), value.into(), is_public.into()]),
            ),
        );
        table(
            "advice_term",
            known.map(|known| known.terms == terms),
            Statement::insert(
                "advice_term (advice, from_day, until_day, state, due_day, days_over)",
                terms.into_iter().map(|(from, until, state, due, over)| {
                    [id(), from.into(), until.into(), state.into(), due.into(), over.into()]
                }),
            ),
        );
        (gone, new)
    }

    fn sorted(mut self) -> Self {
        self.councils.sort();
        self.themes.sort();
        self.references.sort();
        self.terms.sort();
        self
    }
}

/// Makes the columns and index rows of each of these advice again, from its last text in the journal, and says which of them
/// stand otherwise in the tables.
pub(crate) fn check_index(
    connection: &mut AnyConnection,
    last: &HashMap<String, String>,
) -> Result<Vec<String>, StoreError> {
    let ids: Vec<String> = last.keys().cloned().collect();
    let mut rows: HashMap<String, Row> = advice::table
        .filter(advice::id.eq_any(ids.clone()))
        .select(Row::as_select())
        .load(connection)?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let mut found: HashMap<String, IndexRows> = HashMap::new();
    for (id, council, is_public, status, submitted, received) in advice_council::table
        .filter(advice_council::advice.eq_any(ids.clone()))
        .select((
            advice_council::advice,
            advice_council::council,
            advice_council::is_public,
            advice_council::status,
            advice_council::submitted_day,
            advice_council::received_day,
        ))
        .load::<(String, String, bool, String, Option<i32>, Option<i32>)>(connection)?
    {
        found.entry(id).or_default().councils.push((council, is_public, status, submitted, received));
    }
    for (id, theme) in advice_theme::table
        .filter(advice_theme::advice.eq_any(ids.clone()))
        .select((advice_theme::advice, advice_theme::theme))
        .load::<(String, String)>(connection)?
    {
        found.entry(id).or_default().themes.push(theme);
    }
    for (id, place, value, is_public) in advice_reference::table
        .filter(advice_reference::advice.eq_any(ids.clone()))
        .select((
            advice_reference::advice,
            advice_reference::place,
            advice_reference::value,
            advice_reference::is_public,
        ))
        .load::<(String, i32, String, bool)>(connection)?
    {
        found.entry(id).or_default().references.push((place, value, is_public));
    }
    for (id, from_day, until_day, state, due_day, days_over) in advice_term::table
        .filter(advice_term::advice.eq_any(ids))
        .select((
            advice_term::advice,
            advice_term::from_day,
            advice_term::until_day,
            advice_term::state,
            advice_term::due_day,
            advice_term::days_over,
        ))
        .load::<(String, i32, i32, String, Option<i32>, Option<i32>)>(connection)?
    {
        found.entry(id).or_default().terms.push((from_day, until_day, state, due_day, days_over));
    }
    let mut problems = Vec::new();
    for (id, text) in last {
        // A row that is gone is told of by its number.
        let Some(row) = rows.remove(id) else { continue };
        let Stored { value, stamp } = snapshot::read(text)?;
        let mut wrong = |what: &str| {
            problems.push(format!("the {what} of advice {id} are not what the advice itself says"));
        };
        // Its text is compared on its own.
        if row_of(&value, stamp, row.snapshot.clone()) != row {
            wrong("columns");
        }
        let expected = IndexRows::of(&value, &term::segments(&value.term_facts())).sorted();
        let IndexRows { councils, themes, references, terms } = found.remove(id).unwrap_or_default().sorted();
        for (what, same) in [
            ("rows in advice_council", councils == expected.councils),
            ("rows in advice_theme", themes == expected.themes),
            ("rows in advice_reference", references == expected.references),
            ("rows in advice_term", terms == expected.terms),
        ] {
            if !same {
                wrong(what);
            }
        }
    }
    problems.sort();
    Ok(problems)
}

/// What a list asks for. Each filter is one field; several values of one filter mean any of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Lead or co-signer is one of these.
    pub councils: Option<Vec<CouncilCode>>,
    /// Lead or co-signer lies in the asked area: its councils.
    pub area_councils: Option<Vec<CouncilCode>>,
    /// Kind.
    pub kinds: Vec<AdviceKind>,
    /// Status.
    pub statuses: Vec<AdviceStatus>,
    /// Outcome.
    pub outcomes: Vec<Outcome>,
    /// Level.
    pub levels: Vec<Level>,
    /// Theme.
    pub themes: Vec<ThemeCode>,
    /// Cluster.
    pub clusters: Vec<ClusterCode>,
    /// Portfolio holder.
    pub portfolio_holder: Option<OfficeHolderId>,
    /// State of the term on the reference day.
    pub term_states: Vec<TermState>,
    /// A reference that it or one of its responses bears.
    pub reference: Option<String>,
    /// The advice request that it answers.
    pub request: Option<AdviceRequestId>,
    /// The advice to whose answer it reacts.
    pub second_round_of: Option<AdviceId>,
    /// Ranges of days, both ends included.
    pub days: Vec<DayRange>,
    /// Words that all must stand in it.
    pub search: Option<String>,
    /// Changed at or after this moment, as far as the caller sees.
    pub modified_since: Option<DateTime<Utc>>,
}

/// A range of days on one field, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct DayRange {
    /// The field.
    pub field: DayField,
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
}

/// A day to filter on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayField {
    /// `letterOn`
    Letter,
    /// `listedOn`
    Listed,
    /// `submittedOn`
    Submitted,
    /// `receivedOn`
    Received,
    /// The day the final response was sent.
    Answered,
    /// `term.dueOn` on the reference day.
    Due,
}

/// What a list is sorted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortField {
    /// `letterOn`
    LetterOn,
    /// `listedOn`
    ListedOn,
    /// `submittedOn`
    SubmittedOn,
    /// `receivedOn`
    ReceivedOn,
    /// `answeredOn`
    AnsweredOn,
    /// `dueOn`
    DueOn,
    /// `daysOver`
    DaysOver,
}

/// One key of a sort order. What has no value stands last, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// The field.
    pub field: SortField,
    /// From high to low.
    pub descending: bool,
}

/// Where a page begins: after the item with these sort values and this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// The values of the sort keys.
    pub values: Vec<i64>,
    /// The id.
    pub id: String,
}

/// One row of a list, before anybody read it.
#[derive(Debug)]
pub struct Line {
    /// Its id.
    pub id: AdviceId,
    /// Which writing of it holds.
    pub mark: Mark,
    /// That writing, if it was asked for.
    pub text: Option<Unread>,
    /// Where the next page would begin.
    pub place: After,
}

/// Id, mark, text, values of the sort keys, and the state of the database.
type LineRow = (String, (i64, i64), Option<String>, String, StateRow);

/// One row of a list.
#[derive(Debug)]
pub struct Listed {
    /// The item.
    pub advice: Stored<Advice>,
    /// How much of it the caller sees.
    pub view: View,
    /// Where the next page would begin.
    pub place: After,
}

/// An item that the caller could see and no longer can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its id.
    pub id: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// Advice as it stands under a council, or under `*` for all of them, with its term on a day where that is asked for.
#[auto_type]
fn listed_on(day: i32, with_term: Statement<Bool>) -> _ {
    advice_council::table.inner_join(advice::table.on(advice::id.eq(advice_council::advice))).left_join(
        advice_term::table.on(with_term.and(
            advice_term::advice
                .eq(advice_council::advice)
                .and(advice_term::from_day.le(day))
                .and(advice_term::until_day.gt(day)),
        )),
    )
}

type Query<'q> = IntoBoxed<'q, listed_on, MultiBackend>;

mod alias {
    #![allow(missing_docs)]
    use super::{advice_council, audience};
    diesel::alias!(audience as held: Held);
    diesel::alias!(advice_council as other_council: OtherCouncil);
}
use alias::{Held, held, other_council};

/// The keys among these that an item of the audience still hangs out, asked of each in turn.
#[auto_type(no_type_alias)]
pub(crate) fn still_held(keys: Vec<String>) -> _ {
    let key: diesel::query_source::AliasedField<Held, audience::audience_key> =
        held.field(audience::audience_key);
    let lost_at: diesel::query_source::AliasedField<Held, audience::lost_at> = held.field(audience::lost_at);
    let item: diesel::query_source::AliasedField<Held, audience::item> = held.field(audience::item);
    let holds: OneOf<diesel::query_source::AliasedField<Held, audience::audience_key>, Vec<String>> =
        one_of(key, keys);
    held.filter(item.eq(audience::item)).filter(holds).filter(lost_at.is_null()).limit(1_i64).offset(0_i64)
}

/// The keys to advice that open at least so much.
fn keys_to_advice(caller: &Caller, least: View) -> Vec<String> {
    caller
        .keys_to_advice()
        .into_iter()
        .filter(|(_, view)| *view >= least)
        .map(|(key, _)| key.as_str().to_owned())
        .collect()
}

/// Whether a list asks for the term of what is on it. Each advice has one on every day, so who does not ask misses nothing.
fn asks_for_term(filter: &Filter, sort: &[SortKey], part: Part) -> bool {
    let is_found_by_term = match part {
        Part::Whole | Part::Recent => !filter.term_states.is_empty(),
        Part::OverdueForGood | Part::OverdueAtItsEnd | Part::OverdueForNow => true,
    };
    is_found_by_term
        || filter.days.iter().any(|days| days.field == DayField::Due)
        || sort.iter().any(|key| matches!(key.field, SortField::DueOn | SortField::DaysOver))
}

/// Where every list of advice starts: what the caller may see of a council or of all, with its term on the reference day.
fn visible<'q>(caller: &Caller, council: &str, on: NaiveDate, part: Part, with_term: bool) -> Query<'q> {
    let with_term = Statement::new().sql(if with_term { "1 = 1" } else { "1 = 0" });
    let query: Query<'q> = listed_on(moment::day(on), with_term).into_boxed();
    let query = match part {
        Part::Whole => query.filter(advice_council::council.eq(council.to_owned())),
        // Hidden from the indexes: these are found by their terms, or by when they were changed.
        Part::OverdueForGood | Part::OverdueAtItsEnd | Part::OverdueForNow | Part::Recent => query.filter(
            Statement::<Bool>::new().sql("advice_council.council || '' = ").value(council.to_owned()),
        ),
    };
    query.filter(exists(hanging_out(keys_to_advice(caller, View::Public))))
}

/// The keys of an advice that are among these. Asked of each row in turn, which PostgreSQL holds to because of the offset: a page
/// then costs what it shows, and not what there is.
#[auto_type(no_type_alias)]
fn hanging_out(keys: Vec<String>) -> _ {
    let holds: OneOf<audience::audience_key, Vec<String>> = one_of(audience::audience_key, keys);
    audience::table
        .filter(audience::item.eq(advice_council::advice))
        .filter(holds)
        .filter(audience::lost_at.is_null())
        .limit(1_i64)
        .offset(0_i64)
}

fn texts_of<T: ToString>(codes: &[T]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

fn filtered<'q>(caller: &Caller, filter: &Filter, on: NaiveDate, sort: &[SortKey], part: Part) -> Query<'q> {
    let Filter {
        councils,
        area_councils,
        kinds,
        statuses,
        outcomes,
        levels,
        themes,
        clusters,
        portfolio_holder,
        term_states,
        reference,
        request,
        second_round_of,
        days,
        search,
        modified_since,
    } = filter;
    // Whether the caller sees more of it than the public does.
    let (own_keys, internal_keys) =
        (keys_to_advice(caller, View::Own), keys_to_advice(caller, View::Internal));
    let own = || exists(hanging_out(own_keys.clone()));
    let internal = || exists(hanging_out(internal_keys.clone()));
    // One council has an index in order; of several each advice is to be found once.
    let one = match councils.as_deref() {
        Some([council]) => Some(council.as_str()),
        _ => None,
    };
    let with_term = asks_for_term(filter, sort, part);
    let mut query = visible(caller, one.unwrap_or(ALL_COUNCILS), on, part, with_term);
    if one.is_some() {
        let is_public = advice_council::is_public.eq(true);
        query = match own_keys.is_empty() {
            true => query.filter(is_public),
            false => query.filter(is_public.or(own())),
        };
    }
    for codes in [councils.as_ref().filter(|_| one.is_none()), area_councils.as_ref()].into_iter().flatten() {
        let (council, advice) =
            (other_council.field(advice_council::council), other_council.field(advice_council::advice));
        let of_council = || other_council.filter(council.eq_any(texts_of(codes))).select(advice);
        let for_all = of_council().filter(other_council.field(advice_council::is_public).eq(true));
        query = query.filter(
            advice_council::advice.eq_any(for_all).or(own().and(advice_council::advice.eq_any(of_council()))),
        );
    }
    if !kinds.is_empty() {
        query = query.filter(advice::kind.eq_any(texts_of(kinds)));
    }
    if !statuses.is_empty() {
        query = query.filter(one_of(advice_council::status, texts_of(statuses)));
    }
    if !outcomes.is_empty() {
        query = query.filter(advice::outcome.eq_any(texts_of(outcomes)));
    }
    if !levels.is_empty() {
        query = query.filter(advice::level.eq_any(texts_of(levels)));
    }
    if !themes.is_empty() {
        let of_theme = advice_theme::table
            .filter(advice_theme::theme.eq_any(texts_of(themes)))
            .select(advice_theme::advice);
        query = query.filter(advice_council::advice.eq_any(of_theme));
    }
    if !clusters.is_empty() {
        query = query.filter(advice::cluster.eq_any(texts_of(clusters)));
    }
    if let Some(holder) = portfolio_holder {
        query = query.filter(advice::portfolio_holder.eq(holder.to_string()));
    }
    match part {
        Part::Whole | Part::Recent if term_states.is_empty() => {}
        Part::Whole | Part::Recent => query = query.filter(one_of(advice_term::state, texts_of(term_states))),
        Part::OverdueForNow | Part::OverdueAtItsEnd => {
            let bounds = Statement::<Bool>::new().sql(match part {
                Part::OverdueForNow => "advice_term.until_day < 2147483647",
                _ => "advice_term.until_day = 2147483647 AND advice_term.days_over >= 0",
            });
            query = query.filter(one_of(advice_term::state, texts_of(term_states))).filter(bounds);
        }
        Part::OverdueForGood => {
            // As the index of these has it. Only so can it be the one that is read.
            query = query.filter(Statement::<Bool>::new().sql(
                "advice_term.until_day = 2147483647 AND advice_term.days_over IS NULL \
                 AND (advice_term.state IN ('late', 'very_late')) IS TRUE",
            ));
            for state in [TermState::Late, TermState::VeryLate] {
                if !term_states.contains(&state) {
                    query = query.filter(advice_term::state.ne(state.as_str()));
                }
            }
        }
    }
    if let Some(reference) = reference {
        let bearing = || {
            advice_reference::table
                .filter(advice_reference::value.eq(reference.trim().to_owned()))
                .select(advice_reference::advice)
        };
        query = query.filter(
            advice_council::advice
                .eq_any(bearing().filter(advice_reference::is_public.eq(true)))
                .or(internal().and(advice_council::advice.eq_any(bearing()))),
        );
    }
    if let Some(request) = request {
        // Requests are not public, so neither is which advice answers one.
        query = query.filter(advice::request.eq(request.to_string())).filter(own());
    }
    if let Some(first) = second_round_of {
        query = query.filter(advice::second_round_of.eq(first.to_string()));
    }
    for DayRange { field, from, to } in days {
        let column = day_column(*field);
        if let Some(from) = from {
            let bound = sql::<Bool>(column).sql(" >= ").bind::<Integer, _>(moment::day(*from));
            query = query.filter(bound);
        }
        if let Some(to) = to {
            let bound = sql::<Bool>(column).sql(" <= ").bind::<Integer, _>(moment::day(*to));
            query = query.filter(bound);
        }
    }
    for word in search.iter().flat_map(|search| search.split_whitespace()) {
        let escaped = word.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        query = query.filter(advice::words.like(format!("%{escaped}%")).escape('\\'));
    }
    if let Some(since) = modified_since {
        let since = moment::of(*since);
        if part == Part::Recent {
            // With two ends, planners that do not know the values take it for a small part, and use the index.
            query = query.filter(advice::modified_at.lt(i64::MAX));
        }
        // What nobody saw change no view did; of that there is an index.
        query = query.filter(advice::modified_at.ge(since)).filter(
            advice::public_modified_at
                .ge(since)
                .or(advice::own_modified_at.ge(since).and(own()))
                .or(internal()),
        );
    }
    query
}

const fn day_column(field: DayField) -> &'static str {
    match field {
        DayField::Letter => "advice.letter_day",
        DayField::Listed => "advice.listed_day",
        DayField::Submitted => "advice.submitted_day",
        DayField::Received => "advice.received_day",
        DayField::Answered => "advice.answered_day",
        DayField::Due => "advice_term.due_day",
    }
}

/// Whether many ask such a list, with other values.
fn is_usual(filter: &Filter, sort: &[SortKey]) -> bool {
    let Filter { councils, statuses, term_states, .. } = filter;
    let usual = Filter {
        councils: councils.clone(),
        statuses: statuses.clone(),
        term_states: term_states.clone(),
        ..Filter::default()
    };
    let few = |values: usize| values <= 2;
    *filter == usual
        && councils.as_ref().is_none_or(|councils| councils.len() == 1)
        && few(statuses.len())
        && few(term_states.len())
        && sort.len() <= 1
}

/// The value of a sort key as a number that is never null: what has none stands last.
fn sort_value(key: SortKey, on: NaiveDate) -> Statement<Integer> {
    let value = Statement::new().sql("COALESCE(");
    let value = match key.field {
        SortField::LetterOn => value.sql(day_column(DayField::Letter)),
        SortField::ListedOn => value.sql(day_column(DayField::Listed)),
        SortField::SubmittedOn => value.sql("advice_council.submitted_day"),
        SortField::ReceivedOn => value.sql("advice_council.received_day"),
        SortField::AnsweredOn => value.sql(day_column(DayField::Answered)),
        SortField::DueOn => value.sql(day_column(DayField::Due)),
        SortField::DaysOver => {
            let day = moment::day(on);
            value
                .sql(
                    "CASE WHEN advice_term.days_over IS NOT NULL THEN advice_term.days_over \
                     WHEN advice_term.due_day IS NULL THEN NULL WHEN advice_term.due_day < ",
                )
                .value(day)
                .sql(" THEN ")
                .value(day)
                .sql(" - advice_term.due_day ELSE 0 END")
        }
    };
    value.sql(if key.descending { ", -1000000000)" } else { ", 1000000000)" })
}

/// What stands after a place, in the order of these values and then of this id.
fn beyond(
    sort: &[SortKey],
    values: &[Statement<Integer>],
    id: &'static str,
    after: &After,
) -> Statement<Bool> {
    let keys = || sort.iter().zip(values).zip(&after.values);
    let mut beyond = Statement::new();
    if let Some(((key, value), last)) = keys().next() {
        // Said on its own it is where an index begins.
        let sign = if key.descending { " <= " } else { " >= " };
        beyond = beyond.then(value.clone()).sql(sign).value(*last).sql(" AND ");
    }
    let mut equal_so_far = Statement::<Bool>::new();
    beyond = beyond.sql("(");
    for ((key, value), last) in keys() {
        let sign = if key.descending { " < " } else { " > " };
        beyond = beyond.sql("(").then(equal_so_far.clone());
        beyond = beyond.then(value.clone()).sql(sign).value(*last).sql(") OR ");
        equal_so_far = equal_so_far.then(value.clone()).sql(" = ").value(*last).sql(" AND ");
    }
    beyond.sql("(").then(equal_so_far).sql(id).sql(" > ").value(after.id.as_str()).sql("))")
}

/// One page of the list, in order.
pub fn list(
    connection: &mut AnyConnection,
    caller: &Caller,
    filter: &Filter,
    on: NaiveDate,
    sort: &[SortKey],
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let (_, lines) = lines(connection, caller, filter, on, sort, after, limit, Texts::All)?;
    let mut listed = Vec::with_capacity(lines.len());
    for Line { id: _, mark: _, text, place } in lines {
        // The keys in the row and the record agree; if they ever did not, the item stays hidden.
        if let Some(Found::Visible(advice, view)) = text.map(|text| text.for_caller(caller)).transpose()? {
            listed.push(Listed { advice: *advice, view, place });
        }
    }
    Ok(listed)
}

/// Which texts a page is read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Those of all its rows.
    All,
    /// None: they are most of what there is to read, and who reads them often has them already.
    None,
}

/// One page of the list, in order, with the state of the database that it was read of; none where there is nothing on the page.
#[allow(clippy::too_many_arguments)]
pub fn lines(
    connection: &mut AnyConnection,
    caller: &Caller,
    filter: &Filter,
    on: NaiveDate,
    sort: &[SortKey],
    after: Option<&After>,
    limit: i64,
    texts: Texts,
) -> Result<(Option<State>, Vec<Line>), StoreError> {
    let parts = Part::find(connection, filter, sort)?;
    let (mut states, mut lines) = (Vec::new(), Vec::new());
    for part in parts {
        let (state, rows) = part.page(connection, caller, filter, on, sort, after, limit, texts)?;
        states.push(state);
        lines.extend(rows);
    }
    if parts.len() > 1 {
        let descending = sort.iter().any(|key| key.descending);
        lines.sort_by(|one: &Line, other| {
            let values = one.place.values.cmp(&other.place.values);
            let values = if descending { values.reverse() } else { values };
            values.then_with(|| one.place.id.cmp(&other.place.id))
        });
        lines.truncate(usize::try_from(limit).unwrap_or(0));
    }
    // Of one state only if each of them read the same.
    let state =
        states.first().copied().flatten().filter(|first| states.iter().all(|state| *state == Some(*first)));
    Ok((state, lines))
}

/// The texts of these advice. Who read their marks before finds out by the text whether it is the same writing.
pub fn texts(
    connection: &mut AnyConnection,
    ids: &[AdviceId],
) -> Result<HashMap<AdviceId, Unread>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> = advice::table
        .filter(one_of(advice::id, texts_of(ids)))
        .select((advice::id, advice::snapshot))
        .load(connection)?;
    rows.into_iter().map(|(id, text)| Ok((id_of(&id)?, Unread(text)))).collect()
}

pub(crate) fn id_of(text: &str) -> Result<AdviceId, StoreError> {
    let malformed =
        |error: uuid::Error| StoreError::Malformed { what: "the id of an advice", cause: error.to_string() };
    Ok(AdviceId(text.parse().map_err(malformed)?))
}

/// A part of a list, and the way in which it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// Of what is overdue that which stays so until somebody answers: the longest first, by their due days.
    OverdueForGood,
    /// What came to its end when it was overdue, without an answer: few.
    OverdueAtItsEnd,
    /// The rest of what is overdue: few, for their state soon is another, on any day but those long ago.
    OverdueForNow,
    /// All of it, where little was changed since the moment that is asked for: it is found by that, and sorted.
    Recent,
}

/// What is changed since a moment is found by its moment, up to so many: it is sorted anew for each page.
const FEW: i64 = 5000;

/// Whether few advice were changed since then.
fn few_changed(connection: &mut AnyConnection, since: DateTime<Utc>) -> Result<bool, StoreError> {
    let one_too_many: Option<i64> = advice::table
        .filter(advice::modified_at.ge(moment::of(since)))
        .order(advice::modified_at)
        .offset(FEW)
        .select(advice::modified_at)
        .first(connection)
        .optional()?;
    Ok(one_too_many.is_none())
}

impl Part {
    /// The parts that make up the list, which may depend on how much was changed. The most overdue are found in three.
    fn find(
        connection: &mut AnyConnection,
        filter: &Filter,
        sort: &[SortKey],
    ) -> Result<&'static [Self], StoreError> {
        let overdue = |state: &TermState| matches!(state, TermState::Late | TermState::VeryLate);
        let is_overdue = !filter.term_states.is_empty() && filter.term_states.iter().all(overdue);
        match sort {
            [
                SortKey { field: SortField::DaysOver, descending: true }
                | SortKey { field: SortField::DueOn, descending: false },
            ] if is_overdue => Ok(&[Self::OverdueForGood, Self::OverdueAtItsEnd, Self::OverdueForNow]),
            _ => match filter.modified_since {
                Some(since) if few_changed(connection, since)? => Ok(&[Self::Recent]),
                _ => Ok(&[Self::Whole]),
            },
        }
    }

    /// What follows the sort keys in the order.
    fn id(self) -> &'static str {
        match self {
            // No index has it, so none is walked for its sake.
            Self::Recent => "(advice.id || '')",
            Self::Whole | Self::OverdueForGood | Self::OverdueAtItsEnd | Self::OverdueForNow => {
                "advice_council.advice"
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn page(
        self,
        connection: &mut AnyConnection,
        caller: &Caller,
        filter: &Filter,
        on: NaiveDate,
        sort: &[SortKey],
        after: Option<&After>,
        limit: i64,
        texts: Texts,
    ) -> Result<(Option<State>, Vec<Line>), StoreError> {
        let mut query = filtered(caller, filter, on, sort, self);
        let values: Vec<Statement<Integer>> = sort.iter().map(|key| sort_value(*key, on)).collect();
        let is_kept = is_usual(filter, sort);
        if self == Self::OverdueForGood {
            let due = || Statement::<Integer>::new().sql("advice_term.due_day");
            if let Some(After { values, id }) = after {
                // Of what is overdue the days over say the due day.
                let due_day = |(key, value): (&SortKey, &i64)| match key.field {
                    SortField::DaysOver => i64::from(moment::day(on)).saturating_sub(*value),
                    _ => *value,
                };
                let values = sort.iter().zip(values).map(due_day).collect();
                let by_due_day = [SortKey { field: SortField::DueOn, descending: false }];
                let after = After { values, id: id.clone() };
                query = query.filter(beyond(&by_due_day, &[due()], self.id(), &after));
            }
            query = query.then_order_by(due()).then_order_by(advice_term::advice);
        } else {
            if let Some(after) = after {
                query = query.filter(beyond(sort, &values, self.id(), after));
            }
            for (key, value) in sort.iter().zip(&values) {
                query = query.then_order_by(value.clone().sql(if key.descending { " DESC" } else { " ASC" }));
            }
            query = query.then_order_by(Statement::<Text>::new().sql(self.id()));
        }
        let mut place = Statement::<Text>::new().kept_if(is_kept).sql("''");
        for (number, value) in values.into_iter().enumerate() {
            place = place.sql(if number == 0 { " || CAST(" } else { " || ',' || CAST(" });
            place = place.then(value).sql(" AS TEXT)");
        }
        let text = match texts {
            Texts::All => "advice.snapshot",
            Texts::None => "NULL",
        };
        let text = Statement::<Nullable<Text>>::new().sql(text);
        let mark = (advice::version, advice::modified_at);
        let rows: Vec<LineRow> =
            query.limit(limit).select((advice::id, mark, text, place, journal::state())).load(connection)?;
        let mut lines = Vec::with_capacity(rows.len());
        let mut state = None;
        for (id, (version, moment), text, values, read) in rows {
            state.get_or_insert_with(|| State::of(read));
            let values = values.split(',').filter_map(|value| value.parse().ok()).collect();
            lines.push(Line {
                id: id_of(&id)?,
                mark: Mark { version, moment },
                text: text.map(Unread),
                place: After { values, id },
            });
        }
        Ok((state, lines))
    }
}

/// How many rows the whole list has.
pub fn count(
    connection: &mut AnyConnection,
    caller: &Caller,
    filter: &Filter,
    on: NaiveDate,
) -> Result<i64, StoreError> {
    let count = || Statement::<BigInt>::new().kept_if(is_usual(filter, &[])).sql("count(*)");
    let mut whole = 0;
    for part in Part::find(connection, filter, &[])? {
        whole += filtered(caller, filter, on, &[], *part).select(count()).first::<i64>(connection)?;
    }
    Ok(whole)
}

/// Items that the caller lost at or after a moment, in order of id.
pub fn lost_since(
    connection: &mut AnyConnection,
    caller: &Caller,
    since: DateTime<Utc>,
    after: &str,
    limit: i64,
) -> Result<Vec<Lost>, StoreError> {
    let keys = keys_to_advice(caller, View::Public);
    let rows: Vec<(String, Option<i64>)> = audience::table
        .filter(audience::audience_key.eq_any(keys.clone()))
        .filter(audience::item.gt(after.to_owned()))
        .filter(audience::item.eq_any(advice::table.select(advice::id)))
        .filter(audience::lost_at.ge(moment::of(since)))
        .filter(diesel::dsl::not(exists(still_held(keys))))
        .group_by(audience::item)
        .order(audience::item)
        .limit(limit)
        .select((audience::item, max(audience::lost_at)))
        .load(connection)?;
    Ok(rows.into_iter().filter_map(|(id, at)| at.map(|at| Lost { id, at: moment::to_utc(at) })).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DatabaseUrl, Store};
    use domain::access::Grant;
    use domain::codes::Origin;

    /// The whole list, two rows at a time, each page found in the next of these ways.
    fn walk(
        parts: &[Part],
        connection: &mut AnyConnection,
        caller: &Caller,
        filter: &Filter,
        sort: &[SortKey],
    ) -> Vec<String> {
        let on = "2026-11-23".parse().unwrap();
        let mut found = Vec::new();
        let mut after = None;
        for part in parts.iter().cycle() {
            let page = part.page(connection, caller, filter, on, sort, after.as_ref(), 2, Texts::None);
            let (_, lines) = page.unwrap();
            let Some(last) = lines.last() else { return found };
            after = Some(last.place.clone());
            found.extend(lines.into_iter().map(|line| line.id.to_string()));
        }
        found
    }

    #[test]
    fn what_changed_is_the_same_whichever_way_it_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("few.sqlite")), 1).unwrap();
        let today = "2026-11-23".parse().unwrap();
        for number in 0..9_u128 {
            // Ids in another order than the changes.
            let id = AdviceId(Uuid::from_u128((number * 5 % 9) << 64));
            let text = serde_json::json!({"kind": "unsolicited", "subject": "x", "level": "city",
                "councils": {"lead": if number % 3 == 0 { "rozenburg" } else { "hoogvliet" }}});
            let text = serde_json::from_value(text).unwrap();
            let advice = Advice::draft(id, text, Origin::Entered, today).unwrap();
            let now = "2026-11-23T11:00:00Z".parse::<DateTime<Utc>>().unwrap();
            let now = now + chrono::Duration::seconds(i64::try_from(number).unwrap());
            store.write::<_, StoreError>("test", now, |tx| add(tx, &advice, "draft")).unwrap();
        }
        let caller = Caller {
            subject: Some("test".to_owned()),
            scopes: [access::Scope::AdviceWrite].into(),
            councils: Grant::All,
            clusters: Grant::default(),
        };
        let by_receipt = SortKey { field: SortField::ReceivedOn, descending: true };
        for (second, left) in [(0, 9), (4, 5), (9, 0)] {
            for (council, sort) in [(None, vec![]), (Some("hoogvliet"), vec![by_receipt])] {
                let filter = Filter {
                    councils: council.map(|council| vec![council.parse().unwrap()]),
                    modified_since: Some(format!("2026-11-23T11:00:0{second}Z").parse().unwrap()),
                    ..Filter::default()
                };
                store
                    .read::<_, StoreError>(|connection| {
                        let mut found = |parts: &[Part]| walk(parts, connection, &caller, &filter, &sort);
                        let whole = found(&[Part::Whole]);
                        assert_eq!(found(&[Part::Recent]), whole, "{filter:?}");
                        // What a cursor says holds for either, should more or less be changed from one page to the next.
                        assert_eq!(found(&[Part::Recent, Part::Whole]), whole, "{filter:?}");
                        if council.is_none() {
                            assert!(whole.is_sorted());
                            assert_eq!(whole.len(), left);
                        }
                        Ok(())
                    })
                    .unwrap();
            }
        }
    }
}
