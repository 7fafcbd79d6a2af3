//! Reading advice: one, many, its term and its timeline.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::View;
use domain::advice::Advice;
use domain::codes::{AdviceKind, AdviceStatus, Level, Outcome, TermState};
use domain::ids::{AdviceId, AdviceRequestId, AreaCode, ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use domain::term::{self, TermExplanation};
use persistence::advice::{self, After, DayField, DayRange, Filter, Found, Line, SortField, SortKey, Texts};
use persistence::{AnyConnection, Position, StoreError, Stored};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::shelf::{Asker, Shown};
use super::view::{AdviceList, AdviceListItem, AdviceView, COLUMNS, Showing, Timeline};
use crate::app::{App, Reading, Registry, supported_day};
use crate::etag;
use crate::history::{self, KnownQuery, Then};
use crate::html;
use crate::incoming::{Call, Incoming};
use crate::latest::Desk;
use crate::paging::CsvDialect;
use crate::paging::{self, Cursor, DEFAULT_LIMIT, Format, Page, Tombstone, to_value};
use crate::problem::{ApiError, InputError};

/// What a list of advice can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AdviceQuery {
    /// Lead or co-signer is one of these councils (wijkraad, dorpsraad).
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    council: Option<Vec<CouncilCode>>,
    /// Lead or co-signer lies in this area (gebied).
    #[param(required = false)]
    area: Option<AreaCode>,
    /// One of these kinds (soort).
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    kind: Option<Vec<AdviceKind>>,
    /// In one of these states of the process (status).
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    status: Option<Vec<AdviceStatus>>,
    /// With one of these outcomes (uitkomst).
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    outcome: Option<Vec<Outcome>>,
    /// With one of these themes (thema).
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    theme: Option<Vec<ThemeCode>>,
    /// Treated by one of these clusters.
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    cluster: Option<Vec<ClusterCode>>,
    /// Answered by this office holder (portefeuillehouder), by id.
    #[param(required = false)]
    portfolio_holder: Option<OfficeHolderId>,
    /// Of one of these levels (reikwijdte).
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    level: Option<Vec<Level>>,
    /// Whose answer term stands so on the reference day (stand van de termijn). `late` takes in `very_late`.
    #[param(style = Form, explode = false, required = false, min_items = 1, max_items = 50)]
    term_state: Option<Vec<TermState>>,
    /// Bearing this reference, itself or in a response (kenmerk), such as `24bb002358`. The whole of it counts.
    #[param(required = false, min_length = 1, max_length = 100)]
    reference: Option<String>,
    /// Answering this advice request (adviesaanvraag).
    #[param(required = false)]
    request: Option<AdviceRequestId>,
    /// Reacting to the answer to this advice (tweede ronde).
    #[param(required = false)]
    second_round_of: Option<AdviceId>,
    /// Letter dated on or after this day.
    #[param(required = false)]
    letter_from: Option<NaiveDate>,
    /// Letter dated on or before this day.
    #[param(required = false)]
    letter_to: Option<NaiveDate>,
    /// Listed by a portal on or after this day.
    #[param(required = false)]
    listed_from: Option<NaiveDate>,
    /// Listed by a portal on or before this day.
    #[param(required = false)]
    listed_to: Option<NaiveDate>,
    /// Sent in on or after this day.
    #[param(required = false)]
    submitted_from: Option<NaiveDate>,
    /// Sent in on or before this day.
    #[param(required = false)]
    submitted_to: Option<NaiveDate>,
    /// Received on or after this day.
    #[param(required = false)]
    received_from: Option<NaiveDate>,
    /// Received on or before this day.
    #[param(required = false)]
    received_to: Option<NaiveDate>,
    /// Answered on or after this day.
    #[param(required = false)]
    answered_from: Option<NaiveDate>,
    /// Answered on or before this day.
    #[param(required = false)]
    answered_to: Option<NaiveDate>,
    /// Due on or after this day.
    #[param(required = false)]
    due_from: Option<NaiveDate>,
    /// Due on or before this day.
    #[param(required = false)]
    due_to: Option<NaiveDate>,
    /// Words that all must stand in subject, summary or points.
    #[param(required = false, min_length = 1, max_length = 200)]
    search: Option<String>,
    /// Changed at or after this moment, as far as this caller sees. What is gone for this caller then appears as a tombstone.
    #[param(required = false)]
    modified_since: Option<DateTime<Utc>>,
    /// The reference day of the term (peildatum); today in Europe/Amsterdam when left out.
    #[param(required = false)]
    on: Option<NaiveDate>,
    /// Up to three of `letterOn`, `listedOn`, `submittedOn`, `receivedOn`, `answeredOn`, `dueOn`, `daysOver`; with a hyphen before it from high to low. What has no value stands last. Then, and without it, by id.
    #[param(
        required = false,
        max_length = 100,
        pattern = "^-?(letterOn|listedOn|submittedOn|receivedOn|answeredOn|dueOn|daysOver)(,-?(letterOn|listedOn|submittedOn|receivedOn|answeredOn|dueOn|daysOver)){0,2}$"
    )]
    sort: Option<String>,
    /// Items on a page.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Where the page begins; take it from `next`.
    #[param(required = false, min_length = 1, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// Whether to count the whole list into `total`.
    #[param(required = false)]
    count: Option<bool>,
    /// JSON or CSV; without it `Accept` decides.
    #[param(required = false)]
    format: Option<Format>,
    /// The dialect of CSV; it implies `format=csv`.
    #[param(required = false)]
    csv: Option<CsvDialect>,
}

