//! The reference tables over HTTP: councils, areas, neighbourhoods, clusters, themes, terms of office, term rules,
//! office holders, codes and the calendar.

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::advice::Reference;
use domain::calendar;
use domain::codes::{self, CodeLabel, CouncilKind};
use domain::council::Council;
use domain::ids::{AreaCode, CouncilCode, OfficeHolderId, TermRuleId};
use domain::office_holder::{OfficeHolder, OfficeHolderBody};
use domain::reference::{Area, Cluster, Neighbourhood, Obligation, TermOfOffice, Theme};
use domain::term::{self, TermExplanation, TermRule};
use persistence::registry::{self, Table};
use persistence::{AnyConnection, Stamp, Stored};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, Registry, supported_day};
use crate::clock::new_id;
use crate::csv::Column;
use crate::etag::{self, Version};
use crate::history::{self, KnownQuery, Then};
use crate::incoming::{Answer, Body, Call, Incoming};
use crate::paging::{self, CsvDialect, Format, Page, SmallListQuery};
use crate::problem::ApiError;

macro_rules! resource {
    ($(#[$doc:meta])* $view:ident($inner:ty), $(#[$list_doc:meta])* $list:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $view {
            /// The item itself.
            #[serde(flatten)]
            pub item: $inner,
            /// Numbers by which other systems know it (kenmerken).
            pub references: Vec<Reference>,
            /// Raised by one at each change.
            pub version: i64,
            /// When it was first recorded.
            pub created_at: DateTime<Utc>,
            /// When it was last changed.
            pub modified_at: DateTime<Utc>,
        }

        impl $view {
            #[allow(dead_code, reason = "two of the tables show more than they keep")]
            fn of(stored: &Stored<$inner>) -> Self {
                Self::with(stored.value.clone(), stored.stamp)
            }

            fn with(item: $inner, stamp: Stamp) -> Self {
                Self {
                    item,
                    references: Vec::new(),
                    version: stamp.version,
                    created_at: stamp.created_at,
                    modified_at: stamp.modified_at,
                }
            }
        }

        $(#[$list_doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $list {
            /// The items, in order of code.
            pub items: Vec<$view>,
            /// The address of the next page; null on the last.
            pub next: Option<String>,
            /// How many items the whole list has; only with `count=true`.
            #[serde(skip_serializing_if = "Option::is_none", default)]
            pub total: Option<i64>,
        }
    };
}

resource!(
    /// A council (wijkraad or dorpsraad) with its version.
    CouncilItem(Council),
    /// A page of councils.
    CouncilList
);
resource!(
    /// An area (gebied) with its version.
    AreaItem(Area),
    /// A page of areas.
    AreaList
);
resource!(
    /// A neighbourhood (CBS-buurt) with its version.
    NeighbourhoodItem(Neighbourhood),
    /// A page of neighbourhoods.
    NeighbourhoodList
);
resource!(
    /// A cluster of the organisation with its version.
    ClusterItem(Cluster),
    /// A page of clusters.
    ClusterList
);
resource!(
    /// A theme (thema) with its version.
    ThemeItem(Theme),
    /// A page of themes.
    ThemeList
);
resource!(
    /// A term of office (zittingsperiode) with its version.
    TermOfOfficeItem(TermOfOffice),
    /// A page of terms of office.
    TermOfOfficeList
);
resource!(
    /// An obligation (verplichting) with its version.
    ObligationItem(Obligation),
    /// A page of obligations.
    ObligationList
);
resource!(
    /// A term rule (termijnregel) with its version.
    TermRuleItem(TermRule),
    /// A page of term rules.
    TermRuleList
);
resource!(
    /// An office holder (bestuurder) with name and version.
    OfficeHolderItem(NamedOfficeHolder),
    /// A page of office holders.
    OfficeHolderList
);

/// An office holder with the name, which stands in one table that can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedOfficeHolder {
    /// The office and who holds it, by id.
    #[serde(flatten)]
    pub holder: OfficeHolder,
    /// The name; null once it was erased.
    pub name: Option<String>,
}

/// What every list can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Items on a page.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Where the page begins; take it from `next`.
    #[param(required = false, min_length = 1, max_length = 2000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// Whether to count the whole list into `total`.
    #[param(required = false)]
    count: Option<bool>,
    /// Changed at or after this moment.
    #[param(required = false)]
    modified_since: Option<DateTime<Utc>>,
    /// JSON or CSV; without it `Accept` decides.
    #[param(required = false)]
    format: Option<Format>,
    /// The dialect of CSV; it implies `format=csv`.
    #[param(required = false)]
    csv: Option<CsvDialect>,
}

impl From<ListQuery> for SmallListQuery {
    fn from(query: ListQuery) -> Self {
        let ListQuery { limit, cursor, count, modified_since, format, csv } = query;
        Self { limit, cursor, count, modified_since, format, csv }
    }
}

