//! What the figures say: the golden cases of the design, a made-up city, and what holds for any facts.

mod city;
mod golden;
mod properties;

use chrono::NaiveDate;

use super::*;
use crate::error::RuleError;

fn d(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The year 2025, seen from its last day.
fn over_2025(cohort: Cohort, group_by: &[Dimension]) -> Query {
    Query {
        on: d("2025-12-31"),
        from: d("2025-01-01"),
        to: d("2025-12-31"),
        cohort,
        group_by: group_by.to_vec(),
    }
}

fn metric(code: &str) -> &'static Definition {
    definition(code).unwrap_or_else(|| panic!("no metric {code}"))
}

/// A figure in short.
fn short(figure: &Figure) -> String {
    match figure {
        Figure::Share(share) => short_share(share),
        Figure::Times(times) => short_times(times),
        Figure::Count(count) => count.to_string(),
    }
}

fn short_part(part: &Part) -> String {
    let number = |number: &Option<i64>| number.map_or("-".to_owned(), |number| number.to_string());
    match part {
        Part::Share(share) => short_share(share),
        Part::Number(value) | Part::Days(value) => number(value),
        Part::Times(times) => short_times(times),
        Part::Value(value) => value.map_or("-".to_owned(), |value| value.to_string()),
    }
}

fn short_share(Share { numerator, denominator }: &Share) -> String {
    format!("{numerator}/{denominator}")
}

fn short_times(times: &Times) -> String {
    let days = |days: Option<i64>| days.map_or("-".to_owned(), |days| days.to_string());
    let Times { n, events, median, p80, p90, lower_bound, curve: _ } = times;
    let [median, p80, p90, lower_bound] = [*median, *p80, *p90, *lower_bound].map(days);
    format!("{events}/{n} {median} {p80} {p90} >{lower_bound}")
}

fn short_key(row: &Row) -> String {
    let values: Vec<_> = row.key.iter().map(|(_, value)| value.as_deref().unwrap_or("-")).collect();
    values.join(" ")
}

#[test]
fn every_definition_says_what_it_counts_and_has_codes_of_its_own() {
    for (index, definition) in definitions().iter().enumerate() {
        let Definition { code, version, dutch, english, formula, included, excluded, edge_cases, .. } =
            definition;
        let texts = [dutch, english, formula, included, excluded, edge_cases, &definition.anchor];
        assert!(texts.iter().all(|text| !text.is_empty() && !text.contains("  ")), "{code}");
        assert!(!definition.source.is_empty() && !definition.items.is_empty(), "{code}");
        assert!(!definition.cohorts.is_empty(), "{code}");
        assert!(definitions()[..index].iter().all(|other| (other.code, other.version) != (code, *version)));
        for (index, part) in definition.parts.iter().enumerate() {
            assert!(definition.parts[..index].iter().all(|other| other.code != part.code), "{code}");
        }
        let unit = match definition.kind {
            FigureKind::Share => "share",
            FigureKind::Times => "days",
            FigureKind::Count => "count",
        };
        assert_eq!(definition.unit, unit, "{code}");
    }
    assert!(has_definition("collegetarget", 1) && !has_definition("collegetarget", 2));
    assert!(definition("no-such-metric").is_none());
}

#[test]
fn a_query_is_refused_with_the_name_of_the_parameter_and_what_is_offered() {
    use Dimension::*;
    let refused = |code: &str, query: Query| match query.check(metric(code)) {
        Err(RuleError::Invalid(errors)) => errors
            .into_iter()
            .map(|error| format!("{} {}: {}", error.location, error.code, error.detail))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let by = |dimensions: &[Dimension]| over_2025(Cohort::Received, dimensions);
    let volume = |dimensions: &[Dimension]| refused("volume", by(dimensions));

    assert_eq!(metric("volume").cohorts, [Cohort::Received]);
    assert_eq!(by(&[Council, Month]).check(metric("volume")), Ok(()));
    assert_eq!(
        refused("commitments", by(&[Council])),
        ["groupBy group_by.not_offered: this metric offers cluster, portfolioHolder, month, quarter, year"]
    );
    assert_eq!(
        refused("coordinator-load", by(&[Council])),
        ["groupBy group_by.not_offered: this metric offers none"]
    );
    assert_eq!(volume(&[Kind, Kind]), ["groupBy group_by.duplicate: name two different ones"]);
    assert_eq!(
        volume(&[Month, Year]),
        ["groupBy group_by.two_times: at most one of month, quarter, year and term"]
    );
    assert_eq!(
        volume(&[Council, Area]),
        ["groupBy group_by.council_area: the area follows from the council; name one of the two"]
    );
    assert_eq!(volume(&[Kind, Level, Cluster]), ["groupBy group_by.too_many: at most two"]);
    let long = Query { from: d("1950-01-01"), ..by(&[Council, Month]) };
    assert_eq!(
        refused("volume", long),
        [
            "groupBy group_by.too_large: gives more than 100000 numbers; take a shorter period, or one dimension"
        ]
    );
    assert_eq!(
        refused("volume", over_2025(Cohort::Due, &[])),
        ["cohort cohort.not_offered: this metric offers received"]
    );
    let backwards = Query { from: d("2026-01-01"), ..by(&[]) };
    assert_eq!(
        refused("volume", backwards),
        ["to date.order: lies before the first day of the period, 2026-01-01"]
    );
}
