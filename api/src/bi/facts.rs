//! The tables of facts, and those that tie a fact to several rows of a dimension.

use chrono::NaiveDate;
use domain::agreement::Agreement;
use domain::codes::{Origin, PublicationState};
use domain::participation_plan::ParticipationPlan;
use persistence::Stored;

use super::table::{count, table};
use crate::advice::AdviceView;
use crate::app::Registry;

table! {
    /// A row per advice (advies) as it is known now, with its term as it stands on the day in `on`.
    BiAdviceRow "advice",
    /// The table of advice (adviezen).
    BiAdviceTable
    merged on id: String = "id", "advies", "The advice.", "/advice id";
    always kind: String = "kind", "soort", "Kind of advice.", "/advice kind";
    always origin: String = "origin", "herkomst", "Where it came from; `demonstration` is made up.", "/advice origin";
    always subject: String = "subject", "onderwerp", "What it is about.", "/advice subject";
    always level: String = "level", "reikwijdte", "How far it reaches.", "/advice level";
    always lead: String = "lead", "indiener", "The council that leads it.", "/advice councils.lead";
    maybe area: String = "area", "gebied", "The area of the council that leads it.", "/councils area";
    always is_joint: bool = "isJoint", "gezamenlijk", "Whether another council signed it as well.", "/advice councils.cosigners";
    maybe letter_on: NaiveDate = "letterOn", "briefdatum", "The date on the letter.", "/advice letterOn";
    maybe submitted_on: NaiveDate = "submittedOn", "indieningsdatum", "The day it was sent in.", "/advice submittedOn";
    maybe listed_on: NaiveDate = "listedOn", "registratiedatum", "The day a portal listed it.", "/advice listedOn";
    maybe received_on: NaiveDate = "receivedOn", "ontvangstdatum", "The day of receipt: day 0 of the term.", "/advice receivedOn";
    maybe answered_on: NaiveDate = "answeredOn", "antwoorddatum", "The day the final response was sent.", "/advice answeredOn";
    maybe days_to_answer: i64 = "daysToAnswer", "dagen tot antwoord", "From receipt to the final response.", "/advice receivedOn, answeredOn", in "calendar days";
    maybe cluster: String = "cluster", "cluster", "The cluster that treats it.", "/advice cluster";
    maybe portfolio_holder: String = "portfolioHolder", "portefeuillehouder", "The office holder who answers.", "/advice portfolioHolder";
    always status: String = "status", "status", "Where it stands in the process now.", "/advice status";
    maybe outcome: String = "outcome", "uitkomst", "What the college did with it as a whole.", "/advice outcome";
    always term_state: String = "termState", "stand van de termijn", "Where the answer term stands on the day in `on`.", "/advice term.state";
    maybe original_due_on: NaiveDate = "originalDueOn", "oorspronkelijke uiterste datum", "The deadline without extensions.", "/advice term.originalDueOn";
    maybe due_on: NaiveDate = "dueOn", "uiterste datum", "The deadline: answered on it is in time.", "/advice term.dueOn";
    maybe days_over: i64 = "daysOver", "dagen over de termijn", "Past the deadline, at the answer, the end or `on`.", "/advice term.daysOver", in "calendar days";
    maybe rule_status: String = "ruleStatus", "status van de termijnregel", "On what the term rule rests.", "/advice term.ruleStatus";
    always on: NaiveDate = "on", "peildatum", "The day for which the term is given.", "/advice term.on";
    always point_count: i64 = "pointCount", "aantal adviespunten", "Its recommendations.", "/advice points", in "points";
    always response_count: i64 = "responseCount", "aantal reacties", "Responses that this caller sees.", "/advice responses", in "responses";
    always suspension_count: i64 = "suspensionCount", "aantal opschortingen", "Suspensions, void ones included.", "/advice suspensions", in "suspensions";
    always extension_count: i64 = "extensionCount", "aantal verdagingen", "Extensions, void ones included.", "/advice extensions", in "extensions";
    maybe second_round_of: String = "secondRoundOf", "tweede ronde van", "The earlier advice to whose answer it reacts.", "/advice secondRoundOf";
    maybe merged_into: String = "mergedInto", "samengevoegd met", "The advice that it goes on in.", "/advice merge.into";
    maybe withdrawn_on: NaiveDate = "withdrawnOn", "ingetrokken op", "The day it was withdrawn.", "/advice withdrawal.on";
    maybe closed_on: NaiveDate = "closedOn", "afgesloten op", "The day it was closed.", "/advice closure.on";
    maybe reference: String = "reference", "kenmerk", "The first number by which another system knows it.", "/advice references[0].value";
    maybe reference_url: String = "referenceUrl", "vindplaats", "The first address at which another system shows it.", "/advice references[].url";
    always is_published: bool = "isPublished", "gepubliceerd", "Whether the public may see it.", "/advice publication.state";
    maybe published_at: chrono::DateTime<chrono::Utc> = "publishedAt", "gepubliceerd op", "When it was published.", "/advice publication.publishedAt";
    always created_at: chrono::DateTime<chrono::Utc> = "createdAt", "vastgelegd op", "When it was first recorded.", "/advice createdAt";
}

