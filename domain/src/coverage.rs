//! What is here and what is missing, per council and year (dekking): never a silent hole. It counts what is not published too, and
//! no draft: advice counts once it was received or stood in a portal's list.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{Origin, ResponseKind};
use crate::ids::CouncilCode;
use crate::metrics::facts::Facts;
use crate::metrics::packed::PackedAdvice;

/// The first year of which every council has a row: that of the first term of office.
pub const FIRST_YEAR: i32 = 2022;

/// After how many calendar days without an answer the day of the answer counts as missing.
pub const ANSWER_EXPECTED_AFTER_DAYS: i64 = 180;

/// Whether what is known is whole (volledigheid).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// Of all that is known nothing is missing.
    Complete,
    /// Something is missing of what is known.
    Partial,
    /// Nothing is known.
    None,
}

/// What is here of one council and year (dekking).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoverageRow {
    /// The council (raad).
    pub council: CouncilCode,
    /// The year (jaar): of receipt, else of the earliest day in a list; of an agreement its plan year. Null for what bears no day
    /// at all; there is such a row only where there is such advice.
    #[schema(required = true)]
    pub year: Option<i32>,
    /// Of its advice (adviezen).
    pub advice: AdviceCoverage,
    /// Of its agreements (afspraken).
    pub agreements: AgreementCoverage,
}

/// What is known of the advice of one council and year; joint advice counts for each of its councils.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CoverageOfAdvice)]
pub struct AdviceCoverage {
    /// Advice received or listed in the year, published or not.
    pub known: usize,
    /// Of those: with the day of receipt (ontvangstdatum).
    pub with_receipt_day: usize,
    /// Of those: answered, or not ended and older than 180 days, so that a day of the answer is to be expected.
    pub answer_expected: usize,
    /// Of those expected: with the day of the answer (antwoorddatum).
    pub with_answer_day: usize,
    /// Answered, with or without a day.
    pub answered: usize,
    /// Of those answered: with an outcome (uitkomst).
    pub with_outcome: usize,
    /// Of those known: with an address at which the source can be opened (vindplaats).
    pub with_source_link: usize,
    /// Whether something is missing.
    pub state: CoverageState,
    /// What is missing, in words.
    pub why: String,
}

/// What is known of the agreements of one council and plan year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CoverageOfAgreements)]
pub struct AgreementCoverage {
    /// Agreements in the plan of the year, published or not.
    pub known: usize,
    /// Of those: with a judgement of the council (oordeel).
    pub judged: usize,
    /// Of those: with progress by the organisation (voortgang).
    pub with_progress: usize,
    /// Whether something is missing.
    pub state: CoverageState,
    /// What is missing, in words.
    pub why: String,
}

#[derive(Default)]
struct Counts {
    known: usize,
    with_receipt_day: usize,
    answer_expected: usize,
    with_answer_day: usize,
    answered: usize,
    with_outcome: usize,
    with_source_link: usize,
    agreements: usize,
    judged: usize,
    with_progress: usize,
}

/// Per year and council what is here on a day. Every council has a row in every year from 2022 to that day's, and in any other year
/// of which anything is known; with `year`, in that year alone.
pub fn coverage(facts: &Facts, on: NaiveDate, year: Option<i32>) -> Vec<CoverageRow> {
    let mut counts: BTreeMap<(Option<i32>, &CouncilCode), Counts> = BTreeMap::new();
    for advice in facts.advice.iter().filter(|advice| is_known(advice)) {
        let known_since = advice.received_on.or(advice.earliest_on);
        for council in advice.councils_on(on).filter_map(|council| facts.codes.councils.get(council)) {
            let counts = counts.entry((known_since.map(|day| day.year()), council)).or_default();
            count_advice(counts, advice, known_since, on);
        }
    }
    for agreement in facts.agreements.iter() {
        let Some(council) = facts.codes.councils.get(agreement.council) else { continue };
        let plan_year = i32::from(agreement.plan_year);
        let counts = counts.entry((Some(plan_year), council)).or_default();
        counts.agreements += 1;
        counts.judged += usize::from(!agreement.judgements.is_empty());
        counts.with_progress += usize::from(!agreement.progress.is_empty());
    }
    let years: BTreeSet<i32> = match year {
        Some(year) => BTreeSet::from([year]),
        None => (FIRST_YEAR..=on.year()).chain(counts.keys().filter_map(|(year, _)| *year)).collect(),
    };
    for year in &years {
        for council in &facts.councils {
            counts.entry((Some(*year), &council.code)).or_default();
        }
    }
    counts
        .into_iter()
        .filter(|((of, _), _)| year.is_none() || *of == year)
        .map(|((year, council), counts)| row(council, year, counts))
        .collect()
}

