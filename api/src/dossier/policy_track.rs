//! Policy tracks (beleidstrajecten) over HTTP, and the register of new policy that lacks its participation plan.

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::advice::{Publication, PublicationBody, UnpublicationBody};
use domain::agreement::Agreement;
use domain::codes::Phase;
use domain::ids::{ClusterCode, CouncilCode, PolicyTrackId, ThemeCode};
use domain::participation_plan::ParticipationPlan;
use domain::policy_track::{InformedBody, PhaseBody, PolicyTrack, PolicyTrackBody};
use persistence::dossier::{self as storage, Filter};
use persistence::{AnyConnection, Stored};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Names, On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::KnownQuery;
use crate::incoming::{Call, Incoming};
use crate::paging::{self, SmallListQuery};
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// A policy track (beleidstraject) as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PolicyTrack)]
pub struct PolicyTrackView {
    /// Its id.
    pub id: PolicyTrackId,
    /// The track itself.
    #[serde(flatten)]
    pub text: PolicyTrackBody,
    /// The phase that it is in today; null before the first.
    pub phase: Option<Phase>,
    /// The first days of its phases as they now stand, in order.
    pub phases: Vec<PhaseDay>,
    /// Every day of a phase that was recorded, corrected ones included, in the order in which they were recorded.
    pub phase_history: Vec<PhaseBody>,
    /// The councils that it concerns, each once.
    pub councils: Vec<TrackCouncil>,
    /// Each time that a council was told, and in which role, in the order in which it was recorded.
    pub informed_history: Vec<InformedBody>,
    /// Where its participation plan stands.
    pub plan: PlanStanding,
    /// Whether the public may see it.
    pub publication: Publication,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

/// The first day of a phase (fase).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseDay {
    /// The phase.
    pub phase: Phase,
    /// Its first day, planned or past.
    pub starts_on: NaiveDate,
}

/// A council that a track concerns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackCouncil {
    /// The council.
    pub council: CouncilCode,
    /// The day it was first told (eerst geïnformeerd op); null when nobody has.
    pub first_informed_on: Option<NaiveDate>,
    /// The phase the track was in on that day.
    pub informed_in: Option<Phase>,
    /// The roles in which it took part.
    pub roles: Vec<domain::codes::TrackRole>,
}

/// Whether a track has the participation plan that it needs (stand van het participatieplan).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanStanding {
    /// A plan was adopted before the decision.
    InPlace,
    /// It is new policy under the obligation and has no plan made in time.
    Missing,
    /// No plan is mandatory: no new policy, or begun before the obligation.
    NotRequired,
}

page_schema!(
    /// A page of policy tracks, in order of id.
    PolicyTrackList of PolicyTrackView
);
patch_schema!(
    /// A change of a policy track.
    PolicyTrackPatch of PolicyTrackBody, "A merge patch (RFC 7396) of a policy track: only what changes. A list is replaced whole."
);

fn standing(track: &PolicyTrack, obliged_from: Option<NaiveDate>, today: NaiveDate) -> PlanStanding {
    if track.has_plan_in_time(today) {
        PlanStanding::InPlace
    } else if track.lacks_plan(obliged_from, today) {
        PlanStanding::Missing
    } else {
        PlanStanding::NotRequired
    }
}

impl Show for PolicyTrack {
    type View = PolicyTrackView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("title", "/title"),
        Column("cluster", "/cluster"),
        Column("newPolicy", "/newPolicy"),
        Column("startedOn", "/startedOn"),
        Column("phase", "/phase"),
        Column("councils", "/councils/*/council"),
        Column("plan", "/plan"),
        Column("publication", "/publication/state"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, On { today, obliged_from }: On) -> PolicyTrackView {
        let Stored { value: track, stamp } = stored;
        let phases = Phase::ALL.iter().filter_map(|phase| {
            track.phase_starts_on(*phase).map(|starts_on| PhaseDay { phase: *phase, starts_on })
        });
        let councils = track.first_informed_on(today).into_iter().map(|(council, first_informed_on)| {
            let of_council = track.informed_as_it_stands().filter(|informed| informed.council == council);
            let mut roles: Vec<_> = of_council.map(|informed| informed.role).collect();
            roles.sort();
            roles.dedup();
            let informed_in = first_informed_on.and_then(|on| track.phase_on(on));
            TrackCouncil { council, first_informed_on, informed_in, roles }
        });
        PolicyTrackView {
            id: track.id,
            phase: track.phase_on(today),
            phases: phases.collect(),
            councils: councils.collect(),
            plan: standing(&track, obliged_from, today),
            phase_history: track.phases.clone(),
            informed_history: track.informed.clone(),
            publication: track.publication.clone(),
            version: stamp.version,
            created_at: stamp.created_at,
            modified_at: stamp.modified_at,
            text: track.text,
        }
    }
}