table! {
    /// A row per council behind an advice: the lead, and co-signers.
    BiAdviceCouncilRow "advice-councils",
    /// The table of councils behind advice (indieners en medeondertekenaars).
    BiAdviceCouncilTable
    merged on advice_id: String = "adviceId", "advies", "The advice.", "/advice id";
    key council: String = "council", "raad", "The council.", "/advice councils";
    always role: String = "role", "rol", "`lead` or `cosigner`.", "/advice councils";
    maybe signed_on: NaiveDate = "signedOn", "medeondertekend op", "The day a co-signer signed; empty of the lead, of one who is invited, and where it is not known.", "/advice councils.cosigners[].signedOn";
}

table! {
    /// A row per theme of an advice.
    BiAdviceThemeRow "advice-themes",
    /// The table of themes of advice (thema's).
    BiAdviceThemeTable
    merged on advice_id: String = "adviceId", "advies", "The advice.", "/advice id";
    key theme: String = "theme", "thema", "The theme.", "/advice themes[]";
}

table! {
    /// A row per recommendation (adviespunt), with its outcome as it is now.
    BiPointRow "points",
    /// The table of points (adviespunten).
    BiPointTable
    merged on advice_id: String = "adviceId", "advies", "The advice.", "/advice id";
    key number: i64 = "number", "nummer", "Its number in the advice.", "/advice points[].number";
    always text: String = "text", "adviespunt", "The recommendation itself.", "/advice points[].text";
    maybe outcome: String = "outcome", "uitkomst", "What the college does with it.", "/advice points[].outcome";
    maybe reasons: String = "reasons", "motivering", "Why.", "/advice points[].reasons";
    maybe follow_up_state: String = "followUpState", "opvolging", "The latest follow-up.", "/advice points[].followUp.state";
    maybe follow_up_on: NaiveDate = "followUpOn", "opvolging op", "The day of the latest follow-up.", "/advice points[].followUp.on";
    maybe follow_up_due_on: NaiveDate = "followUpDueOn", "opvolging gepland op", "The day by which it should be done.", "/advice points[].followUp.dueOn";
}

table! {
    /// A row per response of the college (collegereactie).
    BiResponseRow "responses",
    /// The table of responses (collegereacties).
    BiResponseTable
    merged on advice_id: String = "adviceId", "advies", "The advice.", "/advice id";
    key id: String = "id", "reactie", "The response.", "/advice responses[].id";
    always kind: String = "kind", "soort reactie", "Kind of response.", "/advice responses[].kind";
    maybe by: String = "by", "door", "Who gives it.", "/advice responses[].by";
    maybe decided_on: NaiveDate = "decidedOn", "besloten op", "The day it was decided.", "/advice responses[].decidedOn";
    maybe sent_on: NaiveDate = "sentOn", "verzonden op", "The day it was sent.", "/advice responses[].sentOn";
    maybe days_to_send: i64 = "daysToSend", "dagen tot verzending", "From receipt to sending.", "/advice receivedOn, responses[].sentOn", in "calendar days";
    always has_considerations: bool = "hasConsiderations", "met stedelijke afweging", "Whether it holds the city-level weighing.", "/advice responses[].considerations";
    maybe shared_on: NaiveDate = "sharedOn", "afweging gedeeld op", "The day the weighing was shared with the council.", "/advice responses[].considerations.sharedOn";
    always point_count: i64 = "pointCount", "aantal adviespunten", "Points that it speaks of.", "/advice responses[].points", in "points";
    maybe recorded_at: chrono::DateTime<chrono::Utc> = "recordedAt", "vastgelegd op", "When it was recorded; empty of a list's answer.", "/advice responses[].recordedAt";
}

