//! A CSV file with a header, read by the names of its columns: the one way in which a file is read.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::rows::FileProblem;

/// The longest text that is taken along of a cell that is only named.
const LONGEST_NAMED: usize = 500;
const LONGEST_ROW: usize = 5000;
const LONGEST_DAY: usize = 200;

/// The columns that hold the name of a person.
const NAMES_OF_PERSONS: [&str; 2] = ["portefeuillehouder", "wethouder"];

/// A file that was read, its columns found.
#[derive(Debug)]
pub(super) struct Table {
    columns: BTreeMap<&'static str, usize>,
    width: usize,
    /// What was remarkable about the file as a whole.
    pub notes: Vec<String>,
    /// Columns that nobody asked for.
    pub unknown: Vec<String>,
    records: Vec<Result<csv::ByteRecord, u64>>,
}

impl Table {
    /// Reads a file; every needed column must be there, the optional ones may.
    pub fn read(
        bytes: &[u8],
        needed: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Self, FileProblem> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first_line = bytes
            .split(|b| *b == b'\n')
            .find(|line| !line.trim_ascii().is_empty())
            .ok_or(FileProblem::Empty)?;
        let mut notes = Vec::new();
        let delimiter = if !first_line.contains(&b',') && first_line.contains(&b';') { b';' } else { b',' };
        if delimiter == b';' {
            notes.push("the columns are separated by semicolons".to_owned());
        }
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(delimiter)
            .from_reader(bytes);
        let mut records = reader.byte_records();
        let header = match records.next() {
            Some(Ok(header)) => header,
            Some(Err(_)) => return Err(FileProblem::NotText),
            None => return Err(FileProblem::Empty),
        };
        let mut names = Vec::new();
        for name in &header {
            names.push(std::str::from_utf8(name).map_err(|_| FileProblem::NotText)?.trim());
        }
        let mut columns = BTreeMap::new();
        for column in needed.iter().chain(optional) {
            let mut places = (0..names.len()).filter(|place| names[*place].eq_ignore_ascii_case(column));
            match places.next() {
                Some(place) => columns.insert(*column, place),
                None if optional.contains(column) => continue,
                None => return Err(FileProblem::MissingColumn { column, needed: needed.join(", ") }),
            };
            if places.next().is_some() {
                return Err(FileProblem::DoubleColumn { column });
            }
        }
        let is_known = |place: &usize| columns.values().any(|known| known == place);
        let unknown =
            (0..names.len()).filter(|place| !is_known(place)).map(|place| names[place].to_lowercase());
        let unknown = unknown.collect();
        let records = records.map(|record| match record {
            Ok(mut record) => {
                let line = record.position().map_or(0, |start| line_of(bytes, start));
                let mut start = csv::Position::new();
                start.set_line(line);
                record.set_position(Some(start));
                Ok(record)
            }
            Err(fault) => Err(fault.position().map_or(0, |start| line_of(bytes, start))),
        });
        Ok(Self { width: names.len(), notes, unknown, records: records.collect(), columns })
    }

    /// The rows, in order; of one that is no CSV only the line.
    pub fn rows(&self) -> impl Iterator<Item = Result<Fields<'_>, u64>> {
        self.records.iter().map(|record| match record {
            Ok(record) => Ok(Fields { columns: &self.columns, width: self.width, record }),
            Err(line) => Err(*line),
        })
    }
}

/// The cells of one row, by column.
pub(super) struct Fields<'a> {
    columns: &'a BTreeMap<&'static str, usize>,
    width: usize,
    record: &'a csv::ByteRecord,
}

impl Fields<'_> {
    /// The line on which the row begins.
    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// Why the row as a whole cannot be read.
    pub fn is_whole(&self) -> Result<(), String> {
        if self.record.iter().all(|field| field.trim_ascii().is_empty()) {
            return Err("the row is empty".to_owned());
        }
        if self.record.len() != self.width {
            return Err(format!("has {} fields where the header has {}", self.record.len(), self.width));
        }
        Ok(())
    }

    /// The row as it was read, its fields between bars, for people. Without the names of persons: it is kept where nothing can be
    /// erased.
    pub fn raw(&self) -> String {
        let is_name =
            |place: usize| NAMES_OF_PERSONS.iter().any(|column| self.columns.get(column) == Some(&place));
        let fields = self.record.iter().enumerate().map(|(place, field)| match is_name(place) {
            true => "…".into(),
            false => String::from_utf8_lossy(field),
        });
        let raw = fields.collect::<Vec<_>>().join(" | ");
        raw.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_ROW).collect()
    }

    /// Whether the file has this column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// What can be read of a cell, whatever is wrong with it.
    pub fn lossy(&self, column: &str) -> Option<String> {
        let text = String::from_utf8_lossy(self.bytes(column));
        let text = text.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAMED).collect::<String>();
        (!text.is_empty()).then_some(text)
    }

    /// A text that must be there.
    pub fn needed(&self, column: &str, longest: usize) -> Result<String, String> {
        self.text(column, longest)?.ok_or_else(|| format!("{column} is empty"))
    }

    /// A text in one line, without blanks around it or doubled within.
    pub fn text(&self, column: &str, longest: usize) -> Result<Option<String>, String> {
        let text = self.utf8(column)?.split_whitespace().collect::<Vec<_>>().join(" ");
        fitting(column, text, longest)
    }

    /// A text of any number of lines, without blanks around it.
    pub fn prose(&self, column: &str, longest: usize) -> Result<Option<String>, String> {
        let text = self.utf8(column)?.trim().replace("\r\n", "\n");
        fitting(column, text, longest)
    }

    /// A day.
    pub fn date(&self, column: &str) -> Result<Option<NaiveDate>, String> {
        let Some(text) = self.text(column, LONGEST_DAY)? else { return Ok(None) };
        let date = (text.len() == 10).then(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()).flatten();
        match date.filter(|day| (2000..2100).contains(&day.year())) {
            Some(day) => Ok(Some(day)),
            None => Err(format!("{column} is no date like 2026-01-31")),
        }
    }

    fn bytes(&self, column: &str) -> &[u8] {
        self.columns.get(column).and_then(|place| self.record.get(*place)).unwrap_or_default()
    }

    fn utf8(&self, column: &str) -> Result<&str, String> {
        std::str::from_utf8(self.bytes(column)).map_err(|_| format!("{column} is not text in UTF-8"))
    }
}

/// The line on which a row begins. The reader takes the end of a line of Windows, and lines that are empty, for its start.
fn line_of(bytes: &[u8], start: &csv::Position) -> u64 {
    let rest = usize::try_from(start.byte()).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    start.line() + ends.count() as u64
}

fn fitting(column: &str, text: String, longest: usize) -> Result<Option<String>, String> {
    if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return Err(format!("{column} holds control characters"));
    }
    if text.chars().count() > longest {
        return Err(format!("{column} is longer than {longest} characters"));
    }
    Ok((!text.is_empty()).then_some(text))
}