/// What a list of policy tracks can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct PolicyTrackQuery {
    /// Led by one of these clusters.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    cluster: Option<Vec<ClusterCode>>,
    /// Concerning one of these councils.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    council: Option<Vec<CouncilCode>>,
    /// About one of these themes.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    theme: Option<Vec<ThemeCode>>,
    /// Whether it makes new policy.
    #[param(required = false)]
    new_policy: Option<bool>,
    /// How its participation plan stands today: `missing` is the register of new policy that lacks its plan.
    #[param(required = false)]
    plan: Option<PlanStanding>,
}

/// Policy tracks (beleidstrajecten). `plan=missing` is the register of new policy that lacks its plan: nobody deletes from
/// it, it is only resolved.
#[utoipa::path(get, path = "/policy-tracks", operation_id = "listPolicyTracks", tag = "participation",
    params(ListQuery, PolicyTrackQuery),
    responses((status = 200, description = "A page of policy tracks.", content(
        (PolicyTrackList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_policy_tracks(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listPolicyTracks").await?;
    let (page, query): (ListQuery, PolicyTrackQuery) = (call.query()?, call.query()?);
    let PolicyTrackQuery { cluster, council, theme, new_policy, plan } = query;
    let filter = Filter::default()
        .with("cluster", cluster.unwrap_or_default())
        .with("council", council.unwrap_or_default())
        .with("theme", theme.unwrap_or_default())
        .with("newPolicy", new_policy);
    match plan {
        None => super::list::<PolicyTrack>(call, page.into(), filter).await,
        Some(plan) => by_standing(call, page.into(), filter, plan).await,
    }
}

/// How a plan stands turns with the day and with the obligation, so no facet holds it. Tracks are few.
async fn by_standing(
    call: Call,
    page: SmallListQuery,
    filter: Filter,
    plan: PlanStanding,
) -> Result<HttpResponse, ApiError> {
    let style = paging::wanted(&call, page.format, page.csv)?;
    let (caller, app, today) = (call.caller.clone(), call.app.clone(), call.today());
    let rows = app
        .read(move |app, connection: &mut AnyConnection| {
            let registry = app.registry(connection)?;
            let tracks = storage::list::<PolicyTrack>(connection, &caller, &filter, None, i64::MAX)?;
            let obliged_from = registry.plan_obligation_from();
            let wanted: Vec<_> = tracks
                .into_iter()
                .filter(|track| standing(&track.value, obliged_from, today) == plan)
                .collect();
            let shown = super::show_all(connection, &caller, &registry, today, wanted)?;
            Ok(shown.into_iter().map(|track| (track.id.to_string(), track.modified_at, track)).collect())
        })
        .await?;
    let page = paging::page_of(&call, rows, &page)?;
    paging::answer(&call, &app.public_url, page, PolicyTrack::COLUMNS, style)
}

/// One policy track.
#[utoipa::path(get, path = "/policy-tracks/{id}", operation_id = "getPolicyTrack", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the policy track."), KnownQuery),
    responses((status = 200, description = "The policy track.", body = PolicyTrackView),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_policy_track(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    super::item::<PolicyTrack>(incoming.call("getPolicyTrack").await?).await
}

/// Adds a policy track. It is not public until somebody decides so.
#[utoipa::path(post, path = "/policy-tracks", operation_id = "addPolicyTrack", tag = "participation", request_body = PolicyTrackBody,
    responses((status = 201, description = "The policy track.", body = PolicyTrackView)),
    security(("bearer" = ["plans:write"])))]
pub async fn add_policy_track(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addPolicyTrack").await?;
    super::add(call, "/policy-tracks", |context, body: PolicyTrackBody| {
        Names::of(context.registry)
            .cluster("/cluster", Some(&body.cluster))
            .themes("/themes", &body.themes)
            .done()?;
        Ok(PolicyTrack::new(PolicyTrackId(new_id()), body, context.today)?)
    })
    .await
}

/// Changes a policy track (merge patch, RFC 7396), with the reason. The journal keeps what it was.
#[utoipa::path(patch, path = "/policy-tracks/{id}", operation_id = "changePolicyTrack", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the policy track.")),
    request_body(content = PolicyTrackPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The policy track.", body = PolicyTrackView)),
    security(("bearer" = ["plans:write"])))]
pub async fn change_policy_track(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changePolicyTrack").await?;
    let body = super::patch(&call);
    super::record(call, body, "change", super::scope_is_enough::<PolicyTrack>, |context, track, patch| {
        let patch = super::because(context, patch);
        let text: PolicyTrackBody = super::merged(context, "PolicyTrackBody", &track.text, &patch)?;
        Names::of(context.registry)
            .cluster("/cluster", Some(&text.cluster))
            .themes("/themes", &text.themes)
            .done()?;
        let obliged_from = context.registry.plan_obligation_from();
        let lacked_plan = track.lacks_plan(obliged_from, context.today);
        let changed = track.changed(text, context.today)?;
        if lacked_plan && !changed.lacks_plan(obliged_from, context.today) {
            let detail =
                "It stands in the register of new policy that lacks its plan; only a plan takes it out.";
            return Err(ApiError::Conflict("plan-missing", detail.to_owned()));
        }
        // A plan that is added at the same time takes over who leads the track, and which councils it concerns.
        context.tx.lock()?;
        let cluster = changed.text.cluster.clone();
        let plans = plans_of(context.tx.reading(), changed.id)?;
        let reason = context.reason.clone();
        super::save_each(context.tx, plans, "track", reason.as_deref(), |plan| {
            Ok(ParticipationPlan { cluster: cluster.clone(), ..plan })
        })?;
        Ok(changed)
    })
    .await
}

/// The participation plans of a track.
pub(super) fn plans_of(
    connection: &mut AnyConnection,
    track: PolicyTrackId,
) -> Result<Vec<Stored<ParticipationPlan>>, ApiError> {
    Ok(storage::all(connection, &Filter::default().with("policyTrack", [track]))?)
}

/// Records the first day of a phase, or corrects it; the earlier day is kept.
#[utoipa::path(post, path = "/policy-tracks/{id}/phases", operation_id = "recordPhase", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the policy track.")), request_body = PhaseBody,
    responses((status = 200, description = "The policy track.", body = PolicyTrackView)),
    security(("bearer" = ["plans:write"])))]