/// Received, or in a portal's list; never a draft.
fn is_known(advice: &PackedAdvice) -> bool {
    advice.received_on.is_some() || advice.origin == Origin::Import
}

fn count_advice(counts: &mut Counts, advice: &PackedAdvice, known_since: Option<NaiveDate>, on: NaiveDate) {
    let answer = advice.responses.iter().find(|response| response.kind == ResponseKind::Final);
    let has_ended = advice.withdrawn || advice.ended_on().is_some() || advice.ended_unknown_day;
    let is_old = known_since.is_none_or(|day| (on - day).num_days() > ANSWER_EXPECTED_AFTER_DAYS);
    let is_expected = answer.is_some() || !has_ended && is_old;
    counts.known += 1;
    counts.with_receipt_day += usize::from(advice.received_on.is_some());
    counts.answer_expected += usize::from(is_expected);
    counts.with_answer_day += usize::from(answer.is_some_and(|answer| answer.sent_on.is_some()));
    counts.answered += usize::from(answer.is_some());
    counts.with_outcome += usize::from(answer.is_some_and(|answer| !answer.points.is_empty()));
    counts.with_source_link += usize::from(advice.has_source_link);
}

fn row(council: &CouncilCode, year: Option<i32>, counts: Counts) -> CoverageRow {
    let Counts {
        known,
        with_receipt_day,
        answer_expected,
        with_answer_day,
        answered,
        with_outcome,
        with_source_link,
        agreements,
        judged,
        with_progress,
    } = counts;
    let (state, why) = judge(
        known,
        "No advice is known: none was given, or none was recorded.",
        &[
            ("the day of receipt", known, with_receipt_day),
            ("the day of the answer", answer_expected, with_answer_day),
            ("an outcome", answered, with_outcome),
            ("a source link", known, with_source_link),
        ],
    );
    let advice = AdviceCoverage {
        known,
        with_receipt_day,
        answer_expected,
        with_answer_day,
        answered,
        with_outcome,
        with_source_link,
        state,
        why,
    };
    let (state, why) = judge(
        agreements,
        "No agreement is known: none was made, or none was recorded.",
        &[("a judgement", agreements, judged), ("progress", agreements, with_progress)],
    );
    let agreements = AgreementCoverage { known: agreements, judged, with_progress, state, why };
    CoverageRow { council: council.clone(), year, advice, agreements }
}