/// What the list of councils can be asked beside that.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct CouncilQuery {
    /// Names and neighbourhoods as they were on this day; as they are today when left out.
    #[param(required = false)]
    on: Option<NaiveDate>,
    /// The council that has this neighbourhood (CBS-buurtcode) on that day.
    #[param(required = false, pattern = "^BU[0-9]{8}$", example = "BU05990110")]
    buurt: Option<String>,
    /// Called so, now or before, in any spelling that was seen.
    #[param(required = false, min_length = 1, max_length = 200)]
    name: Option<String>,
    /// In this area (gebied).
    #[param(required = false)]
    area: Option<AreaCode>,
    /// Wijkraad or dorpsraad.
    #[param(required = false)]
    kind: Option<CouncilKind>,
    /// The council of a postal code. No table of postal codes is imported here, so this is always refused.
    #[param(required = false, max_length = 10)]
    postcode: Option<String>,
}

const STAMP: [Column; 3] =
    [Column("version", "/version"), Column("createdAt", "/createdAt"), Column("modifiedAt", "/modifiedAt")];

/// A whole table as a list: taken from the registry, shown, paged.
async fn small_list<T: Serialize + Send + 'static>(
    call: Call,
    query: SmallListQuery,
    columns: &[Column],
    rows: impl FnOnce(&Registry) -> Result<Vec<(String, DateTime<Utc>, T)>, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let style = paging::wanted(&call, query.format, query.csv)?;
    let app = call.app.clone();
    let rows = app.read(move |app, connection| rows(&*app.registry(connection)?)).await?;
    let page = paging::page_of(&call, rows, &query)?;
    let columns: Vec<Column> = columns.iter().chain(&STAMP).copied().collect();
    paging::answer(&call, &app.public_url, page, &columns, style)
}

/// One row of a table.
async fn small_item<T: Serialize + Send + 'static>(
    call: Call,
    find: impl FnOnce(&Registry) -> Option<(i64, T)> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    paging::accepted(&call, &["application/json"])?;
    let found = call.app.read(move |app, connection| Ok(find(&*app.registry(connection)?))).await?;
    let (version, item) = found.ok_or(ApiError::NotFound)?;
    paging::item(&call, etag::of_version(version), &item)
}

macro_rules! table {
    ($list_fn:ident, $list_id:literal, $item_fn:ident, $item_id:literal, $path:literal, $item_path:literal, $key:literal,
     $table:expr, $view:ident, $list:ident, $field:ident, $code:expr, $title:literal, $one:literal, [$($column:expr),*]) => {
        #[doc = $title]
        #[utoipa::path(get, path = $path, operation_id = $list_id, tag = "reference", params(ListQuery),
            responses((status = 200, description = "A page of the table.", content(
                ($list = "application/json"), (String = "text/csv")))),
            security((), ("bearer" = [])))]
        pub async fn $list_fn(incoming: Incoming) -> Result<HttpResponse, ApiError> {
            let call = incoming.call($list_id).await?;
            let query: ListQuery = call.query()?;
            small_list(call, query.into(), &[$($column),*], |registry| {
                let code: fn(&$view) -> String = $code;
                Ok(registry.$field.iter().map(|stored| {
                    let item = $view::of(stored);
                    (code(&item), stored.stamp.modified_at, item)
                }).collect())
            })
            .await
        }

        #[doc = $one]
        #[utoipa::path(get, path = $item_path, operation_id = $item_id, tag = "reference",
            params(($key = String, Path, description = "Its code or id."), KnownQuery),
            responses((status = 200, description = "The item.", body = $view)),
            security((), ("bearer" = [])))]
        pub async fn $item_fn(incoming: Incoming) -> Result<HttpResponse, ApiError> {
            let call = incoming.call($item_id).await?;
            let (call, wanted) = match row_then(call, $table, $key).await? {
                Read::Known(answer) => return Ok(answer),
                Read::Now(call, code) => (*call, code),
            };
            small_item(call, move |registry| {
                let code: fn(&$view) -> String = $code;
                registry.$field.iter().map($view::of).find(|item| code(item) == wanted).map(|item| (item.version, item))
            })
            .await
        }
    };
}