/// The reference day.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct OnQuery {
    /// The reference day of the term (peildatum); today in Europe/Amsterdam when left out, or with `knownAt` the day of that. Facts dated later do not exist on it.
    #[param(required = false)]
    on: Option<NaiveDate>,
}

/// Advice, published ones for everybody and others for those they concern.
///
/// The motion 25bb004228 asks for it: council advice, the answers, the expected answer date (`term.dueOn`) and the status.
/// A filter with several values, joined by commas, means any of them.
#[utoipa::path(get, path = "/advice", operation_id = "listAdvice", tag = "advice", params(AdviceQuery),
    responses((status = 200, description = "A page of advice.", content(
        (AdviceList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listAdvice").await?;
    let query: AdviceQuery = call.query()?;
    let style = paging::wanted(&call, query.format, query.csv)?;
    let mut faults = Vec::new();
    let sort = or_fault(sort_keys(query.sort.as_deref()), &mut faults)?.unwrap_or_default();
    let cursor = or_fault(Cursor::read(&call, query.cursor.as_deref(), sort.len()), &mut faults)?.flatten();
    let asked_on = or_fault(supported_day(query.on, call.today()), &mut faults)?.unwrap_or(call.today());
    let on = cursor.as_ref().map_or(asked_on, |cursor| cursor.on);
    let caller = call.caller.clone();
    let app = call.app.clone();
    let (asker, asked, keys) = (caller.clone(), query.clone(), sort.clone());
    let (begin, is_sound) = (cursor.clone(), faults.is_empty());
    let glance = move |app: &App, connection: &mut AnyConnection| match is_sound {
        true => glance(app, connection, &asker, &asked, on, &keys, begin.as_ref()),
        false => Ok(None),
    };
    let (rows, total, end) = app
        .read_at_once(glance, move |app, connection| {
            let registry = app.registry(connection)?;
            let filter = or_fault(filter_of(&query, &registry), &mut faults)?.unwrap_or_default();
            if !faults.is_empty() {
                return Err(ApiError::Invalid(faults));
            }
            rows(connection, &registry, &caller, &filter, &query, on, &sort, cursor)
        })
        .await?;
    let next = end.map(|End { values, id, lost }| Cursor::new(&call, on, values, id, lost));
    paging::answer(&call, &app.public_url, Page { items: rows, next, total }, COLUMNS, style)
}

/// Puts aside what is invalid, so that all of it is told at once.
fn or_fault<T>(result: Result<T, ApiError>, faults: &mut Vec<InputError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ApiError::Invalid(errors)) => {
            faults.extend(errors);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Where a page ended.
struct End {
    values: Vec<i64>,
    id: String,
    lost: bool,
}

impl End {
    fn after(place: &After) -> Self {
        Self { values: place.values.clone(), id: place.id.clone(), lost: false }
    }
}

/// A page that one statement finds, and another the texts of what is not on the shelf: of a list that does not count, names nothing
/// that may be hidden, and has something on it.
fn glance(
    app: &App,
    connection: &mut AnyConnection,
    caller: &domain::access::Caller,
    query: &AdviceQuery,
    on: NaiveDate,
    sort: &[SortKey],
    cursor: Option<&Cursor>,
) -> Result<Option<(Position, Rows)>, StoreError> {
    let is_plain = query.count != Some(true)
        && query.modified_since.is_none()
        && query.second_round_of.is_none()
        && query.request.is_none()
        && cursor.is_none_or(|cursor| !cursor.lost);
    let Some(registry) = app.last_registry().filter(|_| is_plain) else { return Ok(None) };
    // What is wrong with the question is told with all else.
    let Ok(filter) = filter_of(query, &registry) else { return Ok(None) };
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let after = cursor.map(|cursor| After { values: cursor.values.clone(), id: cursor.id.clone() });
    // Who reads longer pages reads all there is, and seldom twice.
    let texts = if limit <= LONGEST_KEPT { Texts::None } else { Texts::All };
    let (state, mut lines) =
        advice::lines(connection, caller, &filter, on, sort, after.as_ref(), limit + 1, texts)?;
    let Some(state) = state else { return Ok(None) };
    // The question was understood by tables that are no more.
    if app.registry_in(state).is_none_or(|now| !Arc::ptr_eq(&now, &registry)) {
        return Ok(None);
    }
    let end = cut(&mut lines, limit).map(|last| End::after(&last.place));
    let rows = match texts {
        Texts::None => from_the_shelf(app, connection, &registry, caller, on, lines)?,
        Texts::All => from_texts(&registry, caller, on, lines)?,
    };
    Ok(rows.map(|rows| (state.position, (rows, None, end))))
}

/// The rows of these lines, made from their texts. None if one of them names another item.
fn from_texts(
    registry: &Registry,
    caller: &domain::access::Caller,
    on: NaiveDate,
    lines: Vec<Line>,
) -> Result<Option<Vec<Row>>, StoreError> {
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        let found = line.text.map(|text| text.for_caller(caller)).transpose()?;
        let Some(Found::Visible(stored, view)) = found else { return Ok(None) };
        let showing = Showing::of_one_without_links(registry, on, &stored.value);
        let Some(showing) = showing else { return Ok(None) };
        rows.push(Row::from(showing.show(&stored, view)));
    }
    Ok(Some(rows))
}

/// The rows of these lines, as far as they hold on the shelf; the others are read and put there. None if one of them names another
/// item, or was changed since the page was found.
fn from_the_shelf(
    app: &App,
    connection: &mut AnyConnection,
    registry: &Registry,
    caller: &domain::access::Caller,
    on: NaiveDate,
    lines: Vec<Line>,
) -> Result<Option<Vec<Row>>, StoreError> {
    let asker = Asker::new(caller, on);
    let find = |line: &Line| app.shelf.find(line.id, &asker)?.if_holds(line.mark, registry.sequence());
    let mut shown: Vec<Option<Shown>> = lines.iter().map(find).collect();
    let missing = lines.iter().zip(&shown).filter(|(_, shown)| shown.is_none());
    let missing: Vec<AdviceId> = missing.map(|(line, _)| line.id).collect();
    let mut texts = advice::texts(connection, &missing)?;
    for (line, shown) in lines.iter().zip(&mut shown).filter(|(_, shown)| shown.is_none()) {
        let found = texts.remove(&line.id).map(|text| text.for_caller(caller)).transpose()?;
        let Some(Found::Visible(stored, view)) = found else { return Ok(None) };
        if stored.stamp.mark() != line.mark {
            return Ok(None);
        }
        let Ok(Some(made)) = app.shelf.show(registry, on, &stored, view) else { return Ok(None) };
        *shown = Some(made);
    }
    Ok(Some(shown.into_iter().flatten().map(Row::Shown).collect()))
}

/// Leaves no more than what is on the page; gives the last of it, if there is more.
fn cut<T>(rows: &mut Vec<T>, limit: i64) -> Option<&T> {
    let length = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > length;
    rows.truncate(length);
    rows.last().filter(|_| more)
}

/// A row on its way out.
enum Row {
    Shown(Shown),
    Made(AdviceListItem),
}

impl From<AdviceView> for Row {
    fn from(advice: AdviceView) -> Self {
        Self::Made(AdviceListItem::Advice(Box::new(advice)))
    }
}

impl paging::Row for Row {
    fn write(&self, json: &mut Vec<u8>) -> Result<(), ApiError> {
        match self {
            Self::Shown(shown) => json.extend_from_slice(shown.body().as_bytes()),
            Self::Made(item) => item.write(json)?,
        }
        Ok(())
    }

    fn value(&self) -> Result<Value, ApiError> {
        match self {
            Self::Shown(shown) => {
                serde_json::from_str(shown.body()).map_err(|error| ApiError::Internal(error.to_string()))
            }
            Self::Made(item) => item.value(),
        }
    }
}

type Rows = (Vec<Row>, Option<i64>, Option<End>);

/// The longest page of which each advice is kept as it is shown.
const LONGEST_KEPT: i64 = DEFAULT_LIMIT;

#[allow(clippy::too_many_arguments)]
fn rows(
    connection: &mut AnyConnection,
    registry: &Registry,
    caller: &domain::access::Caller,
    filter: &Filter,
    query: &AdviceQuery,
    on: NaiveDate,
    sort: &[SortKey],
    cursor: Option<Cursor>,
) -> Result<Rows, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    // What names an item that the caller may not know of is not told apart from what names none.
    let first = query.second_round_of.map(|first| first.0);
    let named = first.into_iter().chain(query.request.map(|request| request.0)).collect();
    if persistence::dossier::visible_among(connection, caller, &named)? != named {
        return Ok((Vec::new(), query.count.and_then(|count| count.then_some(0)), None));
    }
    let total = match query.count {
        Some(true) => Some(advice::count(connection, caller, filter, on)?),
        _ => None,
    };
    let mut items = Vec::new();
    let through = cursor.as_ref().is_some_and(|cursor| cursor.lost);
    if !through {
        let after =
            cursor.as_ref().map(|cursor| After { values: cursor.values.clone(), id: cursor.id.clone() });
        let mut listed = advice::list(connection, caller, filter, on, sort, after.as_ref(), limit + 1)?;
        let end = cut(&mut listed, limit).map(|last| End::after(&last.place));
        let named: Vec<&Advice> = listed.iter().map(|row| &row.advice.value).collect();
        let showing = Showing::of(connection, caller, registry, on, &named)?;
        items = listed.iter().map(|row| Row::from(showing.show(&row.advice, row.view))).collect();
        if end.is_some() {
            return Ok((items, total, end));
        }
    }
    // The items are through; what is gone for this caller follows, if it asked for changes.
    let Some(since) = query.modified_since else { return Ok((items, total, None)) };
    let room = limit - items.len() as i64;
    let after = cursor.filter(|cursor| cursor.lost).map(|cursor| cursor.id).unwrap_or_default();
    let zeroes = vec![0; sort.len()];
    if room == 0 {
        return Ok((items, total, Some(End { values: zeroes, id: after, lost: true })));
    }
    let mut lost = advice::lost_since(connection, caller, since, &after, room + 1)?;
    let more = lost.len() as i64 > room;
    lost.truncate(usize::try_from(room).unwrap_or(0));
    for gone in &lost {
        items.push(Row::Made(AdviceListItem::Gone(Tombstone {
            id: gone.id.clone(),
            deleted: true,
            modified_at: gone.at,
        })));
    }
    let end =
        if more { lost.pop().map(|last| End { values: zeroes, id: last.id, lost: true }) } else { None };
    Ok((items, total, end))
}

fn sort_keys(sort: Option<&str>) -> Result<Vec<SortKey>, ApiError> {
    let mut keys: Vec<SortKey> = Vec::new();
    for part in sort.into_iter().flat_map(|sort| sort.split(',')) {
        let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
        let field = match name {
            "letterOn" => SortField::LetterOn,
            "listedOn" => SortField::ListedOn,
            "submittedOn" => SortField::SubmittedOn,
            "receivedOn" => SortField::ReceivedOn,
            "answeredOn" => SortField::AnsweredOn,
            "dueOn" => SortField::DueOn,
            "daysOver" => SortField::DaysOver,
            _ => {
                let detail =
                    "sort on letterOn, listedOn, submittedOn, receivedOn, answeredOn, dueOn or daysOver";
                return Err(ApiError::invalid("query", "sort", "sort.unknown", detail));
            }
        };
        if keys.iter().any(|key| key.field == field) {
            return Err(ApiError::invalid("query", "sort", "duplicate", "names a field twice"));
        }
        keys.push(SortKey { field, descending });
    }
    Ok(keys)
}

fn filter_of(query: &AdviceQuery, registry: &Registry) -> Result<Filter, ApiError> {
    let mut errors = Vec::new();
    let mut unknown =
        |name: &str, detail: &str| errors.push(InputError::new("query", name, "unknown", detail));
    let all_of = |codes: &Option<Vec<_>>| codes.clone().unwrap_or_default();
    if query.council.iter().flatten().any(|code| registry.council(code).is_none()) {
        unknown("council", "is not the code of a council; see /v1/councils");
    }
    if query.theme.iter().flatten().any(|code| !registry.has_theme(code)) {
        unknown("theme", "is not the code of a theme; see /v1/themes");
    }
    if query.cluster.iter().flatten().any(|code| !registry.has_cluster(code)) {
        unknown("cluster", "is not the code of a cluster; see /v1/clusters");
    }
    let area_councils = query.area.as_ref().map(|area| registry.councils_of(area));
    if matches!(area_councils, Some(None)) {
        unknown("area", "is not the code of an area; see /v1/areas");
    }
    let mut days = Vec::new();
    let ranges = [
        (DayField::Letter, "letter", query.letter_from, query.letter_to),
        (DayField::Listed, "listed", query.listed_from, query.listed_to),
        (DayField::Submitted, "submitted", query.submitted_from, query.submitted_to),
        (DayField::Received, "received", query.received_from, query.received_to),
        (DayField::Answered, "answered", query.answered_from, query.answered_to),
        (DayField::Due, "due", query.due_from, query.due_to),
    ];
    for (field, name, from, to) in ranges {
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            errors.push(InputError::new(
                "query",
                format!("{name}To"),
                "date.order",
                format!("lies before {name}From"),
            ));
        }
        if from.is_some() || to.is_some() {
            days.push(DayRange { field, from, to });
        }
    }
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    let mut term_states: Vec<TermState> = query.term_state.clone().unwrap_or_default();
    if term_states.contains(&TermState::Late) && !term_states.contains(&TermState::VeryLate) {
        term_states.push(TermState::VeryLate);
    }
    Ok(Filter {
        councils: query.council.clone(),
        area_councils: area_councils.flatten(),
        kinds: query.kind.clone().unwrap_or_default(),
        statuses: query.status.clone().unwrap_or_default(),
        outcomes: query.outcome.clone().unwrap_or_default(),
        levels: query.level.clone().unwrap_or_default(),
        themes: all_of(&query.theme),
        clusters: query.cluster.clone().unwrap_or_default(),
        portfolio_holder: query.portfolio_holder,
        term_states,
        reference: query.reference.clone(),
        request: query.request,
        second_round_of: query.second_round_of,
        days,
        search: query.search.clone(),
        modified_since: query.modified_since,
    })
}

/// What stands at the address of an advice for this caller.
pub(super) fn visible(
    connection: &mut AnyConnection,
    id: AdviceId,
    caller: &domain::access::Caller,
) -> Result<(Stored<Advice>, View), ApiError> {
    what_stands(advice::find(connection, id, caller)?)
}

/// An advice as it is shown on a day, by a look at the database that many share. None where more has to be read to show it, such as
/// which of the items that it names the caller may see.
async fn at_a_look(call: &Call, id: AdviceId, on: NaiveDate) -> Result<Option<Shown>, ApiError> {
    let Some(desk) = call.http.app_data::<Data<Desk>>() else { return Ok(None) };
    let shelf = &call.app.shelf;
    if let Some(known) = shelf.find(id, &Asker::new(&call.caller, on)) {
        let Some((look, registry)) = call.app.look(desk, id, false).await else { return Ok(None) };
        let Some(standing) = look.advice.get(&id) else { return Err(ApiError::NotFound) };
        if let Some(shown) = known.if_holds(standing.mark, registry.sequence()) {
            return Ok(Some(shown));
        }
    }
    // Nothing is kept that holds.
    let Some((look, registry)) = call.app.look(desk, id, true).await else { return Ok(None) };
    let Some(text) = look.advice.get(&id).and_then(|standing| standing.text.as_ref()) else {
        return Err(ApiError::NotFound);
    };
    let (stored, view) = what_stands(text.for_caller(&call.caller)?)?;
    shelf.show(&registry, on, &stored, view)
}

fn what_stands(found: Found) -> Result<(Stored<Advice>, View), ApiError> {
    match found {
        Found::Visible(stored, view) => Ok((*stored, view)),
        Found::Gone { reason, at } => Err(ApiError::Gone { reason, at }),
        Found::Missing => Err(ApiError::NotFound),
    }
}

/// One advice.
///
/// An advice that was merged into another answers 308 with the address of the other, if the caller may see that one.
/// One that was withdrawn from publication answers 410 with the public reason. `Accept: text/html` gives a plain page.
/// As it was known at `knownAt` it is given whole, whatever became of it.
#[utoipa::path(get, path = "/advice/{id}", operation_id = "getAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice."), OnQuery, KnownQuery),
    responses(
        (status = 200, description = "The advice.", content((AdviceView = "application/json"), (String = "text/html"))),
        (status = 308, description = "Merged into the advice that Location names."),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getAdvice").await?;
    let as_known = history::is_asked(&call)?;
    let id = AdviceId(call.path_id("id")?);
    let (query, known): (OnQuery, KnownQuery) = (call.query()?, call.query()?);
    let on = supported_day(query.on, call.today())?;
    if let Some(known_at) = known.known_at.filter(|_| as_known) {
        let on = query.on.map(|_| on);
        return history::known(call, advice::RESOURCE, id.to_string(), known_at, on, then).await;
    }
    let media = paging::accepted(&call, &["application/json", "text/html"])?;
    let (caller, app) = (call.caller.clone(), call.app.clone());
    if media == "application/json"
        && let Some(shown) = at_a_look(&call, id, on).await?
    {
        let (etag, body) = (shown.etag().to_owned(), shown.body().as_bytes().to_vec());
        return Ok(paging::readable(&call, etag, media, body, None));
    }
    let read = move |app: &Reading<'_>, connection: &mut AnyConnection| {
        let registry = app.registry(connection)?;
        let (stored, view) = visible(connection, id, &caller)?;
        let showing = Showing::of(connection, &caller, &registry, on, &[&stored.value])?;
        Ok((showing.show(&stored, view), view))
    };
    let (shown, view) = app.read(read).await?;
    if let Some(merge) = &shown.merge {
        let Some(into) = merge.into else { return Err(ApiError::NotFound) };
        return Ok(HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, format!("{}/v1/advice/{into}", app.public_url)))
            .finish());
    }
    let (content_type, body) = match media {
        "text/html" => ("text/html; charset=utf-8", html::advice(&shown, &app.public_url).into_bytes()),
        _ => ("application/json", etag::body_of(&shown)?),
    };
    let etag = etag::of_item(shown.version, on, &body, view);
    let mut response = paging::readable(&call, etag, content_type, body, None);
    if media == "text/html" {
        html::allow_style(&mut response);
    }
    Ok(response)
}

