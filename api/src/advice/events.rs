//! Recording what happens to an advice: each event under its own path, with its own date. A handler reads, asks the
//! rule, keeps and answers; what the rules are stands in `domain`.

use std::sync::Arc;

use actix_web::HttpResponse;
use domain::access::{Caller, Refusal, Scope, View};
use domain::advice::{
    Adoption, Advice, AdviceText, AsCluster, AsCoordinator, AsPublisher, Closure, CorrectionBody,
    Cosignature, ExtensionBody, FollowUp, Forwarding, Merge, NewResponse, PublicationBody, Ratification,
    Rating, Receipt, ResponseBody, ResponseDraft, Submission, SuspensionBody, SuspensionEnd, Treatment,
    UnpublicationBody, WithdrawalBody,
};
use domain::agreement::Agreement;
use domain::codes::{Origin, ResponseKind};
use domain::commitment::Commitment;
use domain::ids::{AdviceId, PartId};
use persistence::advice::{self, Found};
use persistence::{AnyConnection, Stored, Tx, response_draft};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::visible;
use super::view::{AdviceView, Showing};
use crate::app::Registry;
use crate::clock::{Now, new_id};
use crate::contract::Contract;
use crate::etag::{self, Version};
use crate::history::Then;
use crate::incoming::{Answer, Body, Call, Incoming};
use crate::paging;
use crate::problem::{ApiError, InputError};

/// What a change may need beside the advice and the body.
struct Context<'t, 'c> {
    contract: &'t Contract,
    tx: &'t mut Tx<'c>,
    caller: &'t Caller,
    now: Now,
    registry: Arc<Registry>,
}