table!(
    list_areas,
    "listAreas",
    get_area,
    "getArea",
    "/areas",
    "/areas/{code}",
    "code",
    Table::Area,
    AreaItem,
    AreaList,
    areas,
    |item| item.item.code.to_string(),
    "The 14 areas (gebieden).",
    "One area (gebied).",
    [Column("code", "/code"), Column("name", "/name")]
);
table!(
    list_neighbourhoods,
    "listNeighbourhoods",
    get_neighbourhood,
    "getNeighbourhood",
    "/neighbourhoods",
    "/neighbourhoods/{code}",
    "code",
    Table::Neighbourhood,
    NeighbourhoodItem,
    NeighbourhoodList,
    neighbourhoods,
    |item| item.item.code.clone(),
    "The 91 neighbourhoods (CBS-buurten); 14 of them have no council.",
    "One neighbourhood (CBS-buurt).",
    [
        Column("code", "/code"),
        Column("name", "/name"),
        Column("wijkCode", "/wijkCode"),
        Column("area", "/area"),
        Column("portArea", "/portArea"),
        Column("council", "/council"),
        Column("doubtful", "/doubtful")
    ]
);
table!(
    list_clusters,
    "listClusters",
    get_cluster,
    "getCluster",
    "/clusters",
    "/clusters/{code}",
    "code",
    Table::Cluster,
    ClusterItem,
    ClusterList,
    clusters,
    |item| item.item.code.to_string(),
    "The clusters of the municipal organisation.",
    "One cluster.",
    [Column("code", "/code"), Column("name", "/name")]
);
table!(
    list_themes,
    "listThemes",
    get_theme,
    "getTheme",
    "/themes",
    "/themes/{code}",
    "code",
    Table::Theme,
    ThemeItem,
    ThemeList,
    themes,
    |item| item.item.code.to_string(),
    "The themes (thema's).",
    "One theme (thema).",
    [Column("code", "/code"), Column("dutch", "/dutch"), Column("english", "/english")]
);
table!(
    list_terms_of_office,
    "listTermsOfOffice",
    get_term_of_office,
    "getTermOfOffice",
    "/terms-of-office",
    "/terms-of-office/{code}",
    "code",
    Table::TermOfOffice,
    TermOfOfficeItem,
    TermOfOfficeList,
    terms_of_office,
    |item| item.item.code.clone(),
    "The terms of office (zittingsperioden) of the councils.",
    "One term of office (zittingsperiode).",
    [Column("code", "/code"), Column("from", "/from"), Column("to", "/to")]
);
table!(
    list_obligations,
    "listObligations",
    get_obligation,
    "getObligation",
    "/obligations",
    "/obligations/{code}",
    "code",
    Table::Obligation,
    ObligationItem,
    ObligationList,
    obligations,
    |item| item.item.code.clone(),
    "Obligations (verplichtingen) and the day from which each holds, such as the one to make a participation plan.",
    "One obligation (verplichting).",
    [
        Column("code", "/code"),
        Column("from", "/from"),
        Column("ground", "/ground"),
        Column("status", "/status")
    ]
);
table!(
    list_term_rules,
    "listTermRules",
    get_term_rule,
    "getTermRule",
    "/term-rules",
    "/term-rules/{id}",
    "id",
    Table::TermRule,
    TermRuleItem,
    TermRuleList,
    term_rules,
    |item| item.item.id.to_string(),
    "The term rules (termijnregels): how many days, counted how, valid from when, on what ground.",
    "One term rule (termijnregel).",
    [
        Column("id", "/id"),
        Column("appliesTo", "/appliesTo"),
        Column("days", "/days"),
        Column("unit", "/unit"),
        Column("kinds", "/kinds"),
        Column("levels", "/levels"),
        Column("dueSoonDays", "/dueSoonDays"),
        Column("veryLateDays", "/veryLateDays"),
        Column("validFrom", "/validFrom"),
        Column("validTo", "/validTo"),
        Column("ground", "/ground"),
        Column("status", "/status")
    ]
);

