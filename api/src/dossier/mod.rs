//! What accords, agreements, policy tracks, participation plans, commitments, talks, assignments and collegetargets have in
//! common over HTTP: a list, an item, a way to add one, to change its text, and to record what happened.

pub mod accord;
pub mod agreement;
pub mod assignment;
pub mod collegetarget;
pub mod commitment;
pub mod participation_plan;
pub mod policy_track;
pub mod talk;

use std::collections::{BTreeSet, HashMap};

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Caller, Refusal};
use domain::accord::Accord;
use domain::agreement::Agreement;
use domain::assignment::Assignment;
use domain::collegetarget::Collegetarget;
use domain::commitment::Commitment;
use domain::dossier::Dossier;
use domain::ids::{ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use domain::participation_plan::ParticipationPlan;
use domain::policy_track::PolicyTrack;
use domain::reference::{Obligation, PARTICIPATION_PLAN};
use domain::talk::Talk;
use persistence::dossier::{self, Filter, Found};
use persistence::journal::{self, Glance};
use persistence::registry::{self, Table};
use persistence::{AnyConnection, Stored, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::app::{App, Registry};
use crate::contract::Contract;
use crate::csv::Column;
use crate::etag::{self, Version};
use crate::history::{self, Then};
use crate::incoming::{Answer, Body, Call};
use crate::paging::{self, Cursor, DEFAULT_LIMIT, Page, SmallListQuery, Tombstone, to_value};
use crate::problem::{ApiError, InputError};

/// How an item is shown.
pub(crate) trait Show: Dossier {
    /// As its reader gets it.
    type View: Serialize;
    /// The columns of its list as CSV.
    const COLUMNS: &'static [Column];

    /// Shows it on a day. Links that its reader may not see are taken out already.
    fn show(stored: Stored<Self>, on: On) -> Self::View;
}

/// What follows from the day follows from this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct On {
    /// The day.
    pub today: NaiveDate,
    /// The first day of the obligation to make a participation plan.
    pub obliged_from: Option<NaiveDate>,
}

impl On {
    /// As it is known now.
    fn now(registry: &Registry, today: NaiveDate) -> Self {
        Self { today, obliged_from: registry.plan_obligation_from() }
    }
}

/// Shows items to a caller, without links to what he may not see.
pub(crate) fn show_all<D: Show>(
    connection: &mut AnyConnection,
    caller: &Caller,
    registry: &Registry,
    today: NaiveDate,
    items: Vec<Stored<D>>,
) -> Result<Vec<D::View>, ApiError> {
    let items = without_hidden_links(connection, caller, items)?;
    let on = On::now(registry, today);
    Ok(items.into_iter().map(|item| D::show(item, on)).collect())
}

/// Shows items as they were at entries of the journal, to a reader who sees all of them.
pub(crate) fn then<D: Show>(
    _: &App,
    connection: &mut AnyConnection,
    thens: &[Then],
) -> Result<Vec<Value>, ApiError> {
    // The one obligation changes seldom; what was known of it at each place is read once.
    let obligation =
        journal::of_item(connection, &[Table::Obligation.as_str()], PARTICIPATION_PLAN, 0, 1000)?;
    let obliged: Vec<(i64, NaiveDate)> = obligation
        .iter()
        .map(|entry| Ok((entry.sequence, registry::read::<Obligation>(Table::Obligation, entry)?.value.from)))
        .collect::<Result<_, ApiError>>()?;
    let mut shown = Vec::with_capacity(thens.len());
    for Then { entry, on, place } in thens {
        let known = obliged.iter().rev().find(|(sequence, _)| sequence <= place);
        let on = On { today: *on, obliged_from: known.map(|(_, from)| *from) };
        shown.push(to_value(&D::show(dossier::read_entry::<D>(entry)?, on))?);
    }
    Ok(shown)
}

/// Items without links to what the caller may not see, found out in one query.
pub(crate) fn without_hidden_links<D: Dossier>(
    connection: &mut AnyConnection,
    caller: &Caller,
    items: Vec<Stored<D>>,
) -> Result<Vec<Stored<D>>, ApiError> {
    let linked: BTreeSet<Uuid> = items.iter().flat_map(|item| item.value.links()).collect();
    let visible = dossier::visible_among(connection, caller, &linked)?;
    let hidden: BTreeSet<Uuid> = linked.difference(&visible).copied().collect();
    let items = items.into_iter();
    Ok(items.map(|Stored { value, stamp }| Stored { value: value.without_links(&hidden), stamp }).collect())
}

fn show_one<D: Show>(
    connection: &mut AnyConnection,
    caller: &Caller,
    registry: &Registry,
    today: NaiveDate,
    item: Stored<D>,
) -> Result<D::View, ApiError> {
    show_all(connection, caller, registry, today, vec![item])?.pop().ok_or(ApiError::NotFound)
}

/// The tag of an item: its version, which a change must match, and its body, for what follows from other items and from the day
/// turns without a change of this one.
fn tag(version: i64, body: &[u8]) -> String {
    format!("\"{version}.{}\"", etag::of_body(body).trim_matches('"'))
}

/// The facets by which an item is found through another one that it names.
const NAMING: [&str; 4] = ["accord", "advice", "carriedOverFrom", "policyTrack"];

/// The filter as far as the caller may ask it: what names an item that he may not know of is not told apart from what names none.
fn without_hidden_names(
    connection: &mut AnyConnection,
    caller: &Caller,
    mut filter: Filter,
) -> Result<Filter, ApiError> {
    for (_, values) in filter.facets.iter_mut().filter(|(facet, _)| NAMING.contains(facet)) {
        let named = values.iter().filter_map(|value| value.parse().ok()).collect();
        let visible = dossier::visible_among(connection, caller, &named)?;
        values.retain(|value| value.parse().is_ok_and(|id: Uuid| visible.contains(&id)));
    }
    Ok(filter)
}

/// A list: filtered, paged, and with `modifiedSince` what is gone for this caller.
pub(crate) async fn list<D: Show>(
    call: Call,
    query: SmallListQuery,
    filter: Filter,
) -> Result<HttpResponse, ApiError> {
    let style = paging::wanted(&call, query.format, query.csv)?;
    let cursor = Cursor::read(&call, query.cursor.as_deref(), 0)?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let filter = Filter { modified_since: query.modified_since, ..filter };
    let (caller, app, today) = (call.caller.clone(), call.app.clone(), call.today());
    let (items, end, total) = app
        .read(move |app, connection| {
            let registry = app.registry(connection)?;
            let filter = without_hidden_names(connection, &caller, filter)?;
            let total = match query.count {
                Some(true) => Some(dossier::count::<D>(connection, &caller, &filter)?),
                _ => None,
            };
            let walking_lost = cursor.as_ref().is_some_and(|cursor| cursor.lost);
            let mut items = Vec::new();
            if !walking_lost {
                let after = cursor.as_ref().map(|cursor| cursor.id.as_str());
                let mut rows = dossier::list::<D>(connection, &caller, &filter, after, limit + 1)?;
                let more = rows.len() as i64 > limit;
                rows.truncate(usize::try_from(limit).unwrap_or(0));
                let last = rows.last().map(|row| row.value.id().to_string());
                for shown in show_all(connection, &caller, &registry, today, rows)? {
                    items.push(to_value(&shown)?);
                }
                if more {
                    return Ok((items, last.map(|id| (id, false)), total));
                }
            }
            // The items are through; what is gone for this caller follows, if it asked for changes.
            let Some(since) = filter.modified_since else { return Ok((items, None, total)) };
            let room = limit - items.len() as i64;
            let after = cursor.filter(|cursor| cursor.lost).map(|cursor| cursor.id).unwrap_or_default();
            if room == 0 {
                return Ok((items, Some((after, true)), total));
            }
            let mut lost = dossier::lost_since::<D>(connection, &caller, since, &after, room + 1)?;
            let more = lost.len() as i64 > room;
            lost.truncate(usize::try_from(room).unwrap_or(0));
            for gone in &lost {
                items.push(to_value(&Tombstone {
                    id: gone.id.clone(),
                    deleted: true,
                    modified_at: gone.at,
                })?);
            }
            let end = if more { lost.pop().map(|last| (last.id, true)) } else { None };
            Ok((items, end, total))
        })
        .await?;
    let next = end.map(|(id, lost)| Cursor::new(&call, call.today(), Vec::new(), id, lost));
    paging::answer(&call, &app.public_url, Page { items, next, total }, D::COLUMNS, style)
}

/// What stands at an address for this caller.
pub(crate) fn visible<D: Dossier>(
    connection: &mut AnyConnection,
    id: Uuid,
    caller: &Caller,
) -> Result<Stored<D>, ApiError> {
    match dossier::find::<D>(connection, id, caller)? {
        Found::Visible(stored) => Ok(*stored),
        Found::Gone { reason, at } => Err(ApiError::Gone { reason, at }),
        Found::Missing => Err(ApiError::NotFound),
    }
}

/// One item, as it now is or as it was known.
pub(crate) async fn item<D: Show>(call: Call) -> Result<HttpResponse, ApiError> {
    history::dossier::<D>(call).await
}

/// One item as it now is.
pub(crate) async fn item_now<D: Show>(call: Call, id: Uuid) -> Result<HttpResponse, ApiError> {
    paging::accepted(&call, &["application/json"])?;
    let (caller, today) = (call.caller.clone(), call.today());
    let (version, body) = call
        .app
        .read(move |app, connection| {
            let registry = app.registry(connection)?;
            let stored = visible::<D>(connection, id, &caller)?;
            let version = stored.stamp.version;
            let shown = show_one(connection, &caller, &registry, today, stored)?;
            let body = serde_json::to_vec(&shown).map_err(|error| ApiError::Internal(error.to_string()))?;
            Ok((version, body))
        })
        .await?;
    Ok(paging::readable(&call, tag(version, &body), "application/json", body, None))
}

/// Entries of a log that an item holds, as a list.
pub(crate) async fn log<D: Show, T: Serialize + Send + 'static>(
    call: Call,
    query: SmallListQuery,
    columns: &[Column],
    entries: impl FnOnce(Stored<D>, NaiveDate) -> Vec<T> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let id = call.path_id("id")?;
    let style = paging::wanted(&call, query.format, query.csv)?;
    let (caller, app, today) = (call.caller.clone(), call.app.clone(), call.today());
    let rows: Vec<(String, DateTime<Utc>, T)> = app
        .read(move |_, connection| {
            let stored = visible::<D>(connection, id, &caller)?;
            let modified_at = stored.stamp.modified_at;
            let numbered = entries(stored, today).into_iter().enumerate();
            Ok(numbered.map(|(place, entry)| (format!("{place:06}"), modified_at, entry)).collect())
        })
        .await?;
    let page = paging::page_of(&call, rows, &query)?;
    paging::answer(&call, &app.public_url, page, columns, style)
}

