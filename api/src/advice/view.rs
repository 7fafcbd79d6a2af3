//! An advice as its reader gets it. Made from a record that `domain::access::project` projected for that reader: what
//! he may not see is not there any more.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{self, Caller, View};
use domain::advice::{
    Adoption, Advice, AdviceRecord, AdviceText, Closure, Correction, Councils, DataIssue, FollowUp,
    Forwarding, Merge, Point, Publication, Rating, Received, Reference, Response, TimelineEntry, Treatment,
    Withdrawal,
};
use domain::codes::{AdviceKind, AdviceStatus, Level, Origin, Outcome, PointOutcome};
use domain::ids::{AdviceId, AdviceRequestId, ClusterCode, OfficeHolderId, PartId, ThemeCode};
use domain::term::{self, TermOn};
use persistence::{AnyConnection, Seen, Stored};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::Registry;
use crate::csv::Column;
use crate::paging::Tombstone;
use crate::problem::ApiError;

/// An advice (advies) as its reader gets it. What the reader may not see is null or left out of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Advice)]
pub struct AdviceView {
    /// Its id. UUIDv7; never changes.
    pub id: AdviceId,
    /// Kind of advice (soort advies).
    pub kind: AdviceKind,
    /// Where it came from (herkomst); `demonstration` is made up.
    pub origin: Origin,
    /// What it is about (onderwerp).
    pub subject: String,
    /// Summary (samenvatting).
    pub summary: Option<String>,
    /// How far it reaches (reikwijdte).
    pub level: Level,
    /// Themes (thema's), by code.
    pub themes: Vec<ThemeCode>,
    /// The councils behind it: one lead, and co-signers.
    pub councils: Councils,
    /// Its recommendations (adviespunten), each with what the college did with it.
    pub points: Vec<PointView>,
    /// The adoption by its council (vaststelling).
    pub adoption: Option<Adoption>,
    /// The date on the letter (briefdatum).
    pub letter_on: Option<NaiveDate>,
    /// The day it was sent in (indieningsdatum).
    pub submitted_on: Option<NaiveDate>,
    /// The day a portal listed it (registratiedatum).
    pub listed_on: Option<NaiveDate>,
    /// The day of receipt (ontvangstdatum): day 0 of the term.
    pub received_on: Option<NaiveDate>,
    /// The day the final response was sent (antwoorddatum).
    pub answered_on: Option<NaiveDate>,
    /// The cluster that treats it.
    pub cluster: Option<ClusterCode>,
    /// The office holder who answers (portefeuillehouder), frozen at receipt; see `/office-holders`.
    pub portfolio_holder: Option<OfficeHolderId>,
    /// The name of that office holder; null once it was erased.
    pub portfolio_holder_name: Option<String>,
    /// Numbers by which other systems know it (kenmerken).
    pub references: Vec<Reference>,
    /// Where it stands in the process; derived from what happened.
    pub status: AdviceStatus,
    /// What the college did with it as a whole; derived from its points. Null without a final response or points.
    pub outcome: Option<Outcome>,
    /// The earlier advice to whose answer this one reacts (tweede ronde).
    pub second_round_of: Option<AdviceId>,
    /// The advice request that it answers (adviesaanvraag); not public, and null where this reader may not see it.
    pub request: Option<AdviceRequestId>,
    /// The answer term on the day that `term.on` names.
    pub term: TermOn,
    /// The start of treatment (in behandeling).
    pub treatment: Option<Treatment>,
    /// Suspensions of the term (opschortingen), void ones included.
    pub suspensions: Vec<SuspensionView>,
    /// Extensions of the term (verdagingen), void ones included.
    pub extensions: Vec<ExtensionView>,
    /// Responses of the college (collegereacties), in the order in which they were recorded.
    pub responses: Vec<Response>,
    /// The withdrawal (intrekking).
    pub withdrawal: Option<Withdrawal>,
    /// The advice that it goes on in (samenvoeging).
    pub merge: Option<MergeView>,
    /// Forwardings (doorzendingen), in order.
    pub forwardings: Vec<Forwarding>,
    /// What happened to adopted points (opvolging), in the order in which it was recorded.
    pub follow_ups: Vec<FollowUp>,
    /// What councils think of the answer (waardering); never public.
    pub ratings: Vec<Rating>,
    /// The closure (afsluiting).
    pub closure: Option<Closure>,
    /// Corrections (correcties), with both values.
    pub corrections: Vec<Correction>,
    /// What is not as the rules ask; only imported history has any.
    pub data_issues: Vec<DataIssue>,
    /// Whether and since when the public may see it.
    pub publication: Publication,
    /// Raised by one at each change that this reader can see. `If-Match` compares it.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When this reader last saw it change.
    pub modified_at: DateTime<Utc>,
}