table! {
    /// A row per agreement (afspraak), as it stands on the day in `on`.
    BiAgreementRow "agreements",
    /// The table of agreements (afspraken).
    BiAgreementTable
    merged on id: String = "id", "afspraak", "The agreement.", "/agreements id";
    maybe accord: String = "accord", "wijkakkoord", "The accord it belongs to; empty where this reader may not see that one.", "/agreements accord";
    always council: String = "council", "raad", "The council of its accord.", "/agreements council";
    always number: String = "number", "nummer", "Its number in the plan of its year.", "/agreements number";
    always title: String = "title", "titel", "What was agreed, in short.", "/agreements title";
    always size: String = "size", "groot of klein", "Large or small.", "/agreements size";
    maybe cluster: String = "cluster", "cluster", "The cluster that owns it.", "/agreements owner.cluster";
    maybe party: String = "party", "partij", "The outside party that carries it out.", "/agreements owner.party";
    always plan_year: i64 = "planYear", "planjaar", "The year of the action plan.", "/agreements planYear";
    always agreed_on: NaiveDate = "agreedOn", "afgesproken op", "The day it was agreed.", "/agreements agreedOn";
    maybe due_on: NaiveDate = "dueOn", "gereed op", "The day by which it is to be done; empty of an ongoing one.", "/agreements dueOn";
    always state: String = "state", "stand", "Where it stands on the day in `on`.", "/agreements state";
    maybe progress_state: String = "progressState", "voortgang", "The last word of the organisation up to the day in `on`.", "/agreements progress[].state";
    maybe progress_on: NaiveDate = "progressOn", "voortgang op", "The day of that word.", "/agreements progress[].on";
    maybe colour: String = "colour", "kleur", "The last judgement of the council up to the day in `on`.", "/agreements judgements[].colour";
    maybe is_realised: bool = "isRealised", "gerealiseerd", "Whether it is realised in that judgement.", "/agreements judgements[].realised";
    maybe judged_on: NaiveDate = "judgedOn", "beoordeeld op", "The day of that judgement.", "/agreements judgements[].on";
    maybe carried_over_from: String = "carriedOverFrom", "overgenomen van", "The agreement of an earlier year that it carries on.", "/agreements carriedOverFrom";
    maybe policy_track: String = "policyTrack", "beleidstraject", "The policy track it hangs on.", "/agreements policyTrack";
    maybe advice_id: String = "adviceId", "advies", "The advice of which it carries out a point.", "/agreements advicePoint.advice";
    maybe advice_point: i64 = "advicePoint", "adviespunt", "The number of that point.", "/agreements advicePoint.point";
    always on: NaiveDate = "on", "peildatum", "The day for which state, progress and judgement are given.", "/bi/agreements on";
    always is_published: bool = "isPublished", "gepubliceerd", "Whether the public may see it.", "/agreements publication.state";
    always created_at: chrono::DateTime<chrono::Utc> = "createdAt", "vastgelegd op", "When it was first recorded.", "/agreements createdAt";
}

table! {
    /// A row per entry of the log of progress (voortgang): what the organisation says of an agreement.
    BiProgressRow "progress",
    /// The table of progress (voortgang).
    BiProgressTable
    merged on agreement_id: String = "agreementId", "afspraak", "The agreement.", "/agreements id";
    key id: String = "id", "melding", "The entry.", "/agreements progress[].id";
    always council: String = "council", "raad", "The council of the agreement.", "/agreements council";
    always state: String = "state", "voortgang", "What the organisation says.", "/agreements progress[].state";
    always reported_on: NaiveDate = "reportedOn", "peildatum", "For which day it says so.", "/agreements progress[].on";
    maybe reason: String = "reason", "reden", "Why.", "/agreements progress[].reason";
    maybe evidence_url: String = "evidenceUrl", "bewijs", "Where it can be seen.", "/agreements progress[].evidenceUrl";
}