/// What a change has at hand.
pub(crate) struct Context<'a, 'c> {
    /// The transaction.
    pub tx: &'a mut Tx<'c>,
    /// Who asks.
    pub caller: &'a Caller,
    /// The reference tables.
    pub registry: &'a Registry,
    /// The contract, for a text that was merged with a patch.
    pub contract: &'a Contract,
    /// The Amsterdam day.
    pub today: NaiveDate,
    /// Why, for the journal, where the caller says so.
    pub reason: Option<String>,
}

/// Adds an item.
pub(crate) async fn add<D: Show, B: DeserializeOwned + Send + 'static>(
    call: Call,
    path: &'static str,
    make: impl FnOnce(&mut Context<'_, '_>, B) -> Result<D, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    add_with(call, path, make, |_, shown| Ok(shown)).await
}

/// Adds an item, and says more of it than the item itself.
pub(crate) async fn add_with<D: Show, B: DeserializeOwned + Send + 'static, V: Serialize>(
    call: Call,
    path: &'static str,
    make: impl FnOnce(&mut Context<'_, '_>, B) -> Result<D, ApiError> + Send + 'static,
    say: impl FnOnce(&mut Tx<'_>, D::View) -> Result<V, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    call.no_query()?;
    let body: Body<B> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |app, tx| {
            writing.run(tx, None, |tx, body, caller, now| {
                let registry = app.registry(tx.reading())?;
                let contract = &app.contract;
                let mut context =
                    Context { tx, caller, registry: &registry, contract, today: now.today, reason: None };
                let value = make(&mut context, body)?;
                let stored = dossier::add(tx, &value, "addition")?;
                let (tag, shown) = answered(tx, caller, &registry, now.today, stored)?;
                let said = say(tx, shown)?;
                Ok(Answer::json(201, Some(tag), &said)?.at(format!("/v1{path}/{}", value.id())))
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// What was written, as its reader gets it, and its tag.
fn answered<D: Show>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    registry: &Registry,
    today: NaiveDate,
    stored: Stored<D>,
) -> Result<(String, D::View), ApiError> {
    let version = stored.stamp.version;
    let shown = show_one(tx.reading(), caller, registry, today, stored)?;
    let body = serde_json::to_vec(&shown).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok((tag(version, &body), shown))
}

/// Records something of an item: right, precondition, rule, save, answer.
pub(crate) async fn record<D: Show, B: Send + 'static>(
    call: Call,
    body: Body<B>,
    event: &'static str,
    right: impl FnOnce(&Caller, &D) -> Result<(), Refusal> + Send + 'static,
    change: impl FnOnce(&mut Context<'_, '_>, D, B) -> Result<D, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let id = call.path_id("id")?;
    call.no_query()?;
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |app, tx| {
            let before = visible::<D>(tx.reading(), id, &writing.caller)?;
            right(&writing.caller, &before.value)?;
            let version = Version { number: before.stamp.version, view: None };
            writing.run(tx, Some(version), |tx, body, caller, now| {
                let registry = app.registry(tx.reading())?;
                let contract = &app.contract;
                let mut context =
                    Context { tx, caller, registry: &registry, contract, today: now.today, reason: None };
                let changed = change(&mut context, before.value.clone(), body)?;
                let reason = context.reason.take();
                let stored = dossier::save(tx, &changed, &before, event, reason)?;
                let (tag, shown) = answered(tx, caller, &registry, now.today, stored)?;
                Answer::json(200, Some(tag), &shown)
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// No right beyond the scope of the operation.
pub(crate) fn scope_is_enough<D>(_: &Caller, _: &D) -> Result<(), Refusal> {
    Ok(())
}

/// The body of a merge patch, checked against the schema of the patch.
pub(crate) fn patch(call: &Call) -> Body<Value> {
    call.patch().and_then(|patch| call.check::<Value>(patch))
}

/// A text with the patch in it, checked like a new one. A list is replaced whole.
pub(crate) fn merged<T: Serialize + DeserializeOwned>(
    context: &Context<'_, '_>,
    schema: &str,
    text: &T,
    patch: &Value,
) -> Result<T, ApiError> {
    let mut whole = to_value(text)?;
    json_patch::merge(&mut whole, patch);
    context.contract.body(schema, whole)
}

/// Collects the codes and ids of a text that are not known.
pub(crate) struct Names<'a> {
    registry: &'a Registry,
    errors: Vec<InputError>,
}

impl<'a> Names<'a> {
    /// Against these tables.
    pub fn of(registry: &'a Registry) -> Self {
        Self { registry, errors: Vec::new() }
    }

    /// Something else that is not known.
    pub fn unknown(&mut self, location: impl Into<String>, detail: &str) {
        self.errors.push(InputError::new("body", location.into(), "unknown", detail));
    }

    /// A council.
    pub fn council(&mut self, location: impl Into<String>, code: &CouncilCode) -> &mut Self {
        if self.registry.council(code).is_none() {
            self.unknown(location, "is not the code of a council; see /v1/councils");
        }
        self
    }

    /// A cluster.
    pub fn cluster(&mut self, location: impl Into<String>, code: Option<&ClusterCode>) -> &mut Self {
        if code.is_some_and(|code| !self.registry.has_cluster(code)) {
            self.unknown(location, "is not the code of a cluster; see /v1/clusters");
        }
        self
    }

    /// Themes.
    pub fn themes(&mut self, location: &str, codes: &[ThemeCode]) -> &mut Self {
        for (index, code) in codes.iter().enumerate() {
            if !self.registry.has_theme(code) {
                self.unknown(format!("{location}/{index}"), "is not the code of a theme; see /v1/themes");
            }
        }
        self
    }

    /// An office holder.
    pub fn office_holder(&mut self, location: &str, id: Option<OfficeHolderId>) -> &mut Self {
        if id.is_some_and(|id| !self.registry.has_office_holder(id)) {
            self.unknown(location, "is not the id of an office holder; see /v1/office-holders");
        }
        self
    }

    /// All that is not known, at once.
    pub fn done(&mut self) -> Result<(), ApiError> {
        let errors = std::mem::take(&mut self.errors);
        if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors)) }
    }
}

/// Whether the items of the feed's entries are kept whole, and then as they now are for this caller, by id.
pub(crate) fn current_of(
    connection: &mut AnyConnection,
    caller: &Caller,
    registry: &Registry,
    today: NaiveDate,
    entries: &[&Glance],
) -> Result<HashMap<String, Value>, ApiError> {
    let mut shown = HashMap::new();
    let of = |resource: &str| -> Vec<String> {
        let own = entries.iter().filter(|entry| entry.resource == resource);
        own.map(|entry| entry.item.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    };
    macro_rules! take {
        ($($kind:ty),+) => {
            $(
                let ids = of(<$kind>::RESOURCE);
                if !ids.is_empty() {
                    let found = dossier::find_all::<$kind>(connection, caller, &ids)?;
                    let ids: Vec<String> = found.iter().map(|item| item.value.id().to_string()).collect();
                    let views = show_all(connection, caller, registry, today, found)?;
                    for (id, view) in ids.into_iter().zip(views) {
                        shown.insert(id, to_value(&view)?);
                    }
                }
            )+
        };
    }
    take!(Accord, Agreement, PolicyTrack, ParticipationPlan, Commitment, Talk, Assignment, Collegetarget);
    Ok(shown)
}

/// Takes out of a patch why, for the journal.
pub(crate) fn because(context: &mut Context<'_, '_>, mut patch: Value) -> Value {
    let reason = patch.as_object_mut().and_then(|fields| fields.remove("reason"));
    context.reason = reason.as_ref().and_then(Value::as_str).map(str::to_owned);
    patch
}

/// Refuses a correction that does not say why.
pub(crate) fn needs_reason(context: &Context<'_, '_>, what: &str) -> Result<(), ApiError> {
    if context.reason.is_some() {
        return Ok(());
    }
    Err(ApiError::invalid("body", "/reason", "required", format!("is mandatory: {what}")))
}

/// Why something on record changes, as a field of a patch: beside the fields of the item, and no field of it.
pub(crate) fn reason_schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .min_length(Some(1))
        .max_length(Some(2000))
        .pattern(Some(r"\S"))
        .description(Some("Why it changes (reden), for the journal. It is no field of the item."))
        .into()
}

/// Makes the schema of a merge patch: that of the body, with nothing mandatory but the reason, where the text is on record.
macro_rules! patch_schema {
    ($(#[$doc:meta])* $patch:ident of $body:ty, $text:literal) => {
        $crate::dossier::patch_schema!($(#[$doc])* $patch of $body, $text, ["reason".to_owned()]);
    };
    ($(#[$doc:meta])* $patch:ident of $body:ty, $text:literal, optional reason) => {
        $crate::dossier::patch_schema!($(#[$doc])* $patch of $body, $text, []);
    };
    ($(#[$doc:meta])* $patch:ident of $body:ty, $text:literal, [$($required:expr)?]) => {
        $(#[$doc])*
        pub struct $patch;

        impl utoipa::PartialSchema for $patch {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let mut schema = <$body as utoipa::PartialSchema>::schema();
                if let utoipa::openapi::RefOr::T(utoipa::openapi::Schema::Object(object)) = &mut schema {
                    object.required = vec![$($required)?];
                    object.properties.insert("reason".to_owned(), $crate::dossier::reason_schema());
                    object.description = Some($text.to_owned());
                }
                schema
            }
        }

        impl utoipa::ToSchema for $patch {
            fn schemas(
                schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>,
            ) {
                <$body as utoipa::ToSchema>::schemas(schemas);
            }
        }
    };
}
pub(crate) use patch_schema;

/// Makes the schema of a page of a list.
macro_rules! page_schema {
    ($(#[$doc:meta])* $list:ident of $view:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $list {
            /// The items.
            pub items: Vec<$view>,
            /// The address of the next page; null on the last.
            pub next: Option<String>,
            /// How many items the whole list has; only with `count=true`.
            #[serde(skip_serializing_if = "Option::is_none", default)]
            pub total: Option<i64>,
        }
    };
}
pub(crate) use page_schema;

/// The columns that every list of these ends with.
pub(crate) const STAMP: [Column; 3] =
    [Column("version", "/version"), Column("createdAt", "/createdAt"), Column("modifiedAt", "/modifiedAt")];

/// When what an item names appears to the public or vanishes, so does the link to it: copies and caches of the item are out of
/// date though nothing was recorded of it. `facet` is where it names the other.
pub(crate) fn tell_those_that_name<D: Dossier>(
    tx: &mut Tx<'_>,
    facet: &'static str,
    named: impl ToString,
) -> Result<(), ApiError> {
    let naming = dossier::all::<D>(tx.reading(), &Filter::default().with(facet, [named]))?;
    for item in naming.into_iter().filter(|item| item.value.reach().is_public) {
        dossier::save(tx, &item.value, &item, "link", None)?;
    }
    Ok(())
}

/// Saves other items that follow from a change, each as a change of its own.
pub(crate) fn save_each<D: Dossier>(
    tx: &mut Tx<'_>,
    items: Vec<Stored<D>>,
    event: &'static str,
    reason: Option<&str>,
    change: impl Fn(D) -> Result<D, ApiError>,
) -> Result<(), ApiError> {
    for before in items {
        let changed = change(before.value.clone())?;
        if changed != before.value {
            dossier::save(tx, &changed, &before, event, reason.map(str::to_owned))?;
        }
    }
    Ok(())
}