/// One recommendation (adviespunt) with what the college did with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdvicePoint)]
pub struct PointView {
    /// Its number in the advice.
    pub number: u16,
    /// The recommendation itself.
    pub text: String,
    /// What the college does with it (uitkomst); of the latest response that speaks of it.
    pub outcome: Option<PointOutcome>,
    /// Why (motivering).
    pub reasons: Option<String>,
    /// The latest follow-up (opvolging).
    pub follow_up: Option<FollowUp>,
}

/// A suspension of the term (opschorting).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdviceSuspension)]
pub struct SuspensionView {
    /// Its id.
    pub id: PartId,
    /// First day on which the clock stands still.
    pub from: NaiveDate,
    /// The day the clock runs again; null while it is open.
    pub to: Option<NaiveDate>,
    /// The day it was decided.
    pub decided_on: NaiveDate,
    /// Why; not for the public.
    pub reason: Option<String>,
    /// Decided or begun too late: without effect on the term (zonder gevolg).
    pub void: bool,
}

/// An extension of the term (verdaging).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdviceExtension)]
pub struct ExtensionView {
    /// Its id.
    pub id: PartId,
    /// Calendar days added.
    pub days: u16,
    /// The day it was decided.
    pub decided_on: NaiveDate,
    /// Why; not for the public.
    pub reason: Option<String>,
    /// Decided too late: without effect on the term (zonder gevolg).
    pub void: bool,
}

/// The advice goes on in another (samenvoeging).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdviceMerge)]
pub struct MergeView {
    /// The other advice; null where this reader may not see it.
    pub into: Option<AdviceId>,
    /// The day it was merged.
    pub on: NaiveDate,
    /// Why; not for the public.
    pub reason: Option<String>,
}

/// An advice, or of one that is gone for this caller only its id and the moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AdviceListItem {
    /// An advice.
    Advice(Box<AdviceView>),
    /// One that is gone for this caller; only with `modifiedSince`.
    Gone(Tombstone),
}

/// A page of advice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdviceList {
    /// The items, in order.
    pub items: Vec<AdviceListItem>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
    /// How many items the whole list has; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<i64>,
}

/// Everything that happened to an advice, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// What happened, in order of day and then of the process.
    pub items: Vec<TimelineEntry>,
}

/// What is needed to show items to a caller beside the items.
pub struct Showing<'a> {
    /// The reference tables.
    pub registry: &'a Registry,
    /// The reference day of the term.
    pub on: NaiveDate,
    /// Of the other items that these name, those that the caller may see.
    pub linked: BTreeSet<Uuid>,
}

impl<'a> Showing<'a> {
    /// Finds out, in one query, which of the other items that these name the caller may see.
    pub fn of(
        connection: &mut AnyConnection,
        caller: &Caller,
        registry: &'a Registry,
        on: NaiveDate,
        items: &[&Advice],
    ) -> Result<Self, ApiError> {
        let named: BTreeSet<Uuid> = items.iter().flat_map(|advice| access::links(advice)).collect();
        let linked = persistence::dossier::visible_among(connection, caller, &named)?;
        Ok(Self { registry, on, linked })
    }

    /// For an advice that names no other item; none for one that does.
    pub fn of_one_without_links(registry: &'a Registry, on: NaiveDate, advice: &Advice) -> Option<Self> {
        let names_none = access::links(advice).is_empty();
        names_none.then(|| Self { registry, on, linked: BTreeSet::new() })
    }