/// Records what happened to an advice. `right` decides whose hands it is in, before the body is looked at; `change` asks
/// the rule; the rest is the same for every event.
async fn record<A, B>(
    call: Call,
    event: &'static str,
    body: Body<B>,
    right: impl FnOnce(&Caller, Advice) -> Result<A, Refusal> + Send + 'static,
    reason: impl FnOnce(&B) -> Option<String> + Send + 'static,
    change: impl FnOnce(&mut Context<'_, '_>, A, B) -> Result<Advice, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError>
where
    B: Send + 'static,
{
    let id = AdviceId(call.path_id("id")?);
    call.no_query()?;
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |app, tx| {
            let (before, view) = visible(tx.reading(), id, &writing.caller)?;
            let hands = right(&writing.caller, before.value.clone())?;
            writing.run(tx, Some(version_of(&before, view)), |tx, body, caller, now| {
                // A merged advice takes no more writes, but what should never have been public can still be taken back.
                if before.value.merge.is_some() && event != "unpublication" {
                    return Err(merged_already());
                }
                let why = reason(&body);
                let registry = app.registry(tx.reading())?;
                let mut context = Context { contract: &app.contract, tx, caller, now, registry };
                let changed = change(&mut context, hands, body)?;
                let Context { tx, registry, .. } = context;
                let saved = advice::save(tx, &changed, &before, event, why)?;
                if before.value.is_published() != saved.value.is_published() {
                    tell_those_that_name(tx, caller, &saved.value)?;
                }
                tell_the_request(tx, &before.value, &saved.value)?;
                answer_with(tx, caller, &registry, &saved, view, now, 200)
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// The advice as its writer sees it after the change. Whoever just handed it on still gets the answer to his change.
#[allow(clippy::too_many_arguments)]
fn answer_with(
    tx: &mut Tx<'_>,
    caller: &Caller,
    registry: &Registry,
    saved: &Stored<Advice>,
    view_before: View,
    now: Now,
    status: u16,
) -> Result<Answer, ApiError> {
    let view = caller.view(&saved.value).unwrap_or(view_before);
    let showing = Showing::of(tx.reading(), caller, registry, now.today, &[&saved.value])?;
    let shown = showing.show(saved, view);
    let etag = etag::of_item(shown.version, now.today, &etag::body_of(&shown)?, view);
    Answer::json(status, Some(etag), &shown)
}

/// A request tells who of the councils advised: that changes when an advice on it is sent in, withdrawn, or seen by others.
fn tell_the_request(tx: &mut Tx<'_>, before: &Advice, after: &Advice) -> Result<(), ApiError> {
    let Some(request) = after.text.request else { return Ok(()) };
    let told = |advice: &Advice| {
        let audience = domain::access::audience(advice);
        (advice.submitted_on, advice.withdrawal.is_some(), audience)
    };
    if after.submitted_on.is_some() && told(before) != told(after) {
        persistence::advice_request::save_as_seen_anew(tx, request)?;
    }
    Ok(())
}

/// When an advice appears or vanishes, so does the link to it in others. What was merged into it vanishes with it: its
/// address leads nowhere else.
fn tell_those_that_name(tx: &mut Tx<'_>, caller: &Caller, advice: &Advice) -> Result<(), ApiError> {
    crate::dossier::tell_those_that_name::<Agreement>(tx, "advice", advice.id)?;
    crate::dossier::tell_those_that_name::<Commitment>(tx, "advice", advice.id)?;
    for naming in advice::naming(tx, advice.id)? {
        if !naming.value.is_published() {
            continue;
        }
        let merged = naming.value.merge.as_ref().is_some_and(|merge| merge.into == advice.id);
        if merged && !advice.is_published() {
            // The public reads the same reason at both addresses.
            let reason = advice.publication.reason.clone().ok_or_else(|| {
                ApiError::Internal(format!("advice {} was unpublished without a reason", advice.id))
            })?;
            let body = UnpublicationBody { reason: reason.clone() };
            let moment = tx.moment()?;
            let changed = caller.as_publisher(naming.value.clone())?.unpublish(body, moment)?;
            let gone = advice::save(tx, &changed, &naming, "unpublication", Some(reason))?;
            tell_those_that_name(tx, caller, &gone.value)?;
        } else {
            advice::save_as_seen_anew(tx, &naming)?;
        }
    }
    Ok(())
}

fn version_of(before: &Stored<Advice>, view: View) -> Version {
    Version { number: before.stamp.seen(view).version, view: Some(view) }
}

fn merged_already() -> ApiError {
    ApiError::Conflict("merged", "It was merged; go on with the advice it was merged into.".to_owned())
}

fn no_reason<B>(_: &B) -> Option<String> {
    None
}

async fn by_coordinator<B: DeserializeOwned + Send + 'static>(
    incoming: Incoming,
    operation: &'static str,
    event: &'static str,
    change: fn(AsCoordinator, B, Now) -> Result<Advice, domain::RuleError>,
) -> Result<HttpResponse, ApiError> {
    let call = incoming.call(operation).await?;
    let body = call.body();
    record(call, event, body, Caller::as_coordinator, no_reason, move |context, hands, body| {
        Ok(change(hands, body, context.now)?)
    })
    .await
}

async fn by_cluster<B: DeserializeOwned + Send + 'static>(
    incoming: Incoming,
    operation: &'static str,
    event: &'static str,
    change: fn(AsCluster, B, Now) -> Result<Advice, domain::RuleError>,
) -> Result<HttpResponse, ApiError> {
    let call = incoming.call(operation).await?;
    let body = call.body();
    record(call, event, body, Caller::as_cluster, no_reason, move |context, hands, body| {
        Ok(change(hands, body, context.now)?)
    })
    .await
}

/// Codes that a text names must stand in the reference tables, and advice and requests that it names must be known to the caller.
fn check_names(
    tx: &mut Tx<'_>,
    caller: &Caller,
    registry: &Registry,
    text: &AdviceText,
) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    let mut unknown =
        |location: String, detail: &str| errors.push(InputError::new("body", location, "unknown", detail));
    if registry.council(&text.councils.lead).is_none() {
        unknown("/councils/lead".to_owned(), "is not the code of a council; see /v1/councils");
    }
    for (index, cosigner) in text.councils.cosigners.iter().enumerate() {
        if registry.council(&cosigner.council).is_none() {
            unknown(
                format!("/councils/cosigners/{index}/council"),
                "is not the code of a council; see /v1/councils",
            );
        }
    }
    for (index, theme) in text.themes.iter().enumerate() {
        if !registry.has_theme(theme) {
            unknown(format!("/themes/{index}"), "is not the code of a theme; see /v1/themes");
        }
    }
    if let Some(first) = text.second_round_of
        && !matches!(advice::find(tx.reading(), first, caller)?, Found::Visible(..))
    {
        unknown("/secondRoundOf".to_owned(), "is not an advice that you know of");
    }
    if let Some(request) = text.request {
        match persistence::advice_request::find(tx.reading(), request, caller)? {
            None => unknown("/request".to_owned(), "is not an advice request that you know of"),
            Some(found) if !found.value.asked.councils.contains(&text.councils.lead) => {
                errors.push(InputError::new(
                    "body",
                    "/request",
                    "council.not_asked",
                    "did not ask the lead council",
                ));
            }
            Some(_) => {}
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors)) }
}

/// Drafts an advice.
///
/// The lead is one of the token's councils. Co-signers are invited here and sign themselves. A draft is seen by the lead and the invited co-signers.
#[utoipa::path(post, path = "/advice", operation_id = "draftAdvice", tag = "advice", request_body = AdviceText,
    responses((status = 201, description = "The draft.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn draft_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("draftAdvice").await?;
    call.no_query()?;
    let body: Body<AdviceText> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let id = AdviceId(new_id());
    let answer = app
        .write(actor, now, move |app, tx| {
            writing.run(tx, None, |tx, text, caller, now| {
                let registry = app.registry(tx.reading())?;
                caller.may_draft_for(&text.councils.lead)?;
                check_names(tx, caller, &registry, &text)?;
                let drafted = Advice::draft(id, text, Origin::Entered, now.today)?;
                let saved = advice::add(tx, &drafted, "draft")?;
                let answer = answer_with(tx, caller, &registry, &saved, View::Own, now, 201)?;
                Ok(answer.at(format!("/v1/advice/{id}")))
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// Changes a draft (merge patch, RFC 7396).
///
/// After adoption only `themes`, `level` and `references` change; anything else is 409. A list is replaced whole.
#[utoipa::path(patch, path = "/advice/{id}", operation_id = "changeAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")),
    request_body(content = AdvicePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn change_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changeAdvice").await?;
    let body = call.patch().and_then(|patch| call.check::<serde_json::Value>(patch));
    let reason = |patch: &serde_json::Value| patch["reason"].as_str().map(str::to_owned);
    record(call, "change", body, Caller::as_coordinator, reason, |context, hands, mut patch| {
        let reason = patch.as_object_mut().and_then(|fields| fields.remove("reason"));
        if reason.is_none() && hands.is_on_record() {
            let detail = "is mandatory: the advice was sent in, and others have read it";
            return Err(ApiError::invalid("body", "/reason", "required", detail));
        }
        let text = merged_text(context, hands.text(), &patch)?;
        check_names(context.tx, context.caller, &context.registry, &text)?;
        Ok(hands.rewrite(text, context.now.today)?)
    })
    .await
}

/// The text with the patch in it, checked like a new one.
fn merged_text(
    context: &Context<'_, '_>,
    text: &AdviceText,
    patch: &serde_json::Value,
) -> Result<AdviceText, ApiError> {
    let mut whole = paging::to_value(text)?;
    json_patch::merge(&mut whole, patch);
    context.contract.body("AdviceText", whole)
}

/// Deletes a draft that no co-signer was shown.
#[utoipa::path(delete, path = "/advice/{id}", operation_id = "deleteDraft", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")),
    responses((status = 204, description = "Deleted.")),
    security(("bearer" = ["advice:write"])))]
pub async fn delete_draft(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("deleteDraft").await?;
    let id = AdviceId(call.path_id("id")?);
    call.no_query()?;
    let body = call.no_body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |_, tx| {
            let (before, view) = visible(tx.reading(), id, &writing.caller)?;
            let hands = writing.caller.as_coordinator(before.value.clone())?;
            writing.run(tx, Some(version_of(&before, view)), |tx, (), _, _| {
                advice::save(tx, &hands.delete()?, &before, "deletion", None)?;
                Ok(Answer::empty())
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// Records the adoption by the council (vaststelling), with its votes.
#[utoipa::path(post, path = "/advice/{id}/adoption", operation_id = "adoptAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Adoption,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn adopt_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    by_coordinator(incoming, "adoptAdvice", "adoption", |hands, body: Adoption, now| {
        hands.adopt(body, now.today)
    })
    .await
}

/// Records the ratification in a public meeting (bekrachtiging); it may come after submission.
#[utoipa::path(post, path = "/advice/{id}/ratification", operation_id = "ratifyAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Ratification,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn ratify_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    by_coordinator(incoming, "ratifyAdvice", "ratification", |hands, body: Ratification, now| {
        hands.ratify(body, now.today)
    })
    .await
}

/// Records the submission to the college (indiening).
#[utoipa::path(post, path = "/advice/{id}/submission", operation_id = "submitAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Submission,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn submit_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    by_coordinator(incoming, "submitAdvice", "submission", |hands, body: Submission, now| {
        hands.submit(body, now.today)
    })
    .await
}