/// The state, and why: what of how many lacks what.
fn judge(known: usize, nothing: &str, parts: &[(&str, usize, usize)]) -> (CoverageState, String) {
    if known == 0 {
        return (CoverageState::None, nothing.to_owned());
    }
    let missing: Vec<String> = parts
        .iter()
        .filter(|(_, all, with)| with < all)
        .map(|(what, all, with)| format!("{} of {all} without {what}", all - with))
        .collect();
    if missing.is_empty() {
        return (CoverageState::Complete, "Nothing is missing of what is known.".to_owned());
    }
    (CoverageState::Partial, format!("{}.", missing.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{AdviceKind, Level, PointOutcome};
    use crate::ids::AdviceId;
    use crate::metrics::facts::{AdviceFact, PointFact, ResponseFact};
    use crate::term::TermFacts;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn facts(advice: Vec<AdviceFact>) -> Facts {
        let councils = crate::reference::built_in().councils;
        let mut facts = Facts { councils, ..Facts::default() };
        advice.into_iter().for_each(|fact| facts.put_advice(fact));
        facts
    }

    fn received(number: u128, received_on: Option<&str>) -> AdviceFact {
        AdviceFact {
            id: AdviceId(uuid::Uuid::from_u128(number)),
            origin: Origin::Entered,
            kind: AdviceKind::Unsolicited,
            level: Level::Neighbourhood,
            lead: "rozenburg".parse().unwrap(),
            cosigners: Vec::new(),
            themes: Vec::new(),
            clusters: Vec::new(),
            portfolio_holder: None,
            earliest_on: None,
            term: TermFacts { received_on: received_on.map(day), ..TermFacts::default() },
            withdrawn: false,
            points: vec![1],
            responses: Vec::new(),
            follow_ups: Vec::new(),
            published_on: None,
            unpublished_on: None,
            has_source_link: true,
        }
    }

    fn answer(sent_on: Option<&str>, with_points: bool) -> ResponseFact {
        let point = PointFact { number: 1, outcome: PointOutcome::Adopted, has_reasons: false };
        ResponseFact {
            kind: ResponseKind::Final,
            sent_on: sent_on.map(day),
            has_considerations: false,
            shared_on: None,
            recorded_on: None,
            points: with_points.then_some(point).into_iter().collect(),
        }
    }

    fn of<'a>(rows: &'a [CoverageRow], council: &str, year: Option<i32>) -> &'a CoverageRow {
        rows.iter().find(|row| row.council.as_str() == council && row.year == year).unwrap()
    }

    #[test]
    fn every_council_has_a_row_in_every_year_also_without_anything() {
        let rows = coverage(&facts(Vec::new()), day("2026-11-23"), None);
        assert_eq!(rows.len(), 39 * 5);
        assert!(rows.iter().all(|row| row.advice.state == CoverageState::None));
        assert!(rows.iter().all(|row| row.agreements.state == CoverageState::None));
        assert_eq!(coverage(&facts(Vec::new()), day("2026-11-23"), Some(2019)).len(), 39);
    }

    #[test]
    fn a_draft_is_not_known() {
        let rows = coverage(&facts(vec![received(1, None)]), day("2026-11-23"), None);
        assert!(rows.iter().all(|row| row.advice.known == 0));
    }

    #[test]
    fn what_is_whole_is_complete_and_what_lacks_something_says_what() {
        let mut whole = received(1, Some("2026-01-05"));
        whole.responses.push(answer(Some("2026-02-01"), true));
        let on = day("2026-11-23");
        let rows = coverage(&facts(vec![whole.clone()]), on, None);
        let advice = &of(&rows, "rozenburg", Some(2026)).advice;
        assert_eq!((advice.state, advice.known, advice.with_outcome), (CoverageState::Complete, 1, 1));

        let mut bare = received(2, None);
        bare.origin = Origin::Import;
        bare.earliest_on = Some(day("2026-03-01"));
        bare.has_source_link = false;
        bare.responses.push(answer(None, false));
        let rows = coverage(&facts(vec![whole, bare]), on, Some(2026));
        let advice = &of(&rows, "rozenburg", Some(2026)).advice;
        assert_eq!(advice.state, CoverageState::Partial);
        assert_eq!(
            advice.why,
            "1 of 2 without the day of receipt; 1 of 2 without the day of the answer; 1 of 2 without an outcome; \
             1 of 2 without a source link."
        );
    }

    #[test]
    fn an_answer_is_missing_only_once_it_was_to_be_expected() {
        let on = day("2026-11-23");
        let mut withdrawn = received(3, Some("2026-01-05"));
        withdrawn.withdrawn = true;
        let open = [received(1, Some("2026-01-05")), received(2, Some("2026-10-01")), withdrawn];
        let rows = coverage(&facts(open.to_vec()), on, None);
        let advice = &of(&rows, "rozenburg", Some(2026)).advice;
        assert_eq!((advice.known, advice.answer_expected, advice.with_answer_day), (3, 1, 0));
    }

    #[test]
    fn joint_advice_counts_for_each_and_what_bears_no_day_is_not_lost() {
        let mut joint = received(1, None);
        joint.origin = Origin::Import;
        joint.cosigners.push(("pernis".parse().unwrap(), None));
        let rows = coverage(&facts(vec![joint]), day("2026-11-23"), None);
        assert_eq!(rows.len(), 39 * 5 + 2);
        for council in ["rozenburg", "pernis"] {
            assert_eq!(of(&rows, council, None).advice.known, 1);
        }
    }
}