    /// The advice as this view shows it.
    pub fn show(&self, stored: &Stored<Advice>, view: View) -> AdviceView {
        let facts = stored.value.term_facts();
        let term = term::term_on(&facts, self.on);
        let void_suspensions = term::void_suspensions(&facts);
        let void_extensions = term::void_extensions(&facts);
        let record = access::without_links(access::project(&stored.value, view), &self.linked);
        let points = record.text.points.iter().map(|point| point_view(&record, point)).collect();
        let status = record.status();
        let outcome = record.outcome();
        let data_issues = record.data_issues();
        let portfolio_holder = record.portfolio_holder();
        let answered_on = record.final_response().and_then(|response| response.sent_on);
        let AdviceRecord {
            id,
            origin,
            text,
            listed: _,
            shown_to_cosigner: _,
            deleted: _,
            adoption,
            submitted_on,
            received,
            treated_on,
            suspensions,
            extensions,
            responses,
            withdrawal,
            merge,
            forwardings,
            follow_ups,
            ratings,
            closure,
            corrections,
            publication,
        } = record;
        let AdviceText {
            kind,
            subject,
            summary,
            level,
            themes,
            councils,
            points: _,
            letter_on,
            listed_on,
            references,
            second_round_of,
            request,
        } = text;
        let (received_on, cluster) = match received {
            Some(Received { received_on, cluster, first_cluster: _, portfolio_holder: _, rule: _ }) => {
                (Some(received_on), Some(cluster))
            }
            None => (None, None),
        };
        let internal = |reason: String| (!reason.is_empty()).then_some(reason);
        let visible = |id: AdviceId| self.linked.contains(&id.0).then_some(id);
        let Seen { version, modified_at } = stored.stamp.seen(view);
        AdviceView {
            id,
            kind,
            origin,
            subject,
            summary,
            level,
            themes,
            councils,
            points,
            adoption,
            letter_on,
            submitted_on,
            listed_on,
            received_on,
            answered_on,
            cluster,
            portfolio_holder,
            portfolio_holder_name: portfolio_holder
                .and_then(|holder| self.registry.names.get(&holder.to_string()).cloned()),
            references,
            status,
            outcome,
            second_round_of,
            request,
            term,
            treatment: treated_on.map(|on| Treatment { on }),
            suspensions: suspensions
                .into_iter()
                .map(|suspension| SuspensionView {
                    void: void_suspensions.contains(&suspension.id),
                    id: suspension.id,
                    from: suspension.from,
                    to: suspension.to,
                    decided_on: suspension.decided_on,
                    reason: internal(suspension.reason),
                })
                .collect(),
            extensions: extensions
                .into_iter()
                .map(|extension| ExtensionView {
                    void: void_extensions.contains(&extension.id),
                    id: extension.id,
                    days: extension.days,
                    decided_on: extension.decided_on,
                    reason: internal(extension.reason),
                })
                .collect(),
            responses,
            withdrawal,
            merge: merge.map(|Merge { into, on, reason }| MergeView { into: visible(into), on, reason }),
            forwardings,
            follow_ups,
            ratings,
            closure,
            corrections,
            data_issues,
            publication,
            version,
            created_at: stored.stamp.created_at,
            modified_at,
        }
    }
}

fn point_view(record: &AdviceRecord, point: &Point) -> PointView {
    let response = record.point_response(point.number);
    PointView {
        number: point.number,
        text: point.text.clone(),
        outcome: response.map(|response| response.outcome),
        reasons: response.and_then(|response| response.reasons.clone()),
        follow_up: record.follow_up(point.number).cloned(),
    }
}

/// The columns of advice as CSV. New ones come at the end.
pub const COLUMNS: &[Column] = &[
    Column("id", "/id"),
    Column("kind", "/kind"),
    Column("origin", "/origin"),
    Column("subject", "/subject"),
    Column("level", "/level"),
    Column("themes", "/themes"),
    Column("lead", "/councils/lead"),
    Column("cosigners", "/councils/cosigners/*/council"),
    Column("letterOn", "/letterOn"),
    Column("submittedOn", "/submittedOn"),
    Column("listedOn", "/listedOn"),
    Column("receivedOn", "/receivedOn"),
    Column("answeredOn", "/answeredOn"),
    Column("cluster", "/cluster"),
    Column("portfolioHolder", "/portfolioHolder"),
    Column("portfolioHolderName", "/portfolioHolderName"),
    Column("status", "/status"),
    Column("outcome", "/outcome"),
    Column("termState", "/term/state"),
    Column("originalDueOn", "/term/originalDueOn"),
    Column("dueOn", "/term/dueOn"),
    Column("daysOver", "/term/daysOver"),
    Column("ruleStatus", "/term/ruleStatus"),
    Column("termOn", "/term/on"),
    Column("references", "/references/*/value"),
    Column("secondRoundOf", "/secondRoundOf"),
    Column("publicationState", "/publication/state"),
    Column("publishedAt", "/publication/publishedAt"),
    Column("version", "/version"),
    Column("createdAt", "/createdAt"),
    Column("modifiedAt", "/modifiedAt"),
    Column("deleted", "/deleted"),
];
