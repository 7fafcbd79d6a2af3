//! Figures that were calculated by hand.

use super::city::*;
use super::*;
use crate::codes::*;
use crate::metrics::facts::AdviceFact;
use crate::term::{EndReason, TermFacts, built_in_rules};

fn golden() -> Facts {
    with_advice(empty_city(), golden_cases())
}

fn excluded(row: &Row) -> String {
    let each: Vec<_> = row.excluded.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    each.join(", ")
}

fn interval(figure: &Figure) -> String {
    let Figure::Share(share) = figure else { panic!("no share") };
    let text = |value: Option<Decimal4>| value.map_or("-".to_owned(), |value| value.to_string());
    format!("{} ({}-{})", text(share.value()), text(share.low()), text(share.high()))
}

#[test]
fn the_golden_cases_are_answered_in_time_as_designed() {
    let answer = compute(metric("answered-in-time"), &golden(), &over_2025(Cohort::Due, &[]));
    assert_eq!(short(&answer.total.figure), "5/9");
    assert_eq!(interval(&answer.total.figure), "0.5556 (0.2667-0.8112)");
    assert_eq!(excluded(&answer.total), "not_due 1, suspended 1, withdrawn 1");
    assert_eq!(answer.total.rule_status, Some(RuleStatus::Assumption));
    assert!(answer.total.small && answer.additive && answer.rows.is_empty() && answer.warnings.is_empty());
}

#[test]
fn the_original_term_has_the_same_whole() {
    let answer = compute(metric("answered-in-original-term"), &golden(), &over_2025(Cohort::Due, &[]));
    assert_eq!(short(&answer.total.figure), "4/9");
    assert_eq!(interval(&answer.total.figure), "0.4444 (0.1888-0.7333)");
    assert_eq!(excluded(&answer.total), "not_due 1, suspended 1, withdrawn 1");
}

#[test]
fn counting_the_answered_only_flatters_and_says_so() {
    let answer = compute(metric("answered-in-time"), &golden(), &over_2025(Cohort::Answered, &[]));
    assert_eq!(short(&answer.total.figure), "5/7");
    assert_eq!(answer.warnings[0].code, "cohort-flatters");
    let received = compute(metric("answered-in-time"), &golden(), &over_2025(Cohort::Received, &[]));
    assert_eq!(short(&received.total.figure), "5/9");
    assert_eq!(received.warnings, []);
}

#[test]
fn the_median_time_to_answer_takes_the_open_ones_along() {
    let answer = compute(metric("response-time"), &golden(), &over_2025(Cohort::Received, &[]));
    let Figure::Times(times) = &answer.total.figure else { panic!("no times") };
    assert_eq!((times.n, times.events, times.median, times.p80, times.p90), (12, 7, Some(56), None, None));
    assert_eq!(times.lower_bound, Some(121));
    // Only the answered ones would have said 43.
    assert_eq!(median(vec![35, 42, 43, 43, 63, 63, 56]), Some(43));
}

#[test]
fn by_council_every_council_has_its_row() {
    let query = over_2025(Cohort::Due, &[Dimension::Council]);
    let mut facts = golden();
    facts.councils.push(crate::council::Council { code: council("w4"), ..facts.councils[0].clone() });
    let answer = compute(metric("answered-in-time"), &facts, &query);
    let rows: Vec<_> =
        answer.rows.iter().map(|row| (short_key(row), short(&row.figure), excluded(row))).collect();
    let expected = [
        ("w1", "3/4", ""),
        ("w2", "2/4", ""),
        ("w3", "0/1", "not_due 1, suspended 1, withdrawn 1"),
        ("w4", "0/0", ""),
    ];
    assert_eq!(rows, expected.map(|(key, share, out)| (key.to_owned(), share.to_owned(), out.to_owned())));
    assert!(!answer.additive);
    assert_eq!(answer.rows[3].rule_status, None);
}

#[test]
fn without_a_table_of_councils_all_39_have_a_row() {
    let answer =
        compute(metric("volume"), &Facts::default(), &over_2025(Cohort::Received, &[Dimension::Council]));
    assert_eq!(answer.rows.len(), 39);
    assert!(answer.rows.iter().all(|row| row.figure == Figure::Count(0)));
}

#[test]
fn time_follows_the_deadline_and_what_has_none_in_the_period_has_a_row_of_its_own() {
    let answer =
        compute(metric("answered-in-time"), &golden(), &over_2025(Cohort::Due, &[Dimension::Quarter]));
    let rows: Vec<_> =
        answer.rows.iter().map(|row| [short_key(row), short(&row.figure), excluded(row)].join(" ")).collect();
    let expected = [
        "2025-Q1 1/1 ",
        "2025-Q2 2/2 ",
        "2025-Q3 1/4 ",
        "2025-Q4 1/2 withdrawn 1",
        "- 0/0 not_due 1, suspended 1",
    ];
    assert_eq!(rows, expected);
    assert!(answer.additive);
}

