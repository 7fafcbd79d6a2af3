//! Talks between wijkwethouder and council (gesprekken) over HTTP.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use domain::advice::{Publication, PublicationBody, UnpublicationBody};
use domain::ids::{CouncilCode, TalkId};
use domain::talk::{Lesson, LessonBody, LessonClosure, Talk, TalkBody};
use persistence::Stored;
use persistence::dossier::Filter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Names, On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::KnownQuery;
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// A talk (gesprek) as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Talk)]
pub struct TalkView {
    /// Its id.
    pub id: TalkId,
    /// The talk itself.
    #[serde(flatten)]
    pub text: TalkBody,
    /// The lessons drawn from it.
    pub lessons: Vec<Lesson>,
    /// Whether the public may see it.
    pub publication: Publication,
    /// Numbers by which other systems know it (kenmerken).
    pub references: Vec<domain::advice::Reference>,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

page_schema!(
    /// A page of talks, in order of id.
    TalkList of TalkView
);

impl Show for Talk {
    type View = TalkView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("council", "/council"),
        Column("heldOn", "/heldOn"),
        Column("officeHolder", "/officeHolder"),
        Column("lessons", "/lessons/*/state"),
        Column("publication", "/publication/state"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, _: On) -> TalkView {
        let Stored { value: Talk { id, text, lessons, publication }, stamp } = stored;
        let (version, created_at, modified_at) = (stamp.version, stamp.created_at, stamp.modified_at);
        TalkView { id, text, lessons, publication, references: Vec::new(), version, created_at, modified_at }
    }
}

/// What a list of talks can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct TalkQuery {
    /// With one of these councils.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    council: Option<Vec<CouncilCode>>,
}

/// Talks between wijkwethouder and council (gesprekken), with the lessons that they draw together.
#[utoipa::path(get, path = "/talks", operation_id = "listTalks", tag = "support", params(ListQuery, TalkQuery),
    responses((status = 200, description = "A page of talks.", content(
        (TalkList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_talks(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listTalks").await?;
    let (page, query): (ListQuery, TalkQuery) = (call.query()?, call.query()?);
    let filter = Filter::default().with("council", query.council.unwrap_or_default());
    super::list::<Talk>(call, page.into(), filter).await
}

/// One talk.
#[utoipa::path(get, path = "/talks/{id}", operation_id = "getTalk", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the talk."), KnownQuery),
    responses((status = 200, description = "The talk.", body = TalkView),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_talk(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    super::item::<Talk>(incoming.call("getTalk").await?).await
}

/// Adds a talk that was held. It counts in the figures at once; it is public when somebody decides so.
#[utoipa::path(post, path = "/talks", operation_id = "addTalk", tag = "support", request_body = TalkBody,
    responses((status = 201, description = "The talk.", body = TalkView)),
    security(("bearer" = ["registry:write"])))]
pub async fn add_talk(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addTalk").await?;
    super::add(call, "/talks", |context, body: TalkBody| {
        Names::of(context.registry)
            .council("/council", &body.council)
            .office_holder("/officeHolder", Some(body.office_holder))
            .done()?;
        Ok(Talk::new(TalkId(new_id()), body, context.today)?)
    })
    .await
}

patch_schema!(
    /// A correction of a talk.
    TalkPatch of TalkBody, "A merge patch (RFC 7396) of a talk: only what changes."
);

/// Corrects what was recorded of a talk (merge patch, RFC 7396), with the reason. Its lessons stay.
#[utoipa::path(patch, path = "/talks/{id}", operation_id = "correctTalk", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the talk.")),
    request_body(content = TalkPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The talk.", body = TalkView)),
    security(("bearer" = ["registry:write"])))]
pub async fn correct_talk(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("correctTalk").await?;
    let body = super::patch(&call);
    super::record(call, body, "correction", super::scope_is_enough::<Talk>, |context, talk, patch| {
        let patch = super::because(context, patch);
        let text: TalkBody = super::merged(context, "TalkBody", &talk.text, &patch)?;
        Names::of(context.registry)
            .council("/council", &text.council)
            .office_holder("/officeHolder", Some(text.office_holder))
            .done()?;
        Ok(talk.corrected(text, context.today)?)
    })
    .await
}

/// Adds a lesson that was drawn from a talk.
#[utoipa::path(post, path = "/talks/{id}/lessons", operation_id = "addLesson", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the talk.")), request_body = LessonBody,
    responses((status = 200, description = "The talk.", body = TalkView)),
    security(("bearer" = ["registry:write"])))]
pub async fn add_lesson(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addLesson").await?;
    let body = call.body::<LessonBody>();
    super::record(call, body, "lesson", super::scope_is_enough::<Talk>, |_, talk, body| {
        Ok(talk.with_lesson(body)?)
    })
    .await
}

/// Closes a lesson.
#[utoipa::path(post, path = "/talks/{id}/lessons/{number}/closure", operation_id = "closeLesson", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the talk."),
        ("number" = u16, Path, description = "The number of the lesson within the talk.")),
    request_body = LessonClosure,
    responses((status = 200, description = "The talk.", body = TalkView)),
    security(("bearer" = ["registry:write"])))]
pub async fn close_lesson(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("closeLesson").await?;
    let number: u16 = call
        .path_text("number")
        .parse()
        .map_err(|_| ApiError::invalid("path", "number", "type", "expected a number"))?;
    let body = call.body::<LessonClosure>();
    super::record(call, body, "lesson-closure", super::scope_is_enough::<Talk>, move |context, talk, body| {
        if !talk.lessons.iter().any(|lesson| lesson.number == number) {
            return Err(ApiError::NotFound);
        }
        Ok(talk.with_lesson_closed(number, body, context.today)?)
    })
    .await
}

/// Publishes a talk with its lessons.
#[utoipa::path(post, path = "/talks/{id}/publication", operation_id = "publishTalk", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the talk.")), request_body = PublicationBody,
    responses((status = 200, description = "The talk.", body = TalkView)),
    security(("bearer" = ["publish"])))]
pub async fn publish_talk(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("publishTalk").await?;
    let body = call.body::<PublicationBody>();
    super::record(call, body, "publication", super::scope_is_enough::<Talk>, |context, mut talk, _| {
        talk.publication.publish(context.tx.moment()?)?;
        Ok(talk)
    })
    .await
}

/// Withdraws a talk from publication, with a reason that the public reads.
#[utoipa::path(post, path = "/talks/{id}/unpublication", operation_id = "unpublishTalk", tag = "support",
    params(("id" = Uuid, Path, description = "The id of the talk.")), request_body = UnpublicationBody,
    responses((status = 200, description = "The talk.", body = TalkView)),
    security(("bearer" = ["publish"])))]
pub async fn unpublish_talk(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("unpublishTalk").await?;
    let body = call.body::<UnpublicationBody>();
    super::record(call, body, "unpublication", super::scope_is_enough::<Talk>, |context, mut talk, body| {
        context.reason = Some(body.reason.clone());
        talk.publication.unpublish(body, context.tx.moment()?)?;
        Ok(talk)
    })
    .await
}
