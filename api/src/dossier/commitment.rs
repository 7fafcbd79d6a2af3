//! Commitments to the municipal council (moties en toezeggingen) over HTTP.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use domain::codes::{CommitmentKind, CommitmentState};
use domain::commitment::{Commitment, CommitmentBody, StepBody};
use domain::ids::{AdviceId, ClusterCode, CommitmentId};
use persistence::dossier::{self as storage, Filter};
use persistence::{Stored, advice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Context, Names, On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::KnownQuery;
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// A commitment (motie of toezegging) as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Commitment)]
pub struct CommitmentView {
    /// Its id.
    pub id: CommitmentId,
    /// The commitment itself.
    #[serde(flatten)]
    pub text: CommitmentBody,
    /// Where it stands; derived from its steps. Proposed is not settled.
    pub state: CommitmentState,
    /// The steps in its settlement, in the order in which they were recorded.
    pub steps: Vec<StepBody>,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

page_schema!(
    /// A page of commitments, in order of id.
    CommitmentList of CommitmentView
);
patch_schema!(
    /// A change of a commitment.
    CommitmentPatch of CommitmentBody, "A merge patch (RFC 7396) of a commitment: only what changes. A list is replaced whole."
);

impl Show for Commitment {
    type View = CommitmentView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("kind", "/kind"),
        Column("number", "/number"),
        Column("title", "/title"),
        Column("madeOn", "/madeOn"),
        Column("expectedOn", "/expectedOn"),
        Column("cluster", "/cluster"),
        Column("portfolioHolder", "/portfolioHolder"),
        Column("state", "/state"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, On { today, .. }: On) -> CommitmentView {
        let Stored { value, stamp } = stored;
        let state = value.state_on(today);
        let Commitment { id, text, steps } = value;
        let (version, created_at, modified_at) = (stamp.version, stamp.created_at, stamp.modified_at);
        CommitmentView { id, text, state, steps, version, created_at, modified_at }
    }
}

/// What a list of commitments can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct CommitmentQuery {
    /// Motion or undertaking.
    #[param(required = false)]
    kind: Option<CommitmentKind>,
    /// In one of these states.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    state: Option<Vec<CommitmentState>>,
    /// With this number (bb-nummer); blanks around it do not count.
    #[param(required = false, min_length = 1, max_length = 100)]
    number: Option<String>,
    /// Worked on by one of these clusters.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    cluster: Option<Vec<ClusterCode>>,
}

/// Commitments to the municipal council: motions (moties) and undertakings (toezeggingen).
#[utoipa::path(get, path = "/commitments", operation_id = "listCommitments", tag = "commitments",
    params(ListQuery, CommitmentQuery),
    responses((status = 200, description = "A page of commitments.", content(
        (CommitmentList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_commitments(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listCommitments").await?;
    let (page, query): (ListQuery, CommitmentQuery) = (call.query()?, call.query()?);
    let CommitmentQuery { kind, state, number, cluster } = query;
    let filter = Filter::default()
        .with("kind", kind)
        .with("state", state.unwrap_or_default())
        .with("number", number.map(|number| number.trim().to_owned()))
        .with("cluster", cluster.unwrap_or_default());
    super::list::<Commitment>(call, page.into(), filter).await
}

/// One commitment.
#[utoipa::path(get, path = "/commitments/{id}", operation_id = "getCommitment", tag = "commitments",
    params(("id" = Uuid, Path, description = "The id of the commitment."), KnownQuery),
    responses((status = 200, description = "The commitment.", body = CommitmentView)),
    security((), ("bearer" = [])))]
pub async fn get_commitment(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    super::item::<Commitment>(incoming.call("getCommitment").await?).await
}

/// Adds a commitment. What was said to the municipal council was said in public, so it is public.
#[utoipa::path(post, path = "/commitments", operation_id = "addCommitment", tag = "commitments", request_body = CommitmentBody,
    responses((status = 201, description = "The commitment.", body = CommitmentView)),
    security(("bearer" = ["registry:write"])))]
pub async fn add_commitment(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addCommitment").await?;
    super::add(call, "/commitments", |context, body: CommitmentBody| {
        let id = CommitmentId(new_id());
        check(context, id, &body, &[])?;
        Ok(Commitment::new(id, body, context.today)?)
    })
    .await
}

/// Changes a commitment (merge patch, RFC 7396), such as its expected day or the advice it is about, with the reason.
#[utoipa::path(patch, path = "/commitments/{id}", operation_id = "changeCommitment", tag = "commitments",
    params(("id" = Uuid, Path, description = "The id of the commitment.")),
    request_body(content = CommitmentPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The commitment.", body = CommitmentView)),
    security(("bearer" = ["registry:write"])))]
pub async fn change_commitment(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changeCommitment").await?;
    let body = super::patch(&call);
    super::record(call, body, "change", super::scope_is_enough::<Commitment>, |context, commitment, patch| {
        let patch = super::because(context, patch);
        let text: CommitmentBody = super::merged(context, "CommitmentBody", &commitment.text, &patch)?;
        check(context, commitment.id, &text, &commitment.text.advice)?;
        Ok(commitment.changed(text, context.today)?)
    })
    .await
}

/// Codes and ids that it names are known, and no other commitment has its number. Advice that it named already may have become
/// invisible since.
fn check(
    context: &mut Context<'_, '_>,
    id: CommitmentId,
    text: &CommitmentBody,
    named_already: &[AdviceId],
) -> Result<(), ApiError> {
    let visible = advice::find_all(context.tx.reading(), &text.advice, context.caller)?;
    let known: BTreeSet<AdviceId> = visible.iter().map(|(stored, _)| stored.value.id).collect();
    let mut names = Names::of(context.registry);
    names.cluster("/cluster", text.cluster.as_ref()).office_holder("/portfolioHolder", text.portfolio_holder);
    for (index, advice) in text.advice.iter().enumerate() {
        if !known.contains(advice) && !named_already.contains(advice) {
            names.unknown(format!("/advice/{index}"), "is not an advice that you know of");
        }
    }
    names.done()?;
    // Two that are added at once would each find the number free.
    context.tx.lock()?;
    let same_number = Filter::default().with("number", [text.number.trim()]);
    let others = storage::all::<Commitment>(context.tx.reading(), &same_number)?;
    if others.iter().any(|other| other.value.id != id) {
        let detail = "Another commitment has that number.";
        return Err(ApiError::Conflict("duplicate", detail.to_owned()));
    }
    Ok(())
}

/// Records a step in the settlement of a commitment (stap in de afdoening).
#[utoipa::path(post, path = "/commitments/{id}/steps", operation_id = "settleCommitment", tag = "commitments",
    params(("id" = Uuid, Path, description = "The id of the commitment.")), request_body = StepBody,
    responses((status = 200, description = "The commitment.", body = CommitmentView)),
    security(("bearer" = ["registry:write"])))]
pub async fn settle_commitment(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("settleCommitment").await?;
    let body = call.body::<StepBody>();
    super::record(call, body, "step", super::scope_is_enough::<Commitment>, |context, commitment, body| {
        Ok(commitment.with_step(body, context.today)?)
    })
    .await
}