#[test]
fn what_has_no_norm_has_no_year_however_long_the_period() {
    let letter = advice(1, "w1", "2025-03-01");
    let no_norm = built_in_rules().remove(1);
    let letter = AdviceFact { term: TermFacts { rule: Some(no_norm), ..letter.term }, ..letter };
    let to = d("2200-12-31");
    let query = Query { to, ..over_2025(Cohort::Due, &[Dimension::Year]) };
    let answer = compute(metric("answered-in-time"), &with_advice(empty_city(), [letter]), &query);
    let told: Vec<_> = answer.rows.iter().filter(|row| !row.excluded.is_empty()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((short_key(told[0]).as_str(), excluded(told[0]).as_str()), ("-", "no_norm 1"));
}

#[test]
fn a_joint_advice_counts_for_each_council_and_once_in_the_total() {
    let joint = AdviceFact {
        cosigners: vec![(council("w2"), Some(d("2025-01-05"))), (council("w3"), Some(d("2026-01-05")))],
        ..advice(1, "w1", "2025-01-06")
    };
    let facts = with_advice(empty_city(), [joint]);
    let rows = |dimension| {
        let answer = compute(metric("volume"), &facts, &over_2025(Cohort::Received, &[dimension]));
        assert!(!answer.additive);
        assert_eq!(answer.total.figure, Figure::Count(1));
        answer.rows.iter().map(|row| row.figure.n()).collect::<Vec<_>>()
    };
    assert_eq!(rows(Dimension::Council), [1, 1, 0]);
    // Two of its councils lie in one area.
    assert_eq!(rows(Dimension::Area), [1, 0]);
    let share = compute(metric("joint-advice"), &facts, &over_2025(Cohort::Received, &[]));
    assert_eq!(short(&share.total.figure), "1/1");
}

#[test]
fn two_dimensions_cross_and_show_nothing_without_a_value_that_is_not_there() {
    let query = over_2025(Cohort::Received, &[Dimension::Theme, Dimension::Level]);
    let answer = compute(metric("volume"), &golden(), &query);
    let rows: Vec<_> =
        answer.rows.iter().map(|row| format!("{} {}", short_key(row), row.figure.n())).collect();
    let expected = [
        "housing neighbourhood 0",
        "housing cross_neighbourhood 0",
        "housing city 0",
        "mobility neighbourhood 0",
        "mobility cross_neighbourhood 0",
        "mobility city 0",
        "- neighbourhood 12",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn forwarded_in_time_is_answered_and_forwarded_late_is_late() {
    let by = |on| advice(1, "w1", "2025-09-01").ended(on, EndReason::Forwarded);
    let of = |advice| {
        let facts = with_advice(empty_city(), [advice]);
        ["answered-in-time", "answered-in-original-term"]
            .map(|code| short(&compute(metric(code), &facts, &over_2025(Cohort::Due, &[])).total.figure))
    };
    assert_eq!(of(by("2025-10-13")), ["1/1", "1/1"]);
    assert_eq!(of(by("2025-10-14")), ["0/1", "0/1"]);
    assert_eq!(of(by("2025-10-20").extended(28, "2025-09-10")), ["1/1", "0/1"]);
}

#[test]
fn a_merged_advice_counts_as_a_withdrawn_one_under_its_own_reason() {
    let of = |on| {
        let merged = advice(1, "w1", "2025-09-01").ended(on, EndReason::Merged);
        let answer = compute(
            metric("answered-in-time"),
            &with_advice(empty_city(), [merged]),
            &over_2025(Cohort::Due, &[]),
        );
        (short(&answer.total.figure), excluded(&answer.total))
    };
    assert_eq!(of("2025-10-13"), ("0/0".to_owned(), "merged 1".to_owned()));
    assert_eq!(of("2025-10-14"), ("0/1".to_owned(), String::new()));
}

#[test]
fn what_was_settled_before_the_period_is_not_of_its_population() {
    let query = Query { from: d("2025-07-01"), ..over_2025(Cohort::Due, &[]) };
    let answer = compute(metric("answered-in-time"), &golden(), &query);
    // A04, A05, A06, A07, A08 and A11; the first three were answered before July.
    assert_eq!(short(&answer.total.figure), "2/6");
    let later = Query { from: d("2025-08-01"), ..query };
    let answer = compute(metric("answered-in-time"), &golden(), &later);
    assert_eq!(excluded(&answer.total), "not_due 1, due_earlier 2, suspended 1, withdrawn 1");
}

#[test]
fn what_a_list_gives_without_receipt_stays_out_and_is_shown() {
    let lapsed = AdviceFact { withdrawn: true, ..listed(2, "w1", Some("2024-02-01")) };
    let answered_before = listed(4, "w1", Some("2024-02-01")).answered("2024-06-01");
    let later = listed(5, "w1", Some("2026-01-05"));
    let facts = with_advice(
        empty_city(),
        [listed(1, "w1", Some("2025-04-01")), lapsed, listed(3, "w1", None), answered_before, later],
    );
    for code in ["answered-in-time", "volume", "response-time", "outcomes"] {
        let answer = compute(metric(code), &facts, &over_2025(metric(code).cohorts[0], &[]));
        assert_eq!(answer.total.figure.n(), 0, "{code}");
        assert_eq!(excluded(&answer.total), "withdrawn 1, unknown_dates 2", "{code}");
    }
}

#[test]
fn what_is_open_and_late_counts_however_old() {
    let facts = with_advice(golden(), [advice(13, "w1", "2023-01-02")]);
    let query = over_2025(Cohort::Received, &[Dimension::Year]);
    let answer = compute(metric("open-late"), &facts, &query);
    assert_eq!(answer.total.figure, Figure::Count(2));
    // 79 days, and from 13 February 2023.
    assert_eq!(answer.total.parts[1], ("longest-days-over", Part::Number(Some(1052))));
    assert_eq!(answer.total.parts[0], ("total-days-over", Part::Number(Some(1131))));
    let rows: Vec<_> = answer.rows.iter().map(|row| (short_key(row), row.figure.n())).collect();
    assert_eq!(rows, [("2025".to_owned(), 1), ("-".to_owned(), 1)]);
}

#[test]
fn what_is_open_in_short_agrees_with_the_figures() {
    let facts = with_advice(golden(), [advice(13, "w1", "2023-01-02")]);
    // A08 and the one of 2023, A09 and the suspended A12.
    let workload = workload::workload(&facts, d("2025-12-31"));
    let late = compute(metric("open-late"), &facts, &over_2025(Cohort::Received, &[])).total.figure.n();
    assert_eq!((workload.open, workload.open_late, workload.open_very_late), (4, late, late));
    assert_eq!(workload.oldest_open_days, 1094);
    assert_eq!(workload::workload(&facts, d("2022-12-31")), workload::Workload::default());
}

#[test]
fn what_the_organisation_calls_done_is_not_realised_until_the_council_says_so() {
    let done = agreement(1, "w1", AgreementSize::Large).progressed(ProgressState::ReportedDone, "2025-06-01");
    let of = |agreement| {
        let facts = with_agreements(empty_city(), [agreement]);
        ["collegetarget", "judgement-gap"]
            .map(|code| short(&compute(metric(code), &facts, &over_2025(Cohort::Received, &[])).total.figure))
    };
    assert_eq!(of(done.clone()), ["0/1", "0/1"]);
    assert_eq!(of(done.clone().judged(Colour::Orange, false, "2025-06-15")), ["0/1", "1/1"]);
    // What the council said before the report is no answer to it.
    assert_eq!(of(done.clone().judged(Colour::Orange, false, "2025-05-15")), ["0/1", "0/1"]);
    assert_eq!(of(done.judged(Colour::Green, true, "2025-06-15")), ["1/1", "0/1"]);
}

#[test]
fn a_coordinator_over_the_aim_gives_a_warning_and_no_name() {
    let mut facts = empty_city();
    for (number, of) in [(1, "w1"), (2, "w2"), (3, "w3")] {
        let assignment = coordinator(number, "coordinator-07", of);
        facts.put_assignment(assignment);
    }
    let query = over_2025(Cohort::Received, &[]);
    let answer = compute(metric("coordinator-load"), &facts, &query);
    assert_eq!(short(&answer.total.figure), "0/1");
    assert_eq!(answer.warnings[0].code, "coordinator-over-aim");
    let behind = items(metric("coordinator-load"), &facts, &query, &[]);
    let expected = Item { resource: "position", id: "1".to_owned(), detail: None, numerator: false };
    assert_eq!(behind, [expected]);
}

#[test]
fn the_list_behind_a_row_names_the_points() {
    let query = over_2025(Cohort::Received, &[]);
    let key = [(Dimension::Council, Some("w1".to_owned()))];
    let behind = items(metric("reasons-given"), &city(), &query, &key);
    let short: Vec<_> = behind.iter().map(|item| (item.detail.as_deref().unwrap(), item.numerator)).collect();
    assert_eq!(short, [("point 2", true), ("point 3", false)]);
}

/// Every metric over one made-up city. Whoever changes a value here changes what a metric counts: add a version, and keep the
/// old one.
#[test]
fn a_version_of_a_metric_says_for_ever_what_it_says() {
    let facts = city();
    let table: Vec<String> = definitions()
        .iter()
        .map(|definition| {
            let answer = compute(definition, &facts, &over_2025(definition.cohorts[0], &[]));
            let parts = answer.total.parts.iter();
            let parts: Vec<_> = parts.map(|(code, part)| format!("{code} {}", short_part(part))).collect();
            let figure = short(&answer.total.figure);
            let (code, version, out) = (definition.code, definition.version, excluded(&answer.total));
            format!("{code} v{version}: {figure} | {} | {out}", parts.join(", ")).trim_end().to_owned()
        })
        .collect();
    assert_eq!(table.join("\n"), include_str!("golden.txt").trim_end());
}