/// The councils: 37 wijkraden and 2 dorpsraden, with their names and neighbourhoods as they are or were on a day.
#[utoipa::path(get, path = "/councils", operation_id = "listCouncils", tag = "reference", params(ListQuery, CouncilQuery),
    responses((status = 200, description = "A page of councils.", content(
        (CouncilList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_councils(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listCouncils").await?;
    let (page, query): (ListQuery, CouncilQuery) = (call.query()?, call.query()?);
    let CouncilQuery { on, buurt, name, area, kind, postcode } = query;
    if postcode.is_some() {
        let detail = "no table of postal codes is imported here; ask by buurt or by name";
        return Err(ApiError::invalid("query", "postcode", "not_imported", detail));
    }
    let on = supported_day(on, call.today())?;
    let columns = [
        Column("code", "/code"),
        Column("name", "/name"),
        Column("kind", "/kind"),
        Column("area", "/area"),
        Column("neighbourhoods", "/neighbourhoods/*/code"),
        Column("names", "/names/*/name"),
    ];
    small_list(call, page.into(), &columns, move |registry| {
        if area.as_ref().is_some_and(|area| registry.councils_of(area).is_none()) {
            return Err(ApiError::invalid(
                "query",
                "area",
                "unknown",
                "is not the code of an area; see /v1/areas",
            ));
        }
        Ok(registry
            .councils
            .iter()
            .filter(|stored| name.as_ref().is_none_or(|name| stored.value.is_called(name)))
            .filter(|stored| area.as_ref().is_none_or(|area| stored.value.area == *area))
            .filter(|stored| kind.is_none_or(|kind| stored.value.kind == kind))
            .filter_map(|stored| stored.value.as_on(on).map(|council| (stored, council)))
            .filter(|(_, council)| {
                buurt
                    .as_ref()
                    .is_none_or(|buurt| council.neighbourhoods.iter().any(|known| known.code == *buurt))
            })
            .map(|(stored, council)| {
                (council.code.to_string(), stored.stamp.modified_at, CouncilItem::with(council, stored.stamp))
            })
            .collect())
    })
    .await
}

/// The day on which names and neighbourhoods are asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct CouncilOnQuery {
    /// Names and neighbourhoods as they were on this day; with the whole history when left out.
    #[param(required = false)]
    on: Option<NaiveDate>,
}

/// One council, with its dated names and every spelling that was seen.
#[utoipa::path(get, path = "/councils/{code}", operation_id = "getCouncil", tag = "reference",
    params(("code" = CouncilCode, Path, description = "Its code."), CouncilOnQuery, KnownQuery),
    responses((status = 200, description = "The council.", body = CouncilItem)),
    security((), ("bearer" = [])))]
pub async fn get_council(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getCouncil").await?;
    let as_known = history::is_asked(&call)?;
    let code = council_code(&call)?;
    let (query, known): (CouncilOnQuery, KnownQuery) = (call.query()?, call.query()?);
    let on = match query.on {
        Some(on) => Some(supported_day(Some(on), on)?),
        None => None,
    };
    if let Some(known_at) = known.known_at.filter(|_| as_known) {
        let show = move |app: &App, connection: &mut AnyConnection, thens: &[Then]| {
            then(app, connection, Table::Council, on, thens)
        };
        return history::known(call, Table::Council.as_str(), code.to_string(), known_at, None, show).await;
    }
    small_item(call, move |registry| {
        let stored = registry.council(&code)?;
        let council = match on {
            Some(on) => stored.value.as_on(on)?,
            None => stored.value.clone(),
        };
        Some((stored.stamp.version, CouncilItem::with(council, stored.stamp)))
    })
    .await
}

/// The day of receipt to try.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct CalculationQuery {
    /// The day of receipt (ontvangstdatum): day 0.
    received_on: Option<NaiveDate>,
}

/// What a term rule would make of a day of receipt: a pure what-if, explained line by line.
#[utoipa::path(get, path = "/term-rules/{id}/calculation", operation_id = "calculateTerm", tag = "reference",
    params(("id" = Uuid, Path, description = "The id of the term rule."),
        ("receivedOn" = NaiveDate, Query, description = "The day of receipt (ontvangstdatum): day 0.")),
    responses((status = 200, description = "The term.", body = TermExplanation)),
    security((), ("bearer" = [])))]
pub async fn calculate_term(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("calculateTerm").await?;
    let id = TermRuleId(call.path_id("id")?);
    let query: CalculationQuery = call.query()?;
    let Some(received_on) = query.received_on else {
        return Err(ApiError::invalid("query", "receivedOn", "required", "is mandatory"));
    };
    if !calendar::is_supported(received_on) {
        let (first, last) = (calendar::FIRST_DAY, calendar::LAST_DAY);
        return Err(ApiError::invalid(
            "query",
            "receivedOn",
            "date.range",
            format!("must lie from {first} to {last}"),
        ));
    }
    small_item(call, move |registry| {
        let rule = registry.term_rules.iter().find(|rule| rule.value.id == id)?;
        Some((rule.stamp.version, term::calculation(&rule.value, received_on)))
    })
    .await
}

/// A term rule to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TermRuleBody {
    /// On what it puts a term; the answer to an advice when left out.
    #[serde(default)]
    pub applies_to: domain::codes::TermSubject,
    /// How many days; null where no norm applies.
    #[schema(minimum = 1, maximum = 1000)]
    pub days: Option<u16>,
    /// Calendar days or working days.
    pub unit: domain::codes::DayUnit,
    /// For these kinds of advice; empty for all.
    #[serde(default)]
    #[schema(max_items = 6)]
    pub kinds: Vec<domain::codes::AdviceKind>,
    /// For these levels; empty for all.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub levels: Vec<domain::codes::Level>,
    /// `due_soon` from this many days before the deadline.
    #[schema(maximum = 1000)]
    pub due_soon_days: u16,
    /// `very_late` from this many days over it.
    #[schema(maximum = 1000)]
    pub very_late_days: u16,
    /// First day of receipt to which it applies.
    pub valid_from: NaiveDate,
    /// Last day of receipt to which it applies.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
    /// The legal ground (grondslag): article, decision or letter.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub ground: String,
    /// Adopted, or an assumption.
    pub status: domain::codes::RuleStatus,
}