/// Records the withdrawal by the council (intrekking), before the answer.
#[utoipa::path(post, path = "/advice/{id}/withdrawal", operation_id = "withdrawAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = WithdrawalBody,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn withdraw_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("withdrawAdvice").await?;
    let body: Body<WithdrawalBody> = call.body();
    let reason = |body: &WithdrawalBody| Some(body.reason.clone());
    record(call, "withdrawal", body, Caller::as_coordinator, reason, |context, hands, body| {
        Ok(hands.withdraw(body, context.now.today)?)
    })
    .await
}

/// A council signs (medeondertekening).
///
/// An invited council may sign until the answer; another one as soon as the advice is published.
#[utoipa::path(post, path = "/advice/{id}/cosignatures", operation_id = "cosignAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Cosignature,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn cosign_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("cosignAdvice").await?;
    let body: Body<Cosignature> = call.body();
    record(call, "cosignature", body, with_scope(Scope::AdviceWrite), no_reason, |context, advice, body| {
        let hands = context.caller.as_signatory(advice, body.council.clone())?;
        known_council(&context.registry, &body.council)?;
        Ok(hands.cosign(body, context.now.today)?)
    })
    .await
}

fn known_council(registry: &Registry, code: &domain::ids::CouncilCode) -> Result<(), ApiError> {
    match registry.council(code) {
        Some(_) => Ok(()),
        None => Err(ApiError::invalid(
            "body",
            "/council",
            "unknown",
            "is not the code of a council; see /v1/councils",
        )),
    }
}