table! {
    /// A row per entry of the log of judgements (oordelen): what the council says of an agreement.
    BiJudgementRow "judgements",
    /// The table of judgements (oordelen).
    BiJudgementTable
    merged on agreement_id: String = "agreementId", "afspraak", "The agreement.", "/agreements id";
    key id: String = "id", "oordeel", "The entry.", "/agreements judgements[].id";
    always council: String = "council", "raad", "The council of the agreement.", "/agreements council";
    always colour: String = "colour", "kleur", "Green, orange or red.", "/agreements judgements[].colour";
    always is_realised: bool = "isRealised", "gerealiseerd", "Whether it is realised in the judgement of the council.", "/agreements judgements[].realised";
    always judged_on: NaiveDate = "judgedOn", "peildatum", "For which day it says so.", "/agreements judgements[].on";
    maybe note: String = "note", "toelichting", "In the council's own words.", "/agreements judgements[].note";
}

table! {
    /// A row per finding (bevinding) of a council on a promise of a participation plan, as it stands on the day in `on`.
    BiFindingRow "findings",
    /// The table of findings (bevindingen).
    BiFindingTable
    merged on plan_id: String = "planId", "participatieplan", "The participation plan.", "/participation-plans id";
    key id: String = "id", "bevinding", "The finding.", "/participation-plans findings[].id";
    always policy_track: String = "policyTrack", "beleidstraject", "The policy track of the plan.", "/participation-plans policyTrack";
    always cluster: String = "cluster", "cluster", "The cluster that replies.", "/participation-plans cluster";
    always council: String = "council", "raad", "The council.", "/participation-plans findings[].council";
    always promise: i64 = "promise", "participatieafspraak", "The number of the promise.", "/participation-plans findings[].promise";
    always verdict: String = "verdict", "oordeel", "Kept, partly, not kept, or too early to say.", "/participation-plans findings[].verdict";
    always found_on: NaiveDate = "foundOn", "bevonden op", "The day it was found and given.", "/participation-plans findings[].on";
    maybe note: String = "note", "toelichting", "In the council's own words.", "/participation-plans findings[].note";
    maybe replied_on: NaiveDate = "repliedOn", "reactie op", "The day of the owner's reply.", "/participation-plans findings[].reply.on";
    maybe reply_due_on: NaiveDate = "replyDueOn", "reactie uiterlijk op", "The deadline of the reply.", "/participation-plans findings[].term.dueOn";
    always reply_state: String = "replyState", "stand van de termijn", "Where the term of the reply stands on the day in `on`.", "/participation-plans findings[].term.state";
    maybe reply_days_over: i64 = "replyDaysOver", "dagen over de termijn", "Past that deadline, at the reply or `on`.", "/participation-plans findings[].term.daysOver", in "calendar days";
    always on: NaiveDate = "on", "peildatum", "The day for which the term is given.", "/bi/findings on";
}

