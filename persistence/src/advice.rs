//! Advice in storage: `find`, `list`, `add`, `save`. Every read starts at what the caller may see.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{IntoBoxed, auto_type, count_star, exists, max, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use domain::access::{self, Caller, View};
use domain::advice::{Advice, AdviceRecord};
use domain::codes::{AdviceKind, AdviceStatus, Level, Outcome, PublicationState, TermState};
use domain::ids::{AdviceId, AdviceRequestId, ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use domain::term;
use uuid::Uuid;

use crate::connection::{AnyConnection, MultiBackend};
use crate::error::StoreError;
use crate::journal::{Change, Tx};
use crate::moment;
use crate::schema::{advice, advice_council, advice_reference, advice_term, advice_theme, audience};
use crate::snapshot::{self, Seen, Stamp, Stored};

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
        advice::table.filter(advice::id.eq_any(texts(ids))).select(advice::snapshot).load(connection)?;
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
    write(tx, value, None, seen_from, event, None)
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
    write(tx, value, Some(before), seen_from, event, reason)
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
/// caches of it are out of date though nothing was recorded of it.
pub fn save_as_seen_anew(tx: &mut Tx<'_>, stored: &Stored<Advice>) -> Result<Stored<Advice>, StoreError> {
    write(tx, &stored.value, Some(stored), View::Public, "link", None)
}

#[derive(Debug, PartialEq, Eq, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(table_name = advice, treat_none_as_null = true)]
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

fn write(
    tx: &mut Tx<'_>,
    value: &Advice,
    before: Option<&Stored<Advice>>,
    seen_from: View,
    event: &str,
    reason: Option<String>,
) -> Result<Stored<Advice>, StoreError> {
    // Whatever can be worked out before the journal's lock is.
    let index = IndexRows::of(value, &term::segments(&value.term_facts()));
    let audience: Vec<String> = access::audience(value).iter().map(|key| key.as_str().to_owned()).collect();

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
    let id = value.id.to_string();
    let row = row_of(value, stamp, text.clone());
    match before {
        None => {
            diesel::insert_into(advice::table).values(row).execute(tx.connection)?;
        }
        Some(before) => {
            let same =
                advice::table.filter(advice::id.eq(&id)).filter(advice::version.eq(before.stamp.version));
            if diesel::update(same).set(row).execute(tx.connection)? != 1 {
                return Err(StoreError::Stale);
            }
            diesel::delete(advice_council::table.filter(advice_council::advice.eq(&id)))
                .execute(tx.connection)?;
            diesel::delete(advice_theme::table.filter(advice_theme::advice.eq(&id)))
                .execute(tx.connection)?;
            diesel::delete(advice_reference::table.filter(advice_reference::advice.eq(&id)))
                .execute(tx.connection)?;
            diesel::delete(advice_term::table.filter(advice_term::advice.eq(&id))).execute(tx.connection)?;
        }
    }
    index.insert(tx.connection, &id)?;
    let change =
        Change { resource: RESOURCE, item: id, version: stamp.version, event, reason, audience, seen_from };
    tx.append(place, change, text)?;
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
    /// Council, and whether the public sees it there.
    councils: Vec<(String, bool)>,
    themes: Vec<String>,
    /// Place, value, and whether the public sees it.
    references: Vec<(i32, String, bool)>,
    terms: Vec<TermRow>,
}

/// First day, the day after the last, state, due day, days over.
type TermRow = (i32, i32, String, Option<i32>, Option<i32>);

impl IndexRows {
    fn of(value: &Advice, segments: &[term::Segment]) -> Self {
        let public = access::project(value, View::Public);
        let councils = value.councils().map(|council| (council.to_string(), public.belongs_to(council)));
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

    fn insert(self, connection: &mut AnyConnection, id: &str) -> Result<(), StoreError> {
        let Self { councils, themes, references, terms } = self;
        for (council, is_public) in councils {
            diesel::insert_into(advice_council::table)
                .values((
                    advice_council::advice.eq(id),
                    advice_council::council.eq(council),
                    advice_council::is_public.eq(is_public),
                ))
                .execute(connection)?;
        }
        for theme in themes {
            diesel::insert_into(advice_theme::table)
                .values((advice_theme::advice.eq(id), advice_theme::theme.eq(theme)))
                .execute(connection)?;
        }
        for (place, value, is_public) in references {
            diesel::insert_into(advice_reference::table)
                .values((
                    advice_reference::advice.eq(id),
                    advice_reference::place.eq(place),
                    advice_reference::value.eq(value),
                    advice_reference::is_public.eq(is_public),
                ))
                .execute(connection)?;
        }
        for (from_day, until_day, state, due_day, days_over) in terms {
            diesel::insert_into(advice_term::table)
                .values((
                    advice_term::advice.eq(id),
                    advice_term::from_day.eq(from_day),
                    advice_term::until_day.eq(until_day),
                    advice_term::state.eq(state),
                    advice_term::due_day.eq(due_day),
                    advice_term::days_over.eq(days_over),
                ))
                .execute(connection)?;
        }
        Ok(())
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
    for (id, council, is_public) in advice_council::table
        .filter(advice_council::advice.eq_any(ids.clone()))
        .select((advice_council::advice, advice_council::council, advice_council::is_public))
        .load::<(String, String, bool)>(connection)?
    {
        found.entry(id).or_default().councils.push((council, is_public));
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

#[auto_type]
fn with_term_on(day: i32) -> _ {
    advice::table.inner_join(
        advice_term::table.on(advice_term::advice
            .eq(advice::id)
            .and(advice_term::from_day.le(day))
            .and(advice_term::until_day.gt(day))),
    )
}

type Query<'q> = IntoBoxed<'q, with_term_on, MultiBackend>;

/// The ids of items that hang out one of these keys.
#[auto_type(no_type_alias)]
fn items_with(keys: Vec<String>) -> _ {
    let holds: diesel::dsl::EqAny<audience::audience_key, Vec<String>> = audience::audience_key.eq_any(keys);
    audience::table.filter(holds).filter(audience::lost_at.is_null()).select(audience::item)
}

mod alias {
    #![allow(missing_docs)]
    use super::audience;
    diesel::alias!(audience as held: Held);
}
use alias::{Held, held};

/// The same, for a query that reads the audience itself.
#[auto_type(no_type_alias)]
pub(crate) fn still_held(keys: Vec<String>) -> _ {
    let key: diesel::query_source::AliasedField<Held, audience::audience_key> =
        held.field(audience::audience_key);
    let lost_at: diesel::query_source::AliasedField<Held, audience::lost_at> = held.field(audience::lost_at);
    let item: diesel::query_source::AliasedField<Held, audience::item> = held.field(audience::item);
    let holds: diesel::dsl::EqAny<
        diesel::query_source::AliasedField<Held, audience::audience_key>,
        Vec<String>,
    > = key.eq_any(keys);
    held.filter(holds).filter(lost_at.is_null()).select(item)
}

pub(crate) fn keys_from(caller: &Caller, least: View) -> Vec<String> {
    caller
        .keys()
        .into_iter()
        .filter(|(_, view)| *view >= least)
        .map(|(key, _)| key.as_str().to_owned())
        .collect()
}

/// Where every list of advice starts: what the caller may see, with its term on the reference day.
fn visible<'q>(caller: &Caller, on: NaiveDate) -> Query<'q> {
    let query: Query<'q> = with_term_on(moment::day(on)).into_boxed();
    // Asked of each row in turn: a page then costs what it shows, and not what there is.
    let hangs_out = audience::table
        .filter(audience::item.eq(advice::id))
        .filter(audience::audience_key.eq_any(keys_from(caller, View::Public)))
        .filter(audience::lost_at.is_null());
    query.filter(exists(hangs_out))
}

fn texts<T: ToString>(codes: &[T]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

fn filtered<'q>(caller: &Caller, filter: &Filter, on: NaiveDate) -> Query<'q> {
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
    // Items of which the caller sees more than the public does.
    let own = || items_with(keys_from(caller, View::Own));
    let internal = || items_with(keys_from(caller, View::Internal));
    let mut query = visible(caller, on);
    for codes in [councils, area_councils].into_iter().flatten() {
        let of_council = advice_council::table
            .filter(advice_council::council.eq_any(texts(codes)))
            .filter(advice_council::is_public.eq(true).or(advice_council::advice.eq_any(own())))
            .select(advice_council::advice);
        query = query.filter(advice::id.eq_any(of_council));
    }
    if !kinds.is_empty() {
        query = query.filter(advice::kind.eq_any(texts(kinds)));
    }
    if !statuses.is_empty() {
        query = query.filter(advice::status.eq_any(texts(statuses)));
    }
    if !outcomes.is_empty() {
        query = query.filter(advice::outcome.eq_any(texts(outcomes)));
    }
    if !levels.is_empty() {
        query = query.filter(advice::level.eq_any(texts(levels)));
    }
    if !themes.is_empty() {
        let of_theme = advice_theme::table
            .filter(advice_theme::theme.eq_any(texts(themes)))
            .select(advice_theme::advice);
        query = query.filter(advice::id.eq_any(of_theme));
    }
    if !clusters.is_empty() {
        query = query.filter(advice::cluster.eq_any(texts(clusters)));
    }
    if let Some(holder) = portfolio_holder {
        query = query.filter(advice::portfolio_holder.eq(holder.to_string()));
    }
    if !term_states.is_empty() {
        query = query.filter(advice_term::state.eq_any(texts(term_states)));
    }
    if let Some(reference) = reference {
        let bearing = advice_reference::table
            .filter(advice_reference::value.eq(reference.trim().to_owned()))
            .filter(advice_reference::is_public.eq(true).or(advice_reference::advice.eq_any(internal())))
            .select(advice_reference::advice);
        query = query.filter(advice::id.eq_any(bearing));
    }
    if let Some(request) = request {
        // Requests are not public, so neither is which advice answers one.
        query = query.filter(advice::request.eq(request.to_string())).filter(advice::id.eq_any(own()));
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
        query = query.filter(
            advice::public_modified_at
                .ge(since)
                .or(advice::own_modified_at.ge(since).and(advice::id.eq_any(own())))
                .or(advice::modified_at.ge(since).and(advice::id.eq_any(internal()))),
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

/// The value of a sort key as a number that is never null: what has none stands last. Only columns and numbers of our
/// own go into the text.
fn sort_value(key: SortKey, on: NaiveDate) -> String {
    let day = moment::day(on);
    let column = match key.field {
        SortField::LetterOn => day_column(DayField::Letter).to_owned(),
        SortField::ListedOn => day_column(DayField::Listed).to_owned(),
        SortField::SubmittedOn => day_column(DayField::Submitted).to_owned(),
        SortField::ReceivedOn => day_column(DayField::Received).to_owned(),
        SortField::AnsweredOn => day_column(DayField::Answered).to_owned(),
        SortField::DueOn => day_column(DayField::Due).to_owned(),
        SortField::DaysOver => format!(
            "CASE WHEN advice_term.days_over IS NOT NULL THEN advice_term.days_over \
             WHEN advice_term.due_day IS NULL THEN NULL \
             WHEN advice_term.due_day < {day} THEN {day} - advice_term.due_day ELSE 0 END"
        ),
    };
    let last = if key.descending { -1_000_000_000 } else { 1_000_000_000 };
    format!("COALESCE({column}, {last})")
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
    let mut query = filtered(caller, filter, on);
    let values: Vec<String> = sort.iter().map(|key| sort_value(*key, on)).collect();
    if let Some(after) = after {
        let mut beyond = String::from("(");
        let mut equal_so_far = String::new();
        for ((key, value), last) in sort.iter().zip(&values).zip(&after.values) {
            let sign = if key.descending { '<' } else { '>' };
            beyond.push_str(&format!("({equal_so_far}{value} {sign} {last}) OR "));
            equal_so_far.push_str(&format!("{value} = {last} AND "));
        }
        beyond.push_str(&format!("({equal_so_far}advice.id > "));
        query = query.filter(sql::<Bool>(&beyond).bind::<Text, _>(after.id.clone()).sql("))"));
    }
    for (key, value) in sort.iter().zip(&values) {
        let direction = if key.descending { "DESC" } else { "ASC" };
        query = query.then_order_by(sql::<Integer>(&format!("{value} {direction}")));
    }
    let place = if values.is_empty() {
        "''".to_owned()
    } else {
        values.iter().map(|value| format!("CAST({value} AS TEXT)")).collect::<Vec<_>>().join(" || ',' || ")
    };
    let rows: Vec<(String, String, String)> = query
        .then_order_by(advice::id)
        .limit(limit)
        .select((advice::id, advice::snapshot, sql::<Text>(&place)))
        .load(connection)?;
    let mut listed = Vec::with_capacity(rows.len());
    for (id, text, values) in rows {
        let advice = snapshot::read(&text)?;
        // The keys in the row and the record agree; if they ever did not, the item stays hidden.
        let Some(view) = caller.view(&advice.value) else { continue };
        let values = values.split(',').filter_map(|value| value.parse().ok()).collect();
        listed.push(Listed { advice, view, place: After { values, id } });
    }
    Ok(listed)
}

/// How many rows the whole list has.
pub fn count(
    connection: &mut AnyConnection,
    caller: &Caller,
    filter: &Filter,
    on: NaiveDate,
) -> Result<i64, StoreError> {
    Ok(filtered(caller, filter, on).select(count_star()).first(connection)?)
}

/// Items that the caller lost at or after a moment, in order of id.
pub fn lost_since(
    connection: &mut AnyConnection,
    caller: &Caller,
    since: DateTime<Utc>,
    after: &str,
    limit: i64,
) -> Result<Vec<Lost>, StoreError> {
    let keys = keys_from(caller, View::Public);
    let rows: Vec<(String, Option<i64>)> = audience::table
        .filter(audience::audience_key.eq_any(keys.clone()))
        .filter(audience::item.gt(after.to_owned()))
        .filter(audience::item.eq_any(advice::table.select(advice::id)))
        .filter(diesel::dsl::not(audience::item.eq_any(still_held(keys))))
        .group_by(audience::item)
        .having(max(audience::lost_at).ge(moment::of(since)))
        .order(audience::item)
        .limit(limit)
        .select((audience::item, max(audience::lost_at)))
        .load(connection)?;
    Ok(rows.into_iter().filter_map(|(id, at)| at.map(|at| Lost { id, at: moment::to_utc(at) })).collect())
}
