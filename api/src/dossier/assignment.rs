//! Who supports a council (toewijzingen) over HTTP. Positions are not public; a council shows its wijkwethouder and the roles.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use domain::access::Scope;
use domain::assignment::{AIM_COUNCILS_PER_COORDINATOR, Assignment, AssignmentBody, coordinators_on};
use domain::codes::AssignmentRole;
use domain::council::{Council, CouncilAssignment};
use domain::ids::{AssignmentId, CouncilCode};
use persistence::dossier::{self as storage, Filter};
use persistence::registry::{self, Table};
use persistence::{Stored, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Names, On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::{self, KnownQuery};
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// An assignment (toewijzing) as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Assignment)]
pub struct AssignmentView {
    /// Its id.
    pub id: AssignmentId,
    /// The assignment itself.
    #[serde(flatten)]
    pub text: AssignmentBody,
    /// Numbers by which other systems know it (kenmerken).
    pub references: Vec<domain::advice::Reference>,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

/// A new assignment, with what is not as aimed for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewAssignment {
    /// The assignment.
    #[serde(flatten)]
    pub assignment: AssignmentView,
    /// What is not as aimed for; nothing is refused for it.
    pub warnings: Vec<Warning>,
}

/// Something to know that is no error (waarschuwing).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// A stable code.
    #[schema(example = "coordinator-over-aim")]
    pub code: String,
    /// What is the matter.
    pub detail: String,
}

page_schema!(
    /// A page of assignments, in order of id.
    AssignmentList of AssignmentView
);

impl Show for Assignment {
    type View = AssignmentView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("council", "/council"),
        Column("role", "/role"),
        Column("officeHolder", "/officeHolder"),
        Column("position", "/position"),
        Column("from", "/from"),
        Column("to", "/to"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, _: On) -> AssignmentView {
        let Stored { value: Assignment { id, text }, stamp } = stored;
        let (version, created_at, modified_at) = (stamp.version, stamp.created_at, stamp.modified_at);
        AssignmentView { id, text, references: Vec::new(), version, created_at, modified_at }
    }
}

/// What a list of assignments can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AssignmentQuery {
    /// To one of these councils.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    council: Option<Vec<CouncilCode>>,
    /// In this role.
    #[param(required = false)]
    role: Option<AssignmentRole>,
}

/// Assignments of persons and positions to councils (toewijzingen).
#[utoipa::path(get, path = "/assignments", operation_id = "listAssignments", tag = "support",
    params(ListQuery, AssignmentQuery),
    responses((status = 200, description = "A page of assignments.", content(
        (AssignmentList = "application/json"), (String = "text/csv")))),
    security(("bearer" = ["registry:write"]), ("bearer" = ["internal:read"])))]
pub async fn list_assignments(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listAssignments").await?;
    let (page, query): (ListQuery, AssignmentQuery) = (call.query()?, call.query()?);
    let filter =
        Filter::default().with("council", query.council.unwrap_or_default()).with("role", query.role);
    super::list::<Assignment>(call, page.into(), filter).await
}

/// One assignment. The scope `audit:read` opens it as it was known at `knownAt` only.
#[utoipa::path(get, path = "/assignments/{id}", operation_id = "getAssignment", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the assignment."), KnownQuery),
    responses((status = 200, description = "The assignment.", body = AssignmentView)),
    security(("bearer" = ["registry:write"]), ("bearer" = ["internal:read"]), ("bearer" = ["audit:read"])))]
pub async fn get_assignment(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getAssignment").await?;
    if !history::is_asked(&call)? {
        history::needs(&call, &[Scope::RegistryWrite, Scope::InternalRead])?;
    }
    super::item::<Assignment>(call).await
}

/// Assigns a person or a position to a council. More than two councils for one coordinator gives a warning: the letter of 22 April
/// 2025 calls it an aim.
#[utoipa::path(post, path = "/assignments", operation_id = "addAssignment", tag = "support", request_body = AssignmentBody,
    responses((status = 201, description = "The assignment, with warnings.", body = NewAssignment)),
    security(("bearer" = ["registry:write"])))]
pub async fn add_assignment(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addAssignment").await?;
    super::add_with(
        call,
        "/assignments",
        |context, body: AssignmentBody| {
            Names::of(context.registry)
                .council("/council", &body.council)
                .office_holder("/officeHolder", body.office_holder)
                .done()?;
            let assignment = Assignment::new(AssignmentId(new_id()), body)?;
            show_at_council(context.tx, &assignment.text.council, &assignment, None)?;
            Ok(assignment)
        },
        |tx, assignment| Ok(NewAssignment { warnings: warnings(tx, &assignment.text)?, assignment }),
    )
    .await
}