/// The right that can be decided before the body is read, where whose it is stands in the body.
fn with_scope(scope: Scope) -> impl FnOnce(&Caller, Advice) -> Result<Advice, Refusal> + Send + 'static {
    move |caller, advice| caller.require(scope).map(|()| advice)
}

/// A council rates the answer (waardering); never public.
#[utoipa::path(post, path = "/advice/{id}/ratings", operation_id = "rateAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Rating,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"])))]
pub async fn rate_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("rateAdvice").await?;
    let body: Body<Rating> = call.body();
    record(call, "rating", body, with_scope(Scope::AdviceWrite), no_reason, |context, advice, body| {
        let hands = context.caller.as_signatory(advice, body.council.clone())?;
        Ok(hands.rate(body, context.now.today)?)
    })
    .await
}

/// A cluster receives the advice (ontvangst): day 0 of the term.
///
/// The term rule of that day and the portfolio holder are frozen here (rule 5). Where two rules fit equally, name one.
#[utoipa::path(post, path = "/advice/{id}/receipt", operation_id = "receiveAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Receipt,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn receive_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("receiveAdvice").await?;
    let body: Body<Receipt> = call.body();
    let reason = |body: &Receipt| body.reason.clone();
    record(call, "receipt", body, Caller::as_cluster, reason, |context, hands, body| {
        context.caller.speaks_for(&body.cluster)?;
        let mut errors = Vec::new();
        if !context.registry.has_cluster(&body.cluster) {
            let detail = "is not the code of a cluster; see /v1/clusters";
            errors.push(InputError::new("body", "/cluster", "unknown", detail));
        }
        if body.portfolio_holder.is_some_and(|holder| !context.registry.has_office_holder(holder)) {
            let detail = "is not the id of an office holder; see /v1/office-holders";
            errors.push(InputError::new("body", "/portfolioHolder", "unknown", detail));
        }
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        Ok(hands.receive(body, &context.registry.rules(), context.now.today)?)
    })
    .await
}