/// Adds a term rule. It touches only what is received from its first day on (rule 5).
#[utoipa::path(post, path = "/term-rules", operation_id = "addTermRule", tag = "reference", request_body = TermRuleBody,
    responses((status = 201, description = "The term rule.", body = TermRuleItem)),
    security(("bearer" = ["registry:write"])))]
pub async fn add_term_rule(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addTermRule").await?;
    call.no_query()?;
    let body: Body<TermRuleBody> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let id = TermRuleId(new_id());
    let answer = app
        .write(actor, now, move |_, tx| {
            writing.run(tx, None, |tx, body, _, _| {
                let TermRuleBody {
                    applies_to,
                    days,
                    unit,
                    kinds,
                    levels,
                    due_soon_days,
                    very_late_days,
                    valid_from,
                    valid_to,
                    ground,
                    status,
                } = body;
                let rule = TermRule {
                    id,
                    applies_to,
                    days,
                    unit,
                    kinds,
                    levels,
                    due_soon_days,
                    very_late_days,
                    valid_from,
                    valid_to,
                    ground,
                    status,
                };
                rule.check()?;
                let stamp = registry::add(tx, Table::TermRule, &id.to_string(), &rule, "addition")?;
                let item = TermRuleItem::with(rule, stamp);
                let answer = Answer::json(201, Some(etag::of_version(item.version)), &item)?;
                Ok(answer.at(format!("/v1/term-rules/{id}")))
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// A change of an obligation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObligationPatch {
    /// First day: it holds for what began on it or later.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// The legal ground (grondslag).
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub ground: Option<String>,
    /// On what it rests.
    #[serde(default)]
    pub status: Option<domain::codes::RuleStatus>,
    /// Why it changes (reden), for the journal.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// Changes an obligation: its first day once an ordinance fixes it, its ground, its status. Figures of what was known before keep
/// the day that was known.
#[utoipa::path(patch, path = "/obligations/{code}", operation_id = "changeObligation", tag = "reference",
    params(("code" = String, Path, description = "Its code.")),
    request_body(content = ObligationPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The obligation.", body = ObligationItem)),
    security(("bearer" = ["registry:write"])))]
pub async fn change_obligation(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changeObligation").await?;
    let code = call.path_text("code");
    call.no_query()?;
    let body = call.patch().and_then(|value| call.check::<ObligationPatch>(value));
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |_, tx| {
            let before: Stored<Obligation> =
                registry::find(tx.reading(), Table::Obligation, &code)?.ok_or(ApiError::NotFound)?;
            let version = Version { number: before.stamp.version, view: None };
            writing.run(tx, Some(version), |tx, ObligationPatch { from, ground, status, reason }, _, _| {
                let Obligation { code, from: was, ground: had, status: stood } = before.value;
                let from = from.unwrap_or(was);
                if !calendar::is_supported(from) {
                    return Err(ApiError::invalid(
                        "body",
                        "/from",
                        "date.range",
                        "lies outside the calendar",
                    ));
                }
                let (ground, status) = (ground.unwrap_or(had), status.unwrap_or(stood));
                let changed = Obligation { code, from, ground, status };
                let (table, code) = (Table::Obligation, &changed.code);
                let stamp =
                    registry::save_because(tx, table, code, &changed, before.stamp, "change", Some(reason))?;
                let item = ObligationItem::with(changed, stamp);
                Answer::json(200, Some(etag::of_version(item.version)), &item)
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// The end of a term rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TermRuleEnd {
    /// Last day of receipt to which it applies. What was received before keeps the rule that was frozen then.
    pub valid_to: NaiveDate,
    /// Why it ends, or ends on another day (reden), for the journal.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// Ends a term rule, so that another can take its place. Nothing that was received already changes (rule 5).
#[utoipa::path(patch, path = "/term-rules/{id}", operation_id = "endTermRule", tag = "reference",
    params(("id" = Uuid, Path, description = "The id of the term rule.")),
    request_body(content = TermRuleEnd, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The term rule.", body = TermRuleItem)),
    security(("bearer" = ["registry:write"])))]
pub async fn end_term_rule(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("endTermRule").await?;
    let id = call.path_id("id")?.to_string();
    call.no_query()?;
    let body = call.patch().and_then(|value| call.check::<TermRuleEnd>(value));
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |_, tx| {
            let before: Stored<TermRule> =
                registry::find(tx.reading(), Table::TermRule, &id)?.ok_or(ApiError::NotFound)?;
            let version = Version { number: before.stamp.version, view: None };
            writing.run(tx, Some(version), |tx, TermRuleEnd { valid_to, reason }, _, _| {
                let ended = TermRule { valid_to: Some(valid_to), ..before.value };
                ended.check()?;
                let (table, before) = (Table::TermRule, before.stamp);
                let stamp = registry::save_because(tx, table, &id, &ended, before, "end", Some(reason))?;
                let item = TermRuleItem::with(ended, stamp);
                Answer::json(200, Some(etag::of_version(item.version)), &item)
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

fn named(registry: &Registry, stored: &Stored<OfficeHolder>) -> OfficeHolderItem {
    let name = registry.names.get(&stored.value.id.to_string()).cloned();
    OfficeHolderItem::with(NamedOfficeHolder { holder: stored.value.clone(), name }, stored.stamp)
}

/// The office holders (bestuurders) who answer advice.
#[utoipa::path(get, path = "/office-holders", operation_id = "listOfficeHolders", tag = "reference", params(ListQuery),
    responses((status = 200, description = "A page of office holders.", content(
        (OfficeHolderList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_office_holders(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listOfficeHolders").await?;
    let query: ListQuery = call.query()?;
    let columns = [
        Column("id", "/id"),
        Column("name", "/name"),
        Column("office", "/office"),
        Column("portfolio", "/portfolio"),
        Column("from", "/from"),
        Column("to", "/to"),
    ];
    small_list(call, query.into(), &columns, |registry| {
        Ok(registry
            .office_holders
            .iter()
            .map(|stored| (stored.value.id.to_string(), stored.stamp.modified_at, named(registry, stored)))
            .collect())
    })
    .await
}

/// One office holder (bestuurder).
#[utoipa::path(get, path = "/office-holders/{id}", operation_id = "getOfficeHolder", tag = "reference",
    params(("id" = Uuid, Path, description = "The id of the office holder."), KnownQuery),
    responses((status = 200, description = "The office holder.", body = OfficeHolderItem)),
    security((), ("bearer" = [])))]
pub async fn get_office_holder(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getOfficeHolder").await?;
    let (call, id) = match row_then(call, Table::OfficeHolder, "id").await? {
        Read::Known(answer) => return Ok(answer),
        Read::Now(call, id) => (*call, id),
    };
    small_item(call, move |registry| {
        let stored = registry.office_holders.iter().find(|stored| stored.value.id.to_string() == id)?;
        Some((stored.stamp.version, named(registry, stored)))
    })
    .await
}

/// Adds an office holder. The name goes into the one table that can be erased; the journal knows the id.
#[utoipa::path(post, path = "/office-holders", operation_id = "addOfficeHolder", tag = "reference", request_body = OfficeHolderBody,
    responses((status = 201, description = "The office holder.", body = OfficeHolderItem)),
    security(("bearer" = ["registry:write"])))]
pub async fn add_office_holder(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addOfficeHolder").await?;
    call.no_query()?;
    let body: Body<OfficeHolderBody> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let id = OfficeHolderId(new_id());
    let answer = app
        .write(actor, now, move |_, tx| {
            writing.run(tx, None, |tx, body, _, _| {
                let OfficeHolderBody { name, office, portfolio, from, to } = body;
                if let (Some(from), Some(to)) = (from, to)
                    && to < from
                {
                    return Err(ApiError::invalid("body", "/to", "date.order", "lies before the first day"));
                }
                domain::office_holder::check_office(&office)?;
                let holder = OfficeHolder { id, office: Some(office), portfolio, from, to };
                let stamp = registry::add(tx, Table::OfficeHolder, &id.to_string(), &holder, "addition")?;
                registry::name_person(tx, &id.to_string(), &name)?;
                let item = OfficeHolderItem::with(NamedOfficeHolder { holder, name: Some(name) }, stamp);
                let answer = Answer::json(201, Some(etag::of_version(item.version)), &item)?;
                Ok(answer.at(format!("/v1/office-holders/{id}")))
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// Why a name is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Erasure {
    /// On what ground (reden), for the journal; without the name itself.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// Erases the name of an office holder (GDPR, article 17). The office stays, and what was done in it.
///
/// The name is gone from every answer at once, history and advice included; the advice that named it comes in the feed again, without it.
/// Copies that others made, and backups made before, still hold it.
#[utoipa::path(post, path = "/office-holders/{id}/erasure", operation_id = "eraseOfficeHolder", tag = "reference",
    params(("id" = Uuid, Path, description = "The id of the office holder.")), request_body = Erasure,
    responses((status = 200, description = "The office holder, without a name.", body = OfficeHolderItem)),
    security(("bearer" = ["registry:write"])))]
pub async fn erase_office_holder(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("eraseOfficeHolder").await?;
    let id = OfficeHolderId(call.path_id("id")?);
    call.no_query()?;
    let body: Body<Erasure> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |_, tx| {
            let code = id.to_string();
            let before: Stored<OfficeHolder> =
                registry::find(tx.reading(), Table::OfficeHolder, &code)?.ok_or(ApiError::NotFound)?;
            let version = Version { number: before.stamp.version, view: None };
            writing.run(tx, Some(version), |tx, Erasure { reason }, _, _| {
                if !registry::erase_name(tx, &code)? {
                    return Err(ApiError::Conflict(
                        "erased",
                        "There is no name to erase any more.".to_owned(),
                    ));
                }
                let (table, holder) = (Table::OfficeHolder, before.value);
                let stamp =
                    registry::save_because(tx, table, &code, &holder, before.stamp, "erasure", Some(reason))?;
                for advice in persistence::advice::of_portfolio_holder(tx, id)? {
                    persistence::advice::save_as_seen_anew(tx, &advice)?;
                }
                let item = OfficeHolderItem::with(NamedOfficeHolder { holder, name: None }, stamp);
                Answer::json(200, Some(etag::of_version(item.version)), &item)
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// A page of codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeList {
    /// The codes, list by list.
    pub items: Vec<CodeLabel>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
    /// How many items the whole list has; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<i64>,
}

/// Every code of every closed list, with its Dutch and English label.
#[utoipa::path(get, path = "/codes", operation_id = "listCodes", tag = "reference", params(ListQuery),
    responses((status = 200, description = "A page of codes.", content(
        (CodeList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_codes(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listCodes").await?;
    let query: ListQuery = call.query()?;
    let columns = [
        Column("list", "/list"),
        Column("code", "/code"),
        Column("dutch", "/dutch"),
        Column("english", "/english"),
    ];
    let query = SmallListQuery::from(query);
    let style = paging::wanted(&call, query.format, query.csv)?;
    let rows = codes::all()
        .into_iter()
        .enumerate()
        .map(|(place, label)| (format!("{place:04}"), DateTime::UNIX_EPOCH, label))
        .collect();
    let page = paging::page_of(&call, rows, &query)?;
    paging::answer(&call, &call.app.public_url, page, &columns, style)
}

/// A public holiday (erkende feestdag).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HolidayItem {
    /// The day.
    pub on: NaiveDate,
    /// Its Dutch name.
    pub dutch: String,
    /// Its English name.
    pub english: String,
    /// The rule by which it falls on that day.
    pub ground: String,
}

/// Public holidays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HolidayList {
    /// The holidays, in order.
    pub items: Vec<HolidayItem>,
    /// Always null: the holidays of a year stand on one page.
    pub next: Option<String>,
}

/// The year.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct CalendarQuery {
    /// The year; this year when left out.
    #[param(required = false, minimum = 1900, maximum = 2200)]
    year: Option<i32>,
    /// JSON or CSV; without it `Accept` decides.
    #[param(required = false)]
    format: Option<Format>,
    /// The dialect of CSV; it implies `format=csv`.
    #[param(required = false)]
    csv: Option<CsvDialect>,
}

/// The public holidays (erkende feestdagen) of a year, on which no term ends.
#[utoipa::path(get, path = "/calendar", operation_id = "listHolidays", tag = "reference", params(CalendarQuery),
    responses((status = 200, description = "The holidays.", content(
        (HolidayList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_holidays(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listHolidays").await?;
    let query: CalendarQuery = call.query()?;
    let style = paging::wanted(&call, query.format, query.csv)?;
    let year = query.year.unwrap_or_else(|| chrono::Datelike::year(&call.today()));
    let items = calendar::holidays(year)
        .into_iter()
        .map(|holiday| {
            paging::to_value(&HolidayItem {
                on: holiday.on,
                dutch: holiday.dutch.to_owned(),
                english: holiday.english.to_owned(),
                ground: holiday.ground.to_owned(),
            })
        })
        .collect::<Result<_, _>>()?;
    let columns = [
        Column("on", "/on"),
        Column("dutch", "/dutch"),
        Column("english", "/english"),
        Column("ground", "/ground"),
    ];
    paging::answer(&call, &call.app.public_url, Page { items, next: None, total: None }, &columns, style)
}

/// A row of a list that could not be placed, kept until it is (niet-plaatsbare rij).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnplacedRow {
    /// The kind of file that it stands in, such as `raad` or `agreements`.
    pub source: String,
    /// The address of the row, or what else it is known by.
    pub row: String,
    /// The row as it was read.
    pub text: String,
    /// Why it could not be placed; null once it was.
    pub reason: Option<String>,
}

resource!(
    /// A row that could not be placed, with its version.
    UnplacedRowItem(UnplacedRow),
    /// A page of rows that could not be placed.
    UnplacedRowList
);

/// Rows of files that an import could not place, with the reason; nothing is dropped silently.
#[utoipa::path(get, path = "/unplaced-rows", operation_id = "listUnplacedRows", tag = "reference", params(ListQuery),
    responses((status = 200, description = "A page of rows.", content(
        (UnplacedRowList = "application/json"), (String = "text/csv")))),
    security(("bearer" = ["import"])))]
pub async fn list_unplaced_rows(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listUnplacedRows").await?;
    let query: SmallListQuery = call.query::<ListQuery>()?.into();
    let style = paging::wanted(&call, query.format, query.csv)?;
    let app = call.app.clone();
    let rows = app
        .read(|_, connection| {
            let rows: Vec<Stored<UnplacedRow>> = registry::all(connection, Table::UnplacedRow)?;
            Ok(rows)
        })
        .await?;
    let rows = rows
        .iter()
        .filter(|stored| stored.value.reason.is_some())
        .map(|stored| {
            let item = UnplacedRowItem::of(stored);
            (
                format!("{} {}", item.item.source, item.item.row.chars().take(600).collect::<String>()),
                stored.stamp.modified_at,
                item,
            )
        })
        .collect();
    let page = paging::page_of(&call, rows, &query)?;
    let columns = [
        Column("source", "/source"),
        Column("row", "/row"),
        Column("text", "/text"),
        Column("reason", "/reason"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];
    paging::answer(&call, &app.public_url, page, &columns, style)
}

/// The code or id of a row in the path, as far as its form can be wrong.
pub(crate) fn code_of(call: &Call, table: Table, key: &str) -> Result<String, ApiError> {
    match table {
        Table::Council => Ok(council_code(call)?.to_string()),
        _ if key == "id" => Ok(call.path_id(key)?.to_string()),
        _ => Ok(call.path_text(key)),
    }
}

fn council_code(call: &Call) -> Result<CouncilCode, ApiError> {
    call.path_text("code").parse().map_err(|_| {
        ApiError::invalid(
            "path",
            "code",
            "code.format",
            "expected lower-case letters and digits, joined by hyphens",
        )
    })
}

/// Shows a row of a table as it was at entries of the journal; of a council on a day, where one is given.
pub(crate) fn then(
    app: &App,
    connection: &mut AnyConnection,
    table: Table,
    on: Option<NaiveDate>,
    thens: &[Then],
) -> Result<Vec<serde_json::Value>, ApiError> {
    let registry = app.registry(connection)?;
    macro_rules! each {
        ($show:expr) => {
            thens.iter().map(|then| paging::to_value(&$show(registry::read(table, &then.entry)?))).collect()
        };
    }
    match table {
        Table::Council => thens
            .iter()
            .map(|then| {
                let Stored { value, stamp } = registry::read::<Council>(table, &then.entry)?;
                let council = match on {
                    Some(on) => value.as_on(on).ok_or(ApiError::NotFound)?,
                    None => value,
                };
                paging::to_value(&CouncilItem::with(council, stamp))
            })
            .collect(),
        Table::Area => each!(|stored| AreaItem::of(&stored)),
        Table::Neighbourhood => each!(|stored| NeighbourhoodItem::of(&stored)),
        Table::Cluster => each!(|stored| ClusterItem::of(&stored)),
        Table::Theme => each!(|stored| ThemeItem::of(&stored)),
        Table::TermOfOffice => each!(|stored| TermOfOfficeItem::of(&stored)),
        Table::TermRule => each!(|stored| TermRuleItem::of(&stored)),
        Table::OfficeHolder => each!(|stored| named(&registry, &stored)),
        Table::Obligation => each!(|stored| ObligationItem::of(&stored)),
        Table::UnplacedRow => each!(|stored| UnplacedRowItem::of(&stored)),
    }
}

/// A row as it was known at a moment, where the caller asks so; else gives the call back, for the row as it now is.
async fn row_then(call: Call, table: Table, key: &'static str) -> Result<Read, ApiError> {
    let as_known = history::is_asked(&call)?;
    let code = code_of(&call, table, key)?;
    let query: KnownQuery = call.query()?;
    let Some(known_at) = query.known_at.filter(|_| as_known) else {
        return Ok(Read::Now(Box::new(call), code));
    };
    let show = move |app: &App, connection: &mut AnyConnection, thens: &[Then]| {
        then(app, connection, table, None, thens)
    };
    history::known(call, table.as_str(), code, known_at, None, show).await.map(Read::Known)
}

/// What [`row_then`] makes of a call.
enum Read {
    /// The row as it was known.
    Known(HttpResponse),
    /// The row as it now is is asked for, by this code.
    Now(Box<Call>, String),
}

/// Shows a row of a reference table as the feed gives it; none where the feed has no such table.
pub fn show(
    table: &str,
    code: &str,
    snapshot: &str,
    stamp: Stamp,
    registry: &Registry,
) -> Result<Option<serde_json::Value>, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Snapshot {
        created_at: DateTime<Utc>,
        item: serde_json::Value,
    }
    let Snapshot { created_at, mut item } =
        serde_json::from_str(snapshot).map_err(|error| ApiError::Internal(error.to_string()))?;
    if table == Table::UnplacedRow.as_str() {
        return Ok(None);
    }
    if table == Table::OfficeHolder.as_str() {
        item["name"] = registry.names.get(code).cloned().into();
    }
    item["references"] = serde_json::json!([]);
    item["version"] = stamp.version.into();
    item["createdAt"] = paging::to_value(&created_at)?;
    item["modifiedAt"] = paging::to_value(&stamp.modified_at)?;
    Ok(Some(item))
}