pub async fn record_phase(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("recordPhase").await?;
    let body = call.body::<PhaseBody>();
    super::record(call, body, "phase", super::scope_is_enough::<PolicyTrack>, |context, track, body| {
        context.reason.clone_from(&body.reason);
        Ok(track.with_phase(body)?)
    })
    .await
}

/// Records that a track concerns a council, and when it was told, in which role; or corrects that day, with the reason.
#[utoipa::path(post, path = "/policy-tracks/{id}/councils", operation_id = "informCouncil", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the policy track.")), request_body = InformedBody,
    responses((status = 200, description = "The policy track.", body = PolicyTrackView)),
    security(("bearer" = ["plans:write"])))]
pub async fn inform_council(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("informCouncil").await?;
    let body = call.body::<InformedBody>();
    super::record(call, body, "informed", super::scope_is_enough::<PolicyTrack>, |context, track, body| {
        Names::of(context.registry).council("/council", &body.council).done()?;
        context.reason.clone_from(&body.reason);
        let changed = track.with_informed(body, context.today)?;
        context.tx.lock()?;
        let councils = domain::dossier::Dossier::reach(&changed).councils;
        let plans = plans_of(context.tx.reading(), changed.id)?;
        super::save_each(context.tx, plans, "track", None, |plan| {
            Ok(ParticipationPlan { councils: councils.clone(), ..plan })
        })?;
        Ok(changed)
    })
    .await
}

/// Publishes a policy track.
#[utoipa::path(post, path = "/policy-tracks/{id}/publication", operation_id = "publishPolicyTrack", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the policy track.")), request_body = PublicationBody,
    responses((status = 200, description = "The policy track.", body = PolicyTrackView)),
    security(("bearer" = ["publish"])))]
pub async fn publish_policy_track(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("publishPolicyTrack").await?;
    let body = call.body::<PublicationBody>();
    super::record(
        call,
        body,
        "publication",
        super::scope_is_enough::<PolicyTrack>,
        |context, mut track, _| {
            track.publication.publish(context.tx.moment()?)?;
            super::tell_those_that_name::<Agreement>(context.tx, "policyTrack", track.id)?;
            Ok(track)
        },
    )
    .await
}

/// Withdraws a policy track from publication, with a reason that the public reads. It stays in the figures.
#[utoipa::path(post, path = "/policy-tracks/{id}/unpublication", operation_id = "unpublishPolicyTrack", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the policy track.")), request_body = UnpublicationBody,
    responses((status = 200, description = "The policy track.", body = PolicyTrackView)),
    security(("bearer" = ["publish"])))]
pub async fn unpublish_policy_track(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("unpublishPolicyTrack").await?;
    let body = call.body::<UnpublicationBody>();
    super::record(
        call,
        body,
        "unpublication",
        super::scope_is_enough::<PolicyTrack>,
        |context, mut track, body| {
            context.reason = Some(body.reason.clone());
            let moment = context.tx.moment()?;
            track.publication.unpublish(body.clone(), moment)?;
            super::tell_those_that_name::<Agreement>(context.tx, "policyTrack", track.id)?;
            // Its plans name it, so they go with it; the public reads the same reason at each address.
            let plans = plans_of(context.tx.reading(), track.id)?;
            let public = plans.into_iter().filter(|plan| plan.value.publication.is_public()).collect();
            let reason = body.reason.clone();
            super::save_each(
                context.tx,
                public,
                "unpublication",
                Some(&reason),
                |mut plan: ParticipationPlan| {
                    plan.publication.unpublish(body.clone(), moment)?;
                    Ok(plan)
                },
            )?;
            Ok(track)
        },
    )
    .await
}