/// The answer term, explained line by line.
///
/// Adding up the `days` of the lines gives the deadline again: anyone can replay it.
#[utoipa::path(get, path = "/advice/{id}/term", operation_id = "getAdviceTerm", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice."), OnQuery),
    responses((status = 200, description = "The term.", body = TermExplanation),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_advice_term(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getAdviceTerm").await?;
    let id = AdviceId(call.path_id("id")?);
    let query: OnQuery = call.query()?;
    let on = supported_day(query.on, call.today())?;
    paging::accepted(&call, &["application/json"])?;
    let caller = call.caller.clone();
    let (stored, view) = call.app.read(move |_, connection| visible(connection, id, &caller)).await?;
    let explanation = term::explain(&stored.value.term_facts(), on);
    let body = etag::body_of(&explanation)?;
    let etag = etag::of_item(stored.stamp.seen(view).version, on, &body, view);
    Ok(paging::readable(&call, etag, "application/json", body, None))
}

/// Everything that happened, in order, as far as the caller may see it.
#[utoipa::path(get, path = "/advice/{id}/timeline", operation_id = "getAdviceTimeline", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")),
    responses((status = 200, description = "The timeline.", body = Timeline),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_advice_timeline(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getAdviceTimeline").await?;
    let id = AdviceId(call.path_id("id")?);
    call.no_query()?;
    paging::accepted(&call, &["application/json"])?;
    let caller = call.caller.clone();
    let (stored, view) = call.app.read(move |_, connection| visible(connection, id, &caller)).await?;
    let items = domain::access::project(&stored.value, view).timeline();
    let body = etag::body_of(&Timeline { items })?;
    let version = stored.stamp.seen(view).version;
    let etag = etag::of_item(version, domain::calendar::FIRST_DAY, &body, view);
    Ok(paging::readable(&call, etag, "application/json", body, None))
}

/// Shows an advice as it was at entries of the journal, to a reader who sees all of it.
pub(crate) fn then(
    app: &App,
    connection: &mut AnyConnection,
    thens: &[Then],
) -> Result<Vec<serde_json::Value>, ApiError> {
    let registry = app.registry(connection)?;
    let show = |Then { entry, on, place: _ }: &Then| {
        let stored = persistence::read_advice(&entry.snapshot)?;
        // Who reads the journal sees every link.
        let linked = domain::access::links(&stored.value).into_iter().collect();
        let showing = Showing { registry: &registry, on: *on, linked };
        to_value(&showing.show(&stored, View::Internal))
    };
    thens.iter().map(show).collect()
}
