//! A file of one of the lists, read into rows.

use chrono::NaiveDate;
use uuid::Uuid;

use super::table::{Fields, Table};
use crate::advice::Reference;

/// The longest title that is imported, in characters: the longest subject an advice may have.
pub const LONGEST_TITLE: usize = 300;
const LONGEST_NAME: usize = 200;
const LONGEST_NUMBER: usize = 100;
const LONGEST_URL: usize = 500;

/// Why a row that is no CSV cannot be read.
pub(super) const NOT_CSV: &str = "not readable as CSV";

impl ListFile {
    /// The file with the rows set aside whose dates lie after today: they would be refused one by one.
    pub fn without_future(mut self, today: NaiveDate) -> Self {
        for row in &mut self.rows {
            let late = match &row.content {
                RowContent::Listed(listed) => {
                    [listed.listed_on, listed.answered_on].into_iter().flatten().any(|day| day > today)
                }
                RowContent::Answer(answer) => answer.answered_on > today,
                RowContent::Broken { .. } => false,
            };
            if late {
                row.content = RowContent::Broken { reason: format!("a date lies after {today}") };
            }
        }
        self
    }
}

/// Which list a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListSource {
    /// The municipal council's list of advice (wijkraadadviezen).
    Raad,
    /// The neighbourhood councils' own list of unsolicited advice (ongevraagde adviezen).
    Wijkraad,
    /// Answers: which advice was answered by which letter, and when.
    Answers,
}

impl ListSource {
    /// The system in the references that come from this list.
    pub const fn system(self) -> &'static str {
        match self {
            Self::Raad | Self::Answers => "ibabs-raad",
            Self::Wijkraad => "ibabs-wijkraad",
        }
    }

    /// As the command line spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raad => "raad",
            Self::Wijkraad => "wijkraad",
            Self::Answers => "answers",
        }
    }

    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Raad => &["externalid", "title", "registrationdate", "portefeuillehouder", "url"],
            Self::Wijkraad => &["title", "registrationdate", "wijk", "wethouder", "datumantwoord", "url"],
            Self::Answers => &["advice_reference", "answer_reference", "answered_on"],
        }
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ListFile {
    /// Which list it is.
    pub source: ListSource,
    /// Its rows, in the order of the file.
    pub rows: Vec<Row>,
    /// What was remarkable about the file as a whole, such as columns that were ignored.
    pub notes: Vec<String>,
}

/// One row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line on which it begins; the header is line 1.
    pub line: u64,
    /// Its address on the portal, if it has one, whatever else is wrong.
    pub url: Option<String>,
    /// The number by which it is known, if it has one, whatever else is wrong.
    pub reference: Option<String>,
    /// What it says.
    pub content: RowContent,
    /// The row as it was read, its fields between bars, for people.
    pub raw: String,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
pub enum RowContent {
    /// A row of one of the two lists.
    Listed(ListedRow),
    /// A row of the file of answers.
    Answer(AnswerRow),
    /// It cannot be read.
    Broken {
        /// Why not.
        reason: String,
    },
}

/// A row of one of the two lists.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedRow {
    /// The list.
    pub source: ListSource,
    /// Number and address on the portal.
    pub reference: Reference,
    /// The title, without blanks around it.
    pub title: String,
    /// The day it was listed (registratiedatum).
    pub listed_on: Option<NaiveDate>,
    /// The field "wijk" of the neighbourhood councils' own list.
    pub council_field: Option<String>,
    /// The alderman it is meant for (portefeuillehouder), as written.
    pub portfolio_holder: Option<String>,
    /// The day it was answered (datumantwoord). None means not known, not "unanswered".
    pub answered_on: Option<NaiveDate>,
}

/// A row of the file of answers.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerRow {
    /// Number of the advice.
    pub advice_reference: String,
    /// Number of the answer.
    pub answer_reference: String,
    /// The day of the answer.
    pub answered_on: NaiveDate,
}

