//! A file of agreements and the like: every row is decided, and a second run over what the first one wrote changes nothing.

#![no_main]

use chrono::{DateTime, NaiveDate};
use domain::import::dossiers::{Action, Known, Settings, Source, parse, plan};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let source = Source::ALL[usize::from(first % 5)];
    let Ok(file) = parse(source, bytes) else { return };
    assert_eq!(parse(source, bytes).as_ref(), Ok(&file));
    let reference = domain::reference::built_in();
    let known = Known {
        councils: reference.councils,
        clusters: reference.clusters,
        themes: reference.themes,
        terms_of_office: reference.terms_of_office,
        ..Known::default()
    };
    let settings = Settings {
        today: NaiveDate::from_ymd_opt(2026, 11, 24).unwrap(),
        moment: DateTime::from_timestamp(1_795_500_000, 0).unwrap(),
        make_accords: first % 2 == 0,
    };
    let mut number = 0_u128;
    let mut new_id = || {
        number += 1;
        Uuid::from_u128(number)
    };
    let planned = plan(&file, known.clone(), settings, &mut new_id);
    let decided: Vec<u64> = planned.decisions.iter().map(|decision| decision.line).collect();
    let rows: Vec<u64> = file.rows.iter().map(|row| row.line).collect();
    assert_eq!(decided, rows, "each row is decided once, in its place");
    let known = Known {
        accords: planned.accords,
        agreements: planned.agreements,
        commitments: planned.commitments,
        targets: planned.targets,
        ..known
    };
    let again = plan(&file, known, settings, &mut new_id);
    for decision in &again.decisions {
        assert!(
            matches!(decision.action, Action::Unchanged | Action::Unplaced { .. }),
            "the second run changes something: {decision:?}"
        );
    }
});
