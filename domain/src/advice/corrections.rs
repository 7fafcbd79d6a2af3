//! Corrections: a value that was recorded wrongly is replaced, both values stay, the rules are checked again and the
//! clock is computed again.

use chrono::NaiveDate;

use super::transitions::latest_step;
use super::{Advice, AdviceRecord, AsCorrector, CorrectedValue, Correction, CorrectionBody};
use crate::codes::{Origin, ResponseKind};
use crate::error::{Faults, room_for_one_more};
use crate::error::{FieldError, RuleError};
use crate::ids::PartId;
use crate::term::{self, TermRule};

/// Whose right it is to correct a field: who may record it may correct it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionRight {
    /// The coordinator of the lead council.
    Coordinator,
    /// The cluster that treats the advice.
    Cluster,
    /// The college's office.
    College,
}

/// A field that can be corrected. Parts are named by their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Subject,
    Summary,
    LetterOn,
    ListedOn,
    MeetingOn,
    RatifiedOn,
    Quorum,
    VotesFor,
    VotesAgainst,
    SubmittedOn,
    WithdrawalOn,
    ReceivedOn,
    PortfolioHolder,
    TreatmentOn,
    ClosureOn,
    SuspensionFrom(usize),
    SuspensionTo(usize),
    SuspensionDecidedOn(usize),
    ExtensionDays(usize),
    ExtensionDecidedOn(usize),
    ResponseDecidedOn(usize),
    ResponseSentOn(usize),
}

impl AdviceRecord {
    /// Whose right it is to correct the field; refused where there is no such field, or nothing in it yet.
    pub fn correction_right(&self, field: &str) -> Result<CorrectionRight, RuleError> {
        Ok(match self.correctable(field)? {
            Field::Subject
            | Field::Summary
            | Field::LetterOn
            | Field::ListedOn
            | Field::MeetingOn
            | Field::RatifiedOn
            | Field::Quorum
            | Field::VotesFor
            | Field::VotesAgainst
            | Field::SubmittedOn
            | Field::WithdrawalOn => CorrectionRight::Coordinator,
            Field::ReceivedOn
            | Field::PortfolioHolder
            | Field::TreatmentOn
            | Field::ClosureOn
            | Field::SuspensionFrom(_)
            | Field::SuspensionTo(_)
            | Field::SuspensionDecidedOn(_)
            | Field::ExtensionDays(_)
            | Field::ExtensionDecidedOn(_) => CorrectionRight::Cluster,
            Field::ResponseDecidedOn(index) | Field::ResponseSentOn(index) => {
                match self.responses[index].kind {
                    ResponseKind::Acknowledgement | ResponseKind::Interim => CorrectionRight::Cluster,
                    ResponseKind::Final | ResponseKind::Revised => CorrectionRight::College,
                }
            }
        })
    }

    fn correctable(&self, field: &str) -> Result<Field, RuleError> {
        let parts: Vec<&str> = field.split('.').collect();
        let part = |ids: Vec<PartId>, id: &str| ids.iter().position(|known| known.to_string() == id);
        let suspension = |id| part(self.suspensions.iter().map(|suspension| suspension.id).collect(), id);
        let extension = |id| part(self.extensions.iter().map(|extension| extension.id).collect(), id);
        let response = |id| part(self.responses.iter().map(|response| response.id).collect(), id);
        let adoption = self.adoption.as_ref();
        let received = self.received.as_ref();
        let found = match parts.as_slice() {
            ["subject"] => Some(Field::Subject),
            ["summary"] => Some(Field::Summary),
            ["letterOn"] => Some(Field::LetterOn),
            ["listedOn"] => Some(Field::ListedOn),
            ["adoption", "meetingOn"] => adoption.map(|_| Field::MeetingOn),
            ["adoption", "ratifiedOn"] => adoption.map(|_| Field::RatifiedOn),
            ["adoption", "quorum"] => adoption.map(|_| Field::Quorum),
            ["adoption", "votesFor"] => adoption.map(|_| Field::VotesFor),
            ["adoption", "votesAgainst"] => adoption.map(|_| Field::VotesAgainst),
            ["submittedOn"] => self.submitted_on.map(|_| Field::SubmittedOn),
            ["withdrawal", "on"] => self.withdrawal.as_ref().map(|_| Field::WithdrawalOn),
            ["receivedOn"] => received.map(|_| Field::ReceivedOn),
            ["portfolioHolder"] => received.map(|_| Field::PortfolioHolder),
            ["treatment", "on"] => self.treated_on.map(|_| Field::TreatmentOn),
            ["closure", "on"] => self.closure.as_ref().map(|_| Field::ClosureOn),
            ["suspensions", id, "from"] => suspension(id).map(Field::SuspensionFrom),
            ["suspensions", id, "to"] => suspension(id).map(Field::SuspensionTo),
            ["suspensions", id, "decidedOn"] => suspension(id).map(Field::SuspensionDecidedOn),
            ["extensions", id, "days"] => extension(id).map(Field::ExtensionDays),
            ["extensions", id, "decidedOn"] => extension(id).map(Field::ExtensionDecidedOn),
            ["responses", id, "decidedOn"] => response(id).map(Field::ResponseDecidedOn),
            ["responses", id, "sentOn"] => response(id).map(Field::ResponseSentOn),
            _ => None,
        };
        found.ok_or_else(|| {
            RuleError::invalid(
                "/field",
                "correction.no_such_field",
                "is not a field that can be corrected, or nothing was recorded in it yet",
            )
        })
    }
}