/// Treatment begins (in behandeling nemen).
#[utoipa::path(post, path = "/advice/{id}/treatment", operation_id = "treatAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Treatment,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn treat_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    by_cluster(incoming, "treatAdvice", "treatment", |hands, body: Treatment, now| {
        hands.treat(body, now.today)
    })
    .await
}

/// Suspends the term (opschorting).
///
/// Decided or begun after the deadline it is kept and shown as void: it has no effect.
#[utoipa::path(post, path = "/advice/{id}/suspensions", operation_id = "suspendAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = SuspensionBody,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn suspend_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("suspendAdvice").await?;
    let body: Body<SuspensionBody> = call.body();
    let reason = |body: &SuspensionBody| Some(body.reason.clone());
    record(call, "suspension", body, Caller::as_cluster, reason, |context, hands, body| {
        Ok(hands.suspend(PartId(new_id()), body, context.now.today)?)
    })
    .await
}

/// Ends a suspension (einde opschorting): the clock runs again.
#[utoipa::path(patch, path = "/advice/{id}/suspensions/{suspensionId}", operation_id = "endSuspension", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice."),
        ("suspensionId" = Uuid, Path, description = "The id of the suspension.")),
    request_body(content = SuspensionEnd, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn end_suspension(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("endSuspension").await?;
    call.path_id("id")?;
    let suspension = PartId(call.path_id("suspensionId")?);
    let body = call.patch().and_then(|value| call.check::<SuspensionEnd>(value));
    let right = move |caller: &Caller, advice: Advice| {
        let known = advice.suspensions.iter().any(|known| known.id == suspension);
        caller.as_cluster(advice).map(|hands| (hands, known))
    };
    record(call, "suspension-end", body, right, no_reason, move |context, (hands, known), body| {
        if !known {
            return Err(ApiError::NotFound);
        }
        Ok(hands.resume(suspension, body, context.now.today).ok_or(ApiError::NotFound)??)
    })
    .await
}

/// Extends the term (verdaging).
///
/// Decided after the deadline it is kept and shown as void: it never makes a late answer timely.
#[utoipa::path(post, path = "/advice/{id}/extensions", operation_id = "extendAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = ExtensionBody,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn extend_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("extendAdvice").await?;
    let body: Body<ExtensionBody> = call.body();
    let reason = |body: &ExtensionBody| Some(body.reason.clone());
    record(call, "extension", body, Caller::as_cluster, reason, |context, hands, body| {
        Ok(hands.extend(PartId(new_id()), body, context.now.today)?)
    })
    .await
}

/// Records a response of the college (collegereactie).
///
/// Acknowledgements and interim messages take `treatment:write`; final and revised responses take `responses:write`. Only a
/// final response stops the clock. It speaks of every point, gives reasons where a point is not fully adopted, and gives
/// the city-level considerations where the level is `city` or `cross_neighbourhood`.
#[utoipa::path(post, path = "/advice/{id}/responses", operation_id = "respondToAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = ResponseBody,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["responses:write"]), ("bearer" = ["treatment:write"])))]
pub async fn respond_to_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("respondToAdvice").await?;
    let body: Body<ResponseBody> = call.body();
    let right = |caller: &Caller, advice: Advice| {
        // Which right it takes stands in the body; one of the two it must be.
        let college = caller.as_college(advice.clone());
        let cluster = caller.as_cluster(advice);
        match (college, cluster) {
            (Err(_), Err(refusal)) => Err(refusal),
            hands => Ok(hands),
        }
    };
    record(call, "response", body, right, no_reason, |context, (college, cluster), body| {
        let response = NewResponse { id: PartId(new_id()), recorded_at: context.now.moment, body };
        Ok(match response.body.kind {
            ResponseKind::Final | ResponseKind::Revised => college?.respond(response, context.now.today)?,
            ResponseKind::Acknowledgement | ResponseKind::Interim => {
                cluster?.respond(response, context.now.today)?
            }
        })
    })
    .await
}

