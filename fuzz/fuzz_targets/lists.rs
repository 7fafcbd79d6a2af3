//! A file of one of the portals' lists: every row is decided, and what is read is read the same when it is written again.

#![no_main]

use std::sync::LazyLock;

use domain::attribution::CouncilIndex;
use domain::import::{ListSource, ListedRow, RowContent, parse, plan};
use libfuzzer_sys::fuzz_target;

static COUNCILS: LazyLock<CouncilIndex> =
    LazyLock::new(|| CouncilIndex::new(&domain::reference::built_in().councils));

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let source = [ListSource::Raad, ListSource::Wijkraad, ListSource::Answers][usize::from(first % 3)];
    let Ok(file) = parse(source, bytes) else { return };
    assert_eq!(parse(source, bytes).as_ref(), Ok(&file));
    let mut decided: Vec<u64> = plan(&file, &[], &COUNCILS).iter().map(|decision| decision.line).collect();
    let mut lines: Vec<u64> = file.rows.iter().map(|row| row.line).collect();
    decided.sort_unstable();
    lines.sort_unstable();
    assert_eq!(decided, lines, "each row is decided once");
    let listed: Vec<&ListedRow> = file
        .rows
        .iter()
        .filter_map(|row| match &row.content {
            RowContent::Listed(listed) => Some(listed),
            RowContent::Answer(_) | RowContent::Broken { .. } => None,
        })
        .collect();
    if listed.is_empty() {
        return;
    }
    let again = parse(source, &written(source, &listed)).expect("what was written can be read");
    for (row, listed) in again.rows.iter().zip(listed) {
        assert_eq!(row.content, RowContent::Listed(listed.clone()));
    }
});

fn written(source: ListSource, rows: &[&ListedRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header: &[&str] = match source {
        ListSource::Wijkraad => {
            &["url", "title", "registrationdate", "wethouder", "wijk", "datumantwoord"]
        }
        ListSource::Raad | ListSource::Answers => {
            &["url", "title", "registrationdate", "portefeuillehouder", "externalid"]
        }
    };
    writer.write_record(header).unwrap();
    for row in rows {
        let day = |day: Option<chrono::NaiveDate>| day.map_or(String::new(), |day| day.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut cells = vec![
            row.reference.url.clone().unwrap(),
            row.title.clone(),
            day(row.listed_on),
            text(&row.portfolio_holder),
        ];
        match source {
            ListSource::Wijkraad => cells.extend([text(&row.council_field), day(row.answered_on)]),
            ListSource::Raad | ListSource::Answers => cells.push(row.reference.value.clone()),
        }
        writer.write_record(cells).unwrap();
    }
    writer.into_inner().unwrap()
}