fn days_between(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Option<i64> {
    Some((to? - from?).num_days())
}

/// The row of an advice.
pub(super) fn advice(view: AdviceView, registry: &Registry) -> Vec<BiAdviceRow> {
    let imported = view.origin == Origin::Import;
    let signed = |cosigner: &domain::advice::Cosigner| imported || cosigner.signed_on.is_some();
    vec![BiAdviceRow {
        id: view.id.to_string(),
        kind: Some(view.kind.to_string()),
        origin: Some(view.origin.to_string()),
        subject: Some(view.subject),
        level: Some(view.level.to_string()),
        area: registry.council(&view.councils.lead).map(|council| council.value.area.to_string()),
        is_joint: Some(view.councils.cosigners.iter().any(signed)),
        lead: Some(view.councils.lead.to_string()),
        letter_on: view.letter_on,
        submitted_on: view.submitted_on,
        listed_on: view.listed_on,
        received_on: view.received_on,
        answered_on: view.answered_on,
        days_to_answer: days_between(view.received_on, view.answered_on),
        cluster: view.cluster.map(|cluster| cluster.to_string()),
        portfolio_holder: view.portfolio_holder.map(|holder| holder.to_string()),
        status: Some(view.status.to_string()),
        outcome: view.outcome.map(|outcome| outcome.to_string()),
        term_state: Some(view.term.state.to_string()),
        original_due_on: view.term.original_due_on,
        due_on: view.term.due_on,
        days_over: view.term.days_over,
        rule_status: view.term.rule_status.map(|status| status.to_string()),
        on: Some(view.term.on),
        point_count: count(view.points.len()),
        response_count: count(view.responses.len()),
        suspension_count: count(view.suspensions.len()),
        extension_count: count(view.extensions.len()),
        second_round_of: view.second_round_of.map(|first| first.to_string()),
        merged_into: view.merge.and_then(|merge| merge.into).map(|into| into.to_string()),
        withdrawn_on: view.withdrawal.and_then(|withdrawal| withdrawal.on),
        closed_on: view.closure.map(|closure| closure.on),
        reference: view.references.first().map(|reference| reference.value.clone()),
        reference_url: view.references.into_iter().find_map(|reference| reference.url),
        is_published: Some(view.publication.state == PublicationState::Published),
        published_at: view.publication.published_at,
        created_at: Some(view.created_at),
        deleted: false,
        modified_at: view.modified_at,
    }]
}

/// The councils behind an advice: the lead first.
pub(super) fn advice_councils(view: AdviceView, _: &Registry) -> Vec<BiAdviceCouncilRow> {
    let (id, modified_at) = (view.id.to_string(), view.modified_at);
    let lead = (view.councils.lead, "lead", None);
    let cosigners = view.councils.cosigners.into_iter();
    let cosigners = cosigners.map(|cosigner| (cosigner.council, "cosigner", cosigner.signed_on));
    std::iter::once(lead)
        .chain(cosigners)
        .map(|(council, role, signed_on)| BiAdviceCouncilRow {
            advice_id: id.clone(),
            council: Some(council.to_string()),
            role: Some(role.to_owned()),
            signed_on,
            deleted: false,
            modified_at,
        })
        .collect()
}

/// The themes of an advice.
pub(super) fn advice_themes(view: AdviceView, _: &Registry) -> Vec<BiAdviceThemeRow> {
    let (id, modified_at) = (view.id.to_string(), view.modified_at);
    let themes = view.themes.into_iter();
    themes
        .map(|theme| BiAdviceThemeRow {
            advice_id: id.clone(),
            theme: Some(theme.to_string()),
            deleted: false,
            modified_at,
        })
        .collect()
}

/// The points of an advice.
pub(super) fn points(view: AdviceView, _: &Registry) -> Vec<BiPointRow> {
    let (id, modified_at) = (view.id.to_string(), view.modified_at);
    let points = view.points.into_iter();
    points
        .map(|point| BiPointRow {
            advice_id: id.clone(),
            number: Some(i64::from(point.number)),
            text: Some(point.text),
            outcome: point.outcome.map(|outcome| outcome.to_string()),
            reasons: point.reasons,
            follow_up_state: point.follow_up.as_ref().map(|follow_up| follow_up.state.to_string()),
            follow_up_on: point.follow_up.as_ref().map(|follow_up| follow_up.on),
            follow_up_due_on: point.follow_up.and_then(|follow_up| follow_up.due_on),
            deleted: false,
            modified_at,
        })
        .collect()
}

/// The responses to an advice that the caller sees.
pub(super) fn responses(view: AdviceView, _: &Registry) -> Vec<BiResponseRow> {
    let (id, received_on, modified_at) = (view.id.to_string(), view.received_on, view.modified_at);
    let responses = view.responses.into_iter();
    responses
        .map(|response| BiResponseRow {
            advice_id: id.clone(),
            id: Some(response.id.to_string()),
            kind: Some(response.kind.to_string()),
            by: response.by.map(|by| by.to_string()),
            decided_on: response.decided_on,
            sent_on: response.sent_on,
            days_to_send: days_between(received_on, response.sent_on),
            has_considerations: Some(response.considerations.is_some()),
            shared_on: response.considerations.and_then(|weighed| weighed.shared_on),
            point_count: count(response.points.len()),
            recorded_at: response.recorded_at,
            deleted: false,
            modified_at,
        })
        .collect()
}

/// The row of an agreement.
pub(super) fn agreements(stored: Stored<Agreement>, on: NaiveDate) -> Vec<BiAgreementRow> {
    let Stored { value, stamp } = stored;
    let (progress, judgement) = (value.progress_on(on).cloned(), value.judgement_on(on).cloned());
    let (state, accord) = (value.state_on(on), value.shown_accord());
    let text = value.text;
    vec![BiAgreementRow {
        id: value.id.to_string(),
        accord: accord.map(|accord| accord.to_string()),
        council: Some(value.council.to_string()),
        number: Some(text.number),
        title: Some(text.title),
        size: Some(text.size.to_string()),
        cluster: text.owner.cluster.map(|cluster| cluster.to_string()),
        party: text.owner.party,
        plan_year: Some(i64::from(text.plan_year)),
        agreed_on: Some(text.agreed_on),
        due_on: text.due_on,
        state: Some(state.to_string()),
        progress_state: progress.as_ref().map(|progress| progress.state.to_string()),
        progress_on: progress.map(|progress| progress.on),
        colour: judgement.as_ref().map(|judgement| judgement.colour.to_string()),
        is_realised: judgement.as_ref().map(|judgement| judgement.realised),
        judged_on: judgement.map(|judgement| judgement.on),
        carried_over_from: text.carried_over_from.map(|earlier| earlier.to_string()),
        policy_track: text.policy_track.map(|track| track.to_string()),
        advice_id: text.advice_point.as_ref().map(|point| point.advice.to_string()),
        advice_point: text.advice_point.map(|point| i64::from(point.point)),
        on: Some(on),
        is_published: Some(value.publication.state == PublicationState::Published),
        created_at: Some(stamp.created_at),
        deleted: false,
        modified_at: stamp.modified_at,
    }]
}

/// What the organisation said of an agreement.
pub(super) fn progress(stored: Stored<Agreement>, _: NaiveDate) -> Vec<BiProgressRow> {
    let Stored { value, stamp } = stored;
    let (id, council) = (value.id.to_string(), value.council.to_string());
    let entries = value.progress.into_iter();
    entries
        .map(|entry| BiProgressRow {
            agreement_id: id.clone(),
            id: Some(entry.id.to_string()),
            council: Some(council.clone()),
            state: Some(entry.state.to_string()),
            reported_on: Some(entry.on),
            reason: entry.reason,
            evidence_url: entry.evidence_url,
            deleted: false,
            modified_at: stamp.modified_at,
        })
        .collect()
}

/// What the council said of an agreement.
pub(super) fn judgements(stored: Stored<Agreement>, _: NaiveDate) -> Vec<BiJudgementRow> {
    let Stored { value, stamp } = stored;
    let (id, council) = (value.id.to_string(), value.council.to_string());
    let entries = value.judgements.into_iter();
    entries
        .map(|entry| BiJudgementRow {
            agreement_id: id.clone(),
            id: Some(entry.id.to_string()),
            council: Some(council.clone()),
            colour: Some(entry.colour.to_string()),
            is_realised: Some(entry.realised),
            judged_on: Some(entry.on),
            note: entry.note,
            deleted: false,
            modified_at: stamp.modified_at,
        })
        .collect()
}

/// What councils found of the promises of a plan.
pub(super) fn findings(stored: Stored<ParticipationPlan>, on: NaiveDate) -> Vec<BiFindingRow> {
    let Stored { value, stamp } = stored;
    let (id, track, cluster) =
        (value.id.to_string(), value.text.policy_track.to_string(), value.cluster.to_string());
    let findings = value.findings.into_iter();
    findings
        .map(|finding| {
            let term = finding.term_on(on);
            BiFindingRow {
                plan_id: id.clone(),
                id: Some(finding.id.to_string()),
                policy_track: Some(track.clone()),
                cluster: Some(cluster.clone()),
                council: Some(finding.found.council.to_string()),
                promise: Some(i64::from(finding.found.promise)),
                verdict: Some(finding.found.verdict.to_string()),
                found_on: Some(finding.found.on),
                note: finding.found.note,
                replied_on: finding.reply.map(|reply| reply.on),
                reply_due_on: term.due_on,
                reply_state: Some(term.state.to_string()),
                reply_days_over: term.days_over,
                on: Some(on),
                deleted: false,
                modified_at: stamp.modified_at,
            }
        })
        .collect()
}