/// Merges the advice into another (samenvoeging). From then on its address answers 308 to the other's.
#[utoipa::path(post, path = "/advice/{id}/merge", operation_id = "mergeAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Merge,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn merge_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("mergeAdvice").await?;
    let body: Body<Merge> = call.body();
    record(
        call,
        "merge",
        body,
        Caller::as_cluster,
        |body: &Merge| body.reason.clone(),
        |context, hands, body| {
            // Two advice could be merged into each other if each read the other before the lock.
            context.tx.lock()?;
            let Found::Visible(target, _) = advice::find(context.tx.reading(), body.into, context.caller)?
            else {
                return Err(ApiError::invalid(
                    "body",
                    "/into",
                    "unknown",
                    "is not an advice that you know of",
                ));
            };
            Ok(hands.merge(body, &target.value, context.now.today)?)
        },
    )
    .await
}

/// Forwards the advice (doorzending): to another cluster, which treats it from then on, or to a body outside, which ends the process.
#[utoipa::path(post, path = "/advice/{id}/forwarding", operation_id = "forwardAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Forwarding,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn forward_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("forwardAdvice").await?;
    let body: Body<Forwarding> = call.body();
    record(
        call,
        "forwarding",
        body,
        Caller::as_cluster,
        |body: &Forwarding| body.reason.clone(),
        |context, hands, body| {
            if body.cluster.as_ref().is_some_and(|cluster| !context.registry.has_cluster(cluster)) {
                let detail = "is not the code of a cluster; see /v1/clusters";
                return Err(ApiError::invalid("body", "/cluster", "unknown", detail));
            }
            Ok(hands.forward(body, context.now.today)?)
        },
    )
    .await
}

/// Records what happened to a point that was adopted, fully or partly (opvolging).
#[utoipa::path(post, path = "/advice/{id}/follow-ups", operation_id = "followUpAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = FollowUp,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn follow_up_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("followUpAdvice").await?;
    let body: Body<FollowUp> = call.body();
    record(call, "follow-up", body, Caller::as_cluster, no_reason, |context, hands, body| {
        if let Some(agreement) = domain::access::linked_agreement(&body) {
            let known = [agreement.to_string()];
            let connection = context.tx.reading();
            if persistence::dossier::find_all::<Agreement>(connection, context.caller, &known)?.is_empty() {
                let detail = "is not an agreement that you know of";
                return Err(ApiError::invalid("body", "/agreement", "unknown", detail));
            }
        }
        Ok(hands.follow_up(body, context.now.today)?)
    })
    .await
}

/// Closes the process (afsluiting). Revised responses and ratings stay possible.
#[utoipa::path(post, path = "/advice/{id}/closure", operation_id = "closeAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = Closure,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn close_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    by_cluster(incoming, "closeAdvice", "closure", |hands, body: Closure, now| hands.close(body, now.today))
        .await
}

/// Corrects a value that was recorded wrongly (correctie). Both values stay in the timeline.
///
/// It needs the scope that recording the field needs. The rules are checked again and the clock is computed again. The
/// frozen term rule stays, unless the new day of receipt lies outside its validity; `corrections[].ruleChanged` says so.
#[utoipa::path(post, path = "/advice/{id}/corrections", operation_id = "correctAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = CorrectionBody,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["advice:write"]), ("bearer" = ["treatment:write"]), ("bearer" = ["responses:write"])))]
pub async fn correct_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("correctAdvice").await?;
    let body: Body<CorrectionBody> = call.body();
    let right = |caller: &Caller, advice: Advice| {
        // Whose right it is stands in the body; one of the three it must be.
        let some = caller.as_coordinator(advice.clone()).is_ok()
            || caller.as_cluster(advice.clone()).is_ok()
            || caller.as_college(advice.clone()).is_ok();
        if some { Ok(advice) } else { Err(Refusal::NotYours) }
    };
    let reason = |body: &CorrectionBody| Some(body.reason.clone());
    record(call, "correction", body, right, reason, |context, advice, body| {
        if body.field == "portfolioHolder"
            && let domain::advice::CorrectedValue::Text(id) = &body.value
            && !id.parse().is_ok_and(|id| context.registry.has_office_holder(id))
        {
            let detail = "is not the id of an office holder; see /v1/office-holders";
            return Err(ApiError::invalid("body", "/value", "unknown", detail));
        }
        let hands = context.caller.as_corrector(advice, &body.field)??;
        Ok(hands.correct(body, &context.registry.rules(), context.now.today)?)
    })
    .await
}