impl AsCorrector {
    /// Replaces the value and checks the rules again. The frozen term rule stays, unless the new day of receipt lies
    /// outside its validity; then the rule of that day is frozen, and the correction says so.
    pub fn correct(
        self,
        body: CorrectionBody,
        rules: &[TermRule],
        today: NaiveDate,
    ) -> Result<Advice, RuleError> {
        let Self(mut advice) = self;
        let CorrectionBody { field: name, value, reason } = body;
        let field = advice.correctable(&name)?;
        if advice.withdrawal.is_none() && advice.adoption.is_none() && advice.origin != Origin::Import {
            return Err(RuleError::conflict(
                "draft-is-changed",
                "A draft is not corrected but changed, with PATCH.",
            ));
        }
        let was = exchange(&mut advice.0, field, &value)?;
        if was == value {
            return Err(RuleError::invalid("/value", "correction.same", "is what stands there already"));
        }
        let mut rule_changed = false;
        if field == Field::ReceivedOn {
            let (kind, level) = (advice.text.kind, advice.text.level);
            if let Some(received) = advice.0.received.as_mut() {
                let outside = received.received_on < received.rule.valid_from
                    || received.rule.valid_to.is_some_and(|last| received.received_on > last);
                if outside {
                    received.rule = term::choose_rule(rules, kind, level, received.received_on, None)?;
                    rule_changed = true;
                }
            }
        }
        check_order(&advice.0, today)?;
        room_for_one_more(advice.0.corrections.len())?;
        advice.0.corrections.push(Correction {
            on: today,
            field: name,
            was,
            is: value,
            reason: Some(reason),
            rule_changed,
        });
        Ok(advice)
    }
}