fn warnings(tx: &mut Tx<'_>, text: &AssignmentBody) -> Result<Vec<Warning>, ApiError> {
    let Some(position) = text.position.as_ref().filter(|_| text.role == AssignmentRole::Coordinator) else {
        return Ok(Vec::new());
    };
    let same = storage::all::<Assignment>(tx.reading(), &Filter::default().with("position", [position]))?;
    // There can be most of them on its first day, or when another begins.
    let days = same.iter().map(|stored| stored.value.text.from).filter(|from| *from >= text.from);
    let busiest = days.chain([text.from]).map(|day| {
        let councils = coordinators_on(same.iter().map(|stored| &stored.value), day);
        (councils.get(position).map_or(0, std::collections::BTreeSet::len), std::cmp::Reverse(day))
    });
    let Some((count, std::cmp::Reverse(from))) = busiest.max() else { return Ok(Vec::new()) };
    if count <= AIM_COUNCILS_PER_COORDINATOR {
        return Ok(Vec::new());
    }
    let detail = format!(
        "{position} has {count} councils from {from}; the aim is at most {AIM_COUNCILS_PER_COORDINATOR}."
    );
    Ok(vec![Warning { code: "coordinator-over-aim".to_owned(), detail }])
}

patch_schema!(
    /// The end of an assignment, or a correction.
    AssignmentPatch of AssignmentBody,
    "A merge patch (RFC 7396) of an assignment: only what changes. `reason` is mandatory unless `to` is given where none stood and nothing else.",
    optional reason
);

/// Ends an assignment: `{"to":"2026-12-31"}`. Anything else is a correction and takes a reason.
#[utoipa::path(patch, path = "/assignments/{id}", operation_id = "endAssignment", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the assignment.")),
    request_body(content = AssignmentPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The assignment.", body = AssignmentView)),
    security(("bearer" = ["registry:write"])))]
pub async fn end_assignment(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("endAssignment").await?;
    let body = super::patch(&call);
    let right = super::scope_is_enough::<Assignment>;
    super::record(call, body, "end", right, |context, assignment: Assignment, patch| {
        let patch = super::because(context, patch);
        let text: AssignmentBody = super::merged(context, "AssignmentBody", &assignment.text, &patch)?;
        if !assignment.is_ended_by(&text) {
            super::needs_reason(context, "this corrects what was recorded")?;
        }
        Names::of(context.registry)
            .council("/council", &text.council)
            .office_holder("/officeHolder", text.office_holder)
            .done()?;
        let council_before = assignment.text.council.clone();
        let changed = assignment.changed(text)?;
        let reason = context.reason.clone();
        show_at_council(context.tx, &changed.text.council, &changed, reason.clone())?;
        if council_before != changed.text.council {
            show_at_council(context.tx, &council_before, &changed, reason)?;
        }
        Ok(changed)
    })
    .await
}

/// What a council shows of its assignments stands in the council itself, without positions, so that its readers and the feed see
/// it change.
fn show_at_council(
    tx: &mut Tx<'_>,
    code: &CouncilCode,
    changed: &Assignment,
    reason: Option<String>,
) -> Result<(), ApiError> {
    // Two that are made at once would each show the council without the other.
    tx.lock()?;
    let of_council = Filter::default().with("council", [code]);
    let mut all: Vec<Assignment> = storage::all::<Assignment>(tx.reading(), &of_council)?
        .into_iter()
        .map(|stored| stored.value)
        .filter(|known| known.id != changed.id)
        .collect();
    if changed.text.council == *code {
        all.push(changed.clone());
    }
    all.sort_by_key(|assignment| (assignment.text.from, assignment.id));
    let assignments: Vec<CouncilAssignment> = all
        .into_iter()
        .map(|assignment| CouncilAssignment {
            role: assignment.text.role,
            office_holder: assignment.text.office_holder,
            from: assignment.text.from,
            to: assignment.text.to,
        })
        .collect();
    let before: Stored<Council> =
        registry::find(tx.reading(), Table::Council, code.as_str())?.ok_or(ApiError::NotFound)?;
    let council = Council { assignments, ..before.value };
    registry::save_because(tx, Table::Council, code.as_str(), &council, before.stamp, "assignment", reason)?;
    Ok(())
}