async fn by_publisher<B: DeserializeOwned + Send + 'static>(
    incoming: Incoming,
    operation: &'static str,
    event: &'static str,
    reason: fn(&B) -> Option<String>,
    change: fn(AsPublisher, B, Now) -> Result<Advice, domain::RuleError>,
) -> Result<HttpResponse, ApiError> {
    let call = incoming.call(operation).await?;
    let body = call.body();
    record(call, event, body, Caller::as_publisher, reason, move |context, hands, body| {
        // The journal's moment, which a clock set back does not change.
        let now = Now { moment: context.tx.moment()?, ..context.now };
        Ok(change(hands, body, now)?)
    })
    .await
}

/// Publishes the advice (publicatie); possible from receipt, or registration, on.
#[utoipa::path(post, path = "/advice/{id}/publication", operation_id = "publishAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = PublicationBody,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["publish"])))]
pub async fn publish_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    by_publisher(incoming, "publishAdvice", "publication", no_reason, |hands, _: PublicationBody, now| {
        hands.publish(now.moment)
    })
    .await
}

/// Withdraws the advice from publication (depublicatie). Its address then answers 410 with this reason.
#[utoipa::path(post, path = "/advice/{id}/unpublication", operation_id = "unpublishAdvice", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = UnpublicationBody,
    responses((status = 200, description = "The advice.", body = AdviceView)),
    security(("bearer" = ["publish"])))]
pub async fn unpublish_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    by_publisher(
        incoming,
        "unpublishAdvice",
        "unpublication",
        |body: &UnpublicationBody| Some(body.reason.clone()),
        |hands, body, now| hands.unpublish(body, now.moment),
    )
    .await
}

/// A response being written (conceptreactie), as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ResponseDraftItem)]
pub struct ResponseDraftView {
    /// The advice that it would answer.
    pub advice: AdviceId,
    /// The draft.
    pub draft: ResponseDraft,
    /// Raised by one at each change; the version of the advice stays, for it must not tell that a draft exists.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: chrono::DateTime<chrono::Utc>,
    /// When it was last changed.
    pub modified_at: chrono::DateTime<chrono::Utc>,
}

fn draft_view(id: AdviceId, stored: Stored<ResponseDraft>) -> ResponseDraftView {
    ResponseDraftView {
        advice: id,
        draft: stored.value,
        version: stored.stamp.version,
        created_at: stored.stamp.created_at,
        modified_at: stored.stamp.modified_at,
    }
}

/// Shows the draft of an advice as it was at entries of the journal.
pub(crate) fn drafts_then(
    connection: &mut AnyConnection,
    id: AdviceId,
    thens: &[Then],
) -> Result<Vec<serde_json::Value>, ApiError> {
    let drafts = response_draft::read_all(connection, id, thens.iter().map(|then| &then.entry))?;
    drafts.into_iter().map(|stored| paging::to_value(&draft_view(id, stored))).collect()
}

/// The response being written (conceptreactie); never public.
#[utoipa::path(get, path = "/advice/{id}/response-draft", operation_id = "getResponseDraft", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")),
    responses((status = 200, description = "The draft.", body = ResponseDraftView),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security(("bearer" = ["internal:read"]), ("bearer" = ["treatment:write"]), ("bearer" = ["responses:write"])))]
pub async fn get_response_draft(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getResponseDraft").await?;
    let id = AdviceId(call.path_id("id")?);
    call.no_query()?;
    paging::accepted(&call, &["application/json"])?;
    let caller = call.caller.clone();
    let draft = call
        .app
        .read(move |_, connection| {
            let (_, view) = visible(connection, id, &caller)?;
            if view != View::Internal {
                return Err(ApiError::NotFound);
            }
            let stored = response_draft::find(connection, id)?.ok_or(ApiError::NotFound)?;
            Ok(draft_view(id, stored))
        })
        .await?;
    paging::item(&call, etag::of_version(draft.version), &draft)
}