/// Puts the value in its place and gives back what stood there.
fn exchange(
    record: &mut AdviceRecord,
    field: Field,
    value: &CorrectedValue,
) -> Result<CorrectedValue, RuleError> {
    let missing =
        || RuleError::invalid("/field", "correction.no_such_field", "nothing was recorded in it yet");
    match field {
        Field::Subject => swap(&mut record.text.subject, text(value, 300)?, |text: &String| as_text(text)),
        Field::Summary => swap_optional(
            &mut record.text.summary,
            optional(value, |value| text(value, 10_000))?,
            |text: &String| as_text(text),
        ),
        Field::LetterOn => swap_optional(&mut record.text.letter_on, optional(value, date)?, as_date),
        Field::ListedOn => swap_optional(&mut record.text.listed_on, optional(value, date)?, as_date),
        Field::MeetingOn => {
            swap(&mut record.adoption.as_mut().ok_or_else(missing)?.meeting_on, date(value)?, as_date)
        }
        Field::RatifiedOn => swap_optional(
            &mut record.adoption.as_mut().ok_or_else(missing)?.ratified_on,
            optional(value, date)?,
            as_date,
        ),
        Field::Quorum => {
            swap(&mut record.adoption.as_mut().ok_or_else(missing)?.quorum, flag(value)?, |flag| {
                CorrectedValue::Flag(*flag)
            })
        }
        Field::VotesFor => swap(
            &mut record.adoption.as_mut().ok_or_else(missing)?.votes_for,
            number(value, 0, 100)?,
            as_number,
        ),
        Field::VotesAgainst => swap(
            &mut record.adoption.as_mut().ok_or_else(missing)?.votes_against,
            number(value, 0, 100)?,
            as_number,
        ),
        Field::SubmittedOn => swap(record.submitted_on.as_mut().ok_or_else(missing)?, date(value)?, as_date),
        Field::WithdrawalOn => swap_optional(
            &mut record.withdrawal.as_mut().ok_or_else(missing)?.on,
            Some(date(value)?),
            as_date,
        ),
        Field::ReceivedOn => {
            swap(&mut record.received.as_mut().ok_or_else(missing)?.received_on, date(value)?, as_date)
        }
        Field::PortfolioHolder => {
            let holder = optional(value, |value| {
                text(value, 36)?.parse().map_err(|_| wrong_type("the id of an office holder"))
            })?;
            swap_optional(
                &mut record.received.as_mut().ok_or_else(missing)?.portfolio_holder,
                holder,
                |holder: &crate::ids::OfficeHolderId| CorrectedValue::Text(holder.to_string()),
            )
        }
        Field::TreatmentOn => swap(record.treated_on.as_mut().ok_or_else(missing)?, date(value)?, as_date),
        Field::ClosureOn => swap(&mut record.closure.as_mut().ok_or_else(missing)?.on, date(value)?, as_date),
        Field::SuspensionFrom(index) => swap(&mut record.suspensions[index].from, date(value)?, as_date),
        Field::SuspensionTo(index) => {
            swap_optional(&mut record.suspensions[index].to, optional(value, date)?, as_date)
        }
        Field::SuspensionDecidedOn(index) => {
            swap(&mut record.suspensions[index].decided_on, date(value)?, as_date)
        }
        Field::ExtensionDays(index) => {
            swap(&mut record.extensions[index].days, number(value, 1, 366)?, as_number)
        }
        Field::ExtensionDecidedOn(index) => {
            swap(&mut record.extensions[index].decided_on, date(value)?, as_date)
        }
        Field::ResponseDecidedOn(index) => {
            swap_optional(&mut record.responses[index].decided_on, Some(date(value)?), as_date)
        }
        Field::ResponseSentOn(index) => {
            let response = &record.responses[index];
            let closed_with = (response.kind == ResponseKind::Final).then_some(response.sent_on).flatten();
            let sent_on = date(value)?;
            // A suspension that this response closed at `sentOn` moves with it.
            for suspension in &mut record.suspensions {
                if closed_with.is_some() && suspension.to == closed_with {
                    suspension.to = Some(sent_on);
                }
            }
            swap_optional(&mut record.responses[index].sent_on, Some(sent_on), as_date)
        }
    }
}

fn swap<T>(
    place: &mut T,
    value: T,
    show: impl Fn(&T) -> CorrectedValue,
) -> Result<CorrectedValue, RuleError> {
    Ok(show(&std::mem::replace(place, value)))
}

fn swap_optional<T>(
    place: &mut Option<T>,
    value: Option<T>,
    show: impl Fn(&T) -> CorrectedValue,
) -> Result<CorrectedValue, RuleError> {
    Ok(std::mem::replace(place, value).map_or(CorrectedValue::Nothing(None), |was| show(&was)))
}

fn as_text(text: &str) -> CorrectedValue {
    CorrectedValue::Text(text.to_owned())
}

fn as_date(on: &NaiveDate) -> CorrectedValue {
    CorrectedValue::Text(on.to_string())
}

fn as_number(number: &u16) -> CorrectedValue {
    CorrectedValue::Number(i64::from(*number))
}

fn wrong_type(expected: &str) -> RuleError {
    RuleError::invalid("/value", "type", format!("expected {expected}"))
}

fn optional<T>(
    value: &CorrectedValue,
    read: impl Fn(&CorrectedValue) -> Result<T, RuleError>,
) -> Result<Option<T>, RuleError> {
    match value {
        CorrectedValue::Nothing(_) => Ok(None),
        other => read(other).map(Some),
    }
}

fn text(value: &CorrectedValue, most: usize) -> Result<String, RuleError> {
    match value {
        CorrectedValue::Text(text) if !text.trim().is_empty() && text.chars().count() <= most => {
            Ok(text.clone())
        }
        _ => Err(wrong_type(&format!("a text of 1 to {most} characters"))),
    }
}

fn date(value: &CorrectedValue) -> Result<NaiveDate, RuleError> {
    match value {
        CorrectedValue::Text(text) => {
            let date = text.parse().ok().filter(|date: &NaiveDate| date.to_string() == *text);
            date.ok_or_else(|| wrong_type("a date, YYYY-MM-DD"))
        }
        _ => Err(wrong_type("a date, YYYY-MM-DD")),
    }
}