/// Why a file as a whole cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The header is not text in UTF-8.
    #[error("the header is not text in UTF-8; save the file as CSV UTF-8")]
    NotText,
    /// A column is not there.
    #[error("the column \"{column}\" is missing; this file needs {needed}")]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// All columns, for people.
        needed: String,
    },
    /// A column is there twice.
    #[error("the column \"{column}\" is there twice")]
    DoubleColumn {
        /// The column.
        column: &'static str,
    },
    /// Columns are there that this kind of file does not have.
    #[error("these columns are not known: {columns}; this file may have {known}")]
    UnknownColumns {
        /// The columns, for people.
        columns: String,
        /// Those it may have, for people.
        known: String,
    },
}

/// Reads the municipal council's list.
pub fn parse_raad(bytes: &[u8]) -> Result<ListFile, FileProblem> {
    parse(ListSource::Raad, bytes)
}

/// Reads the neighbourhood councils' own list.
pub fn parse_wijkraad(bytes: &[u8]) -> Result<ListFile, FileProblem> {
    parse(ListSource::Wijkraad, bytes)
}

/// Reads a file of answers.
pub fn parse_answers(bytes: &[u8]) -> Result<ListFile, FileProblem> {
    parse(ListSource::Answers, bytes)
}

/// Reads a file of this kind. A row that cannot be read stays in the file, with the reason.
pub fn parse(source: ListSource, bytes: &[u8]) -> Result<ListFile, FileProblem> {
    let table = Table::read(bytes, source.columns(), &[])?;
    let mut notes = table.notes.clone();
    for unknown in &table.unknown {
        notes.push(format!("the column \"{unknown}\" is not known and was ignored"));
    }
    let rows = table.rows().map(|fields| match fields {
        Ok(fields) => read_record(source, &fields),
        Err(line) => Row {
            line,
            url: None,
            reference: None,
            content: RowContent::Broken { reason: NOT_CSV.to_owned() },
            raw: format!("line {line}"),
        },
    });
    Ok(ListFile { source, rows: rows.collect(), notes })
}

fn read_record(source: ListSource, fields: &Fields<'_>) -> Row {
    let reference = match source {
        ListSource::Raad => fields.lossy("externalid"),
        ListSource::Wijkraad => fields.lossy("url").as_deref().and_then(guid),
        ListSource::Answers => fields.lossy("advice_reference"),
    };
    let content = fields.is_whole().and_then(|()| match source {
        ListSource::Answers => fields.answer().map(RowContent::Answer),
        ListSource::Raad | ListSource::Wijkraad => fields.listed(source).map(RowContent::Listed),
    });
    let content = content.unwrap_or_else(|reason| RowContent::Broken { reason });
    Row { line: fields.line(), url: fields.lossy("url"), reference, content, raw: fields.raw() }
}

impl Fields<'_> {
    fn listed(&self, source: ListSource) -> Result<ListedRow, String> {
        let url = self.needed("url", LONGEST_URL)?;
        if !(url.starts_with("https://") || url.starts_with("http://")) || url.contains(char::is_whitespace) {
            return Err("url is no web address".to_owned());
        }
        let title = self.needed("title", LONGEST_TITLE)?;
        let value = match source {
            ListSource::Wijkraad => guid(&url).ok_or("url holds no guid")?,
            ListSource::Raad | ListSource::Answers => self.needed("externalid", LONGEST_NUMBER)?,
        };
        let (holder, field, answered) = match source {
            ListSource::Wijkraad => {
                ("wethouder", self.text("wijk", LONGEST_NAME)?, self.date("datumantwoord")?)
            }
            ListSource::Raad | ListSource::Answers => ("portefeuillehouder", None, None),
        };
        Ok(ListedRow {
            source,
            reference: Reference { system: source.system().to_owned(), value, url: Some(url) },
            title,
            listed_on: self.date("registrationdate")?,
            council_field: field,
            portfolio_holder: self.text(holder, LONGEST_NAME)?,
            answered_on: answered,
        })
    }

    fn answer(&self) -> Result<AnswerRow, String> {
        Ok(AnswerRow {
            advice_reference: self.needed("advice_reference", LONGEST_NUMBER)?,
            answer_reference: self.needed("answer_reference", LONGEST_NUMBER)?,
            answered_on: self.date("answered_on")?.ok_or("answered_on is empty")?,
        })
    }
}

/// The guid at the end of a portal's address.
fn guid(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?.trim_end_matches('/');
    Uuid::try_parse(path.rsplit('/').next()?).ok().map(|id| id.to_string())
}