/// Keeps the response being written (conceptreactie); never public.
///
/// The first one needs no `If-Match`; one that replaces another does.
#[utoipa::path(put, path = "/advice/{id}/response-draft", operation_id = "putResponseDraft", tag = "advice",
    params(("id" = Uuid, Path, description = "The id of the advice.")), request_body = ResponseDraft,
    responses((status = 200, description = "The draft, in place of the one before.", body = ResponseDraftView),
        (status = 201, description = "The first draft.", body = ResponseDraftView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn put_response_draft(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("putResponseDraft").await?;
    let id = AdviceId(call.path_id("id")?);
    call.no_query()?;
    let body: Body<ResponseDraft> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |_, tx| {
            let (before, _) = visible(tx.reading(), id, &writing.caller)?;
            let merged = before.value.merge.is_some();
            writing.caller.as_cluster(before.value)?;
            let known = response_draft::find(tx.reading(), id)?.map(|known| known.stamp);
            let first = known.is_none();
            // There is nothing yet that could have been read.
            let unmatched = first && writing.has_if_match();
            let version = known.map(|known| Version { number: known.version, view: None });
            writing.run(tx, version, |tx, draft, _, _| {
                if unmatched {
                    return Err(ApiError::Stale);
                }
                if merged {
                    return Err(merged_already());
                }
                let stored = response_draft::put(tx, id, &draft, known)?;
                let shown = draft_view(id, stored);
                let status = if first { 201 } else { 200 };
                let answer = Answer::json(status, Some(etag::of_version(shown.version)), &shown)?;
                Ok(if first { answer.at(format!("/v1/advice/{id}/response-draft")) } else { answer })
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// Any of the fields of a draft (merge patch, RFC 7396). A field that is left out stays; null empties it where it may be empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdvicePatch {
    /// Kind of advice (soort advies).
    #[schema(nullable = false)]
    kind: Option<domain::codes::AdviceKind>,
    /// What it is about (onderwerp).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", nullable = false)]
    subject: Option<String>,
    /// Summary (samenvatting).
    #[schema(max_length = 10000)]
    summary: Option<String>,
    /// How far it reaches (reikwijdte).
    #[schema(nullable = false)]
    level: Option<domain::codes::Level>,
    /// Themes (thema's), by code.
    #[schema(max_items = 20, nullable = false)]
    themes: Option<Vec<domain::ids::ThemeCode>>,
    /// The councils behind it; the lead stays.
    #[schema(nullable = false)]
    councils: Option<CouncilsPatch>,
    /// Its numbered recommendations (adviespunten).
    #[schema(max_items = 100, nullable = false)]
    points: Option<Vec<domain::advice::Point>>,
    /// The date on the letter (briefdatum).
    letter_on: Option<chrono::NaiveDate>,
    /// The day a portal listed it (registratiedatum).
    listed_on: Option<chrono::NaiveDate>,
    /// Numbers by which other systems know it (kenmerken).
    #[schema(max_items = 20, nullable = false)]
    references: Option<Vec<domain::advice::Reference>>,
    /// The earlier advice to whose answer this one reacts (tweede ronde).
    second_round_of: Option<AdviceId>,
    /// The advice request that it answers (adviesaanvraag).
    request: Option<domain::ids::AdviceRequestId>,
    /// Why it changes (reden), for the journal; mandatory once the advice was sent in. It is no field of the advice.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S", nullable = false)]
    reason: Option<String>,
}

/// The councils of a draft, as a patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CouncilsPatch {
    /// The lead (indiener); it stays what it is.
    #[schema(nullable = false)]
    lead: Option<domain::ids::CouncilCode>,
    /// The councils invited to sign as well (medeondertekenaars); the list is replaced whole.
    #[schema(max_items = 39, nullable = false)]
    cosigners: Option<Vec<domain::advice::Cosigner>>,
}