fn number(value: &CorrectedValue, least: u16, most: u16) -> Result<u16, RuleError> {
    match value {
        CorrectedValue::Number(number) => {
            u16::try_from(*number).ok().filter(|number| (least..=most).contains(number))
        }
        _ => None,
    }
    .ok_or_else(|| wrong_type(&format!("a whole number from {least} to {most}")))
}

fn flag(value: &CorrectedValue) -> Result<bool, RuleError> {
    match value {
        CorrectedValue::Flag(flag) => Ok(*flag),
        _ => Err(wrong_type("true or false")),
    }
}

/// Rule 4 and the order within each step, on the record as it would be.
fn check_order(record: &AdviceRecord, today: NaiveDate) -> Result<(), RuleError> {
    let mut faults = Faults::default();
    let adopted_on = record.adoption.as_ref().map(|adoption| adoption.meeting_on);
    let received_on = record.received.as_ref().map(|received| received.received_on);
    let final_sent_on = record.final_response().and_then(|response| response.sent_on);

    // What the rules ask of a new step they ask of a corrected one; on imported history they only report.
    let strict = record.origin != Origin::Import;
    let mut order = |on: Option<NaiveDate>, after: Option<NaiveDate>, what: &str| {
        if let Some(on) = on {
            faults.happened("/value", on, today);
            if strict {
                faults.not_before("/value", on, after, what);
            }
        }
    };
    order(record.text.letter_on, None, "");
    order(record.text.listed_on, None, "");
    order(adopted_on, None, "");
    order(record.adoption.as_ref().and_then(|adoption| adoption.ratified_on), adopted_on, "meeting");
    order(record.submitted_on, adopted_on, "adoption");
    order(received_on, record.submitted_on, "submission");
    order(record.treated_on, received_on, "receipt");
    order(
        record.withdrawal.as_ref().and_then(|withdrawal| withdrawal.on),
        latest_step(record),
        "latest step",
    );
    order(record.merge.as_ref().map(|merge| merge.on), received_on, "receipt");
    for forwarding in &record.forwardings {
        order(Some(forwarding.on), received_on, "receipt");
    }
    for suspension in &record.suspensions {
        order(Some(suspension.from), received_on, "receipt");
        order(Some(suspension.decided_on), received_on, "receipt");
        order(suspension.to, Some(suspension.from), "first day of the suspension");
    }
    for extension in &record.extensions {
        order(Some(extension.decided_on), received_on, "receipt");
    }
    for response in &record.responses {
        order(response.decided_on, received_on, "receipt");
        order(response.sent_on, response.decided_on.or(received_on), "decision");
        if response.kind == ResponseKind::Revised {
            order(response.sent_on, final_sent_on, "final response");
        }
    }
    for follow_up in &record.follow_ups {
        order(Some(follow_up.on), final_sent_on, "answer");
    }
    for rating in &record.ratings {
        order(Some(rating.on), final_sent_on, "answer");
    }
    let last_follow_up = record.follow_ups.iter().map(|follow_up| follow_up.on).max();
    order(
        record.closure.as_ref().map(|closure| closure.on),
        final_sent_on.max(last_follow_up),
        "latest step",
    );
    if final_sent_on.is_some() && record.suspensions.iter().any(|suspension| suspension.to.is_none()) {
        faults.add("/value", "date.order", "the final response closed this suspension, so it has a last day");
    }
    let no_majority =
        record.adoption.as_ref().is_some_and(|adoption| adoption.votes_for <= adoption.votes_against);
    if no_majority {
        faults.add("/value", "adoption.no_majority", "there must be more votes for than against");
    }
    faults.done()?;

    let mut facts = record.term_facts();
    let suspensions = std::mem::take(&mut facts.suspensions);
    for suspension in &suspensions {
        // An answer sent on its first day leaves it empty, and an empty one overlaps nothing.
        if suspension.to == Some(suspension.from) && suspension.to == final_sent_on {
            continue;
        }
        term::check_suspension(&facts, suspension).map_err(in_value)?;
        facts.suspensions.push(suspension.clone());
    }
    Ok(())
}

/// A correction has one place for what is wrong.
fn in_value(refusal: RuleError) -> RuleError {
    match refusal {
        RuleError::Invalid(errors) => RuleError::Invalid(
            errors.into_iter().map(|error| FieldError { location: "/value".to_owned(), ..error }).collect(),
        ),
        conflict @ RuleError::Conflict { .. } => conflict,
    }
}
