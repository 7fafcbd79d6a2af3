//! A file of agreements, progress, judgements, commitments or measurements, read into rows.

use chrono::{DateTime, NaiveDate, Utc};

use crate::agreement::{JudgementBody, ProgressBody};
use crate::codes::{AgreementSize, Colour, CommitmentKind, ProgressState};
use crate::collegetarget::MeasurementBody;
use crate::council::fold;
use crate::import::rows::{FileProblem, NOT_CSV};
use crate::import::table::{Fields, Table};

const LONGEST_NAME: usize = 200;
const LONGEST_TITLE: usize = 300;
const LONGEST_URL: usize = 500;
const LONGEST_STATEMENT: usize = 1000;
const LONGEST_REASON: usize = 2000;
const LONGEST_PROSE: usize = 5000;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Agreements of accords (afspraken).
    Agreements,
    /// What the organisation says of agreements (voortgang).
    Progress,
    /// What the councils say of agreements (oordelen).
    Judgements,
    /// Commitments to the municipal council (moties en toezeggingen).
    Commitments,
    /// What was measured of collegetargets (metingen).
    Measurements,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Agreements, Self::Progress, Self::Judgements, Self::Commitments, Self::Measurements];

    /// As the command line spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreements => "agreements",
            Self::Progress => "progress",
            Self::Judgements => "judgements",
            Self::Commitments => "commitments",
            Self::Measurements => "measurements",
        }
    }

    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Agreements => &[
                "council",
                "planYear",
                "number",
                "title",
                "size",
                "cluster",
                "party",
                "agreedOn",
                "dueOn",
                "ongoingReason",
            ],
            Self::Progress => &["council", "planYear", "number", "state", "on", "reason", "evidenceUrl"],
            Self::Judgements => &["council", "planYear", "number", "colour", "realised", "on", "note"],
            Self::Commitments => &["number", "kind", "title", "madeOn", "expectedOn", "cluster", "settledOn"],
            Self::Measurements => &[
                "target",
                "referenceOn",
                "knownAt",
                "definitionVersion",
                "realisedPermille",
                "runningPermille",
                "notRealisedPermille",
                "agreements",
                "source",
            ],
        }
    }

    const fn optional_columns(self) -> &'static [&'static str] {
        match self {
            Self::Agreements => &["themes", "reference"],
            Self::Progress | Self::Judgements | Self::Commitments | Self::Measurements => &[],
        }
    }

    /// The columns by which people know a row.
    const fn naming_columns(self) -> &'static [&'static str] {
        match self {
            Self::Agreements => &["council", "planYear", "number"],
            Self::Progress | Self::Judgements => &["council", "planYear", "number", "on"],
            Self::Commitments => &["number"],
            Self::Measurements => &["target", "referenceOn", "definitionVersion"],
        }
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// What it holds.
    pub source: Source,
    /// Its rows, in the order of the file.
    pub rows: Vec<Row>,
    /// What was remarkable about the file as a whole.
    pub notes: Vec<String>,
}

/// One row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line on which it begins; the header is line 1.
    pub line: u64,
    /// By what people know it, as far as it could be read.
    pub name: Option<String>,
    /// What it says, or why it cannot be read.
    pub said: Result<Said, String>,
    /// The row as it was read, its fields between bars, for people.
    pub raw: String,
}

/// What a row says. Councils, clusters, themes and targets are still as they were written.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// An agreement.
    Agreement(AgreementRow),
    /// Progress of an agreement.
    Progress {
        /// Of which one.
        of: AgreementKey,
        /// What the organisation says.
        body: ProgressBody,
    },
    /// A judgement of an agreement.
    Judgement {
        /// Of which one.
        of: AgreementKey,
        /// What the council says.
        body: JudgementBody,
    },
    /// A commitment.
    Commitment(CommitmentRow),
    /// A measurement.
    Measurement(MeasurementRow),
}

/// By what a file knows an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementKey {
    /// The council, in any spelling.
    pub council: String,
    /// The year of the plan.
    pub plan_year: u16,
    /// The number in that plan.
    pub number: String,
}

/// A row of the file of agreements.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementRow {
    /// Which one.
    pub of: AgreementKey,
    /// What was agreed.
    pub title: String,
    /// Large or small.
    pub size: AgreementSize,
    /// The cluster that owns it, by code or name.
    pub cluster: Option<String>,
    /// The outside party that owns it.
    pub party: Option<String>,
    /// The day it was agreed.
    pub agreed_on: NaiveDate,
    /// The day by which it is to be done.
    pub due_on: Option<NaiveDate>,
    /// Why it goes on.
    pub ongoing_reason: Option<String>,
    /// Its themes, by code or name; None where the file has no such column.
    pub themes: Option<Vec<String>>,
    /// The number by which another system knows it; None where the file has no such column.
    pub reference: Option<Option<String>>,
}

/// A row of the file of commitments.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitmentRow {
    /// Its number.
    pub number: String,
    /// Motion or undertaking.
    pub kind: CommitmentKind,
    /// What it is called.
    pub title: String,
    /// The day it was made.
    pub made_on: NaiveDate,
    /// The day by which settlement is expected.
    pub expected_on: Option<NaiveDate>,
    /// The cluster that works on it, by code or name.
    pub cluster: Option<String>,
    /// The day it was settled; None means not known, not "open".
    pub settled_on: Option<NaiveDate>,
}

/// A row of the file of measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasurementRow {
    /// The target: its id or its statement.
    pub target: String,
    /// What was measured.
    pub body: MeasurementBody,
}

/// Reads a file of this kind. A row that cannot be read stays in the file, with the reason.
pub fn parse(source: Source, bytes: &[u8]) -> Result<File, FileProblem> {
    let (needed, optional) = (source.columns(), source.optional_columns());
    let table = Table::read(bytes, needed, optional)?;
    if !table.unknown.is_empty() {
        let columns: Vec<String> = table.unknown.iter().map(|name| format!("\"{name}\"")).collect();
        return Err(FileProblem::UnknownColumns {
            columns: columns.join(", "),
            known: [needed, optional].concat().join(", "),
        });
    }
    let rows = table.rows().map(|fields| match fields {
        Ok(fields) => Row {
            line: fields.line(),
            name: name_of(source, &fields),
            said: fields.is_whole().and_then(|()| read(source, &fields)),
            raw: fields.raw(),
        },
        Err(line) => Row { line, name: None, said: Err(NOT_CSV.to_owned()), raw: format!("line {line}") },
    });
    let rows = rows.collect();
    Ok(File { source, rows, notes: table.notes })
}

fn name_of(source: Source, fields: &Fields<'_>) -> Option<String> {
    let parts: Vec<String> =
        source.naming_columns().iter().filter_map(|column| fields.lossy(column)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn read(source: Source, fields: &Fields<'_>) -> Result<Said, String> {
    match source {
        Source::Agreements => agreement(fields).map(Said::Agreement),
        Source::Progress => Ok(Said::Progress { of: key(fields)?, body: progress(fields)? }),
        Source::Judgements => Ok(Said::Judgement { of: key(fields)?, body: judgement(fields)? }),
        Source::Commitments => commitment(fields).map(Said::Commitment),
        Source::Measurements => measurement(fields).map(Said::Measurement),
    }
}

fn key(fields: &Fields<'_>) -> Result<AgreementKey, String> {
    let number = fields.needed("number", 20)?;
    let parts: Vec<&str> = number.split('.').collect();
    let is_part = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() > 4 || !parts.iter().all(is_part) {
        return Err("number is no number like 1.1.2".to_owned());
    }
    let council = fields.needed("council", LONGEST_NAME)?;
    Ok(AgreementKey { council, plan_year: whole(fields, "planYear", 1900, 2200)?, number })
}

fn agreement(fields: &Fields<'_>) -> Result<AgreementRow, String> {
    let themes = fields.text("themes", LONGEST_PROSE)?.unwrap_or_default();
    let themes: Vec<String> =
        themes.split('|').map(str::trim).filter(|theme| !theme.is_empty()).map(str::to_owned).collect();
    if themes.len() > 20 {
        return Err("themes holds more than 20".to_owned());
    }
    Ok(AgreementRow {
        of: key(fields)?,
        title: fields.needed("title", LONGEST_TITLE)?,
        size: code(fields, "size", SIZES)?,
        cluster: fields.text("cluster", LONGEST_NAME)?,
        party: fields.text("party", LONGEST_NAME)?,
        agreed_on: day(fields, "agreedOn")?,
        due_on: fields.date("dueOn")?,
        ongoing_reason: fields.prose("ongoingReason", LONGEST_REASON)?,
        themes: fields.has("themes").then_some(themes),
        reference: fields.has("reference").then_some(fields.text("reference", 100)?),
    })
}

fn progress(fields: &Fields<'_>) -> Result<ProgressBody, String> {
    let evidence_url = fields.text("evidenceUrl", LONGEST_URL)?;
    let is_address = |url: &str| {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
    };
    if evidence_url.as_deref().is_some_and(|url| !is_address(url)) {
        return Err("evidenceUrl is no web address".to_owned());
    }
    Ok(ProgressBody {
        state: code(fields, "state", STATES)?,
        on: day(fields, "on")?,
        reason: fields.prose("reason", LONGEST_PROSE)?,
        evidence_url,
    })
}

fn judgement(fields: &Fields<'_>) -> Result<JudgementBody, String> {
    Ok(JudgementBody {
        colour: code(fields, "colour", COLOURS)?,
        realised: code(fields, "realised", TRUTHS)?,
        on: day(fields, "on")?,
        note: fields.prose("note", LONGEST_PROSE)?,
    })
}

fn commitment(fields: &Fields<'_>) -> Result<CommitmentRow, String> {
    Ok(CommitmentRow {
        number: fields.needed("number", 40)?,
        kind: code(fields, "kind", KINDS)?,
        title: fields.needed("title", LONGEST_TITLE)?,
        made_on: day(fields, "madeOn")?,
        expected_on: fields.date("expectedOn")?,
        cluster: fields.text("cluster", LONGEST_NAME)?,
        settled_on: fields.date("settledOn")?,
    })
}

fn measurement(fields: &Fields<'_>) -> Result<MeasurementRow, String> {
    if fields.text("definitionVersion", LONGEST_NAME)?.is_none() {
        return Err(
            "definitionVersion is empty: without the version of the definition a figure says nothing"
                .to_owned(),
        );
    }
    let known_at = match fields.text("knownAt", LONGEST_NAME)? {
        Some(text) => Some(moment(&text).ok_or("knownAt is no moment like 2026-01-31T12:00:00+01:00")?),
        None => None,
    };
    let agreements = match fields.text("agreements", LONGEST_NAME)? {
        Some(_) => Some(whole(fields, "agreements", 0, 1_000_000)?),
        None => None,
    };
    Ok(MeasurementRow {
        target: fields.needed("target", LONGEST_STATEMENT)?,
        body: MeasurementBody {
            reference_on: day(fields, "referenceOn")?,
            known_at,
            definition_version: whole(fields, "definitionVersion", 1, 999)?,
            realised_permille: whole(fields, "realisedPermille", 0, 1000)?,
            running_permille: whole(fields, "runningPermille", 0, 1000)?,
            not_realised_permille: whole(fields, "notRealisedPermille", 0, 1000)?,
            agreements,
            source: fields.prose("source", LONGEST_REASON)?.ok_or("source is empty")?,
        },
    })
}

fn day(fields: &Fields<'_>, column: &str) -> Result<NaiveDate, String> {
    fields.date(column)?.ok_or_else(|| format!("{column} is empty"))
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}

fn whole<N: TryFrom<u32>>(fields: &Fields<'_>, column: &str, least: u32, most: u32) -> Result<N, String> {
    let text = fields.needed(column, LONGEST_NAME)?;
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|number| is_plain && (least..=most).contains(number));
    let number = number.and_then(|number| N::try_from(number).ok());
    number.ok_or_else(|| format!("{column} is no whole number from {least} to {most}"))
}

/// A value of a closed list, in English or Dutch; case, blanks and underscores do not count.
fn code<V: Copy>(fields: &Fields<'_>, column: &str, words: &[(V, &[&str])]) -> Result<V, String> {
    let written = fold(&fields.needed(column, LONGEST_NAME)?);
    let found = words.iter().find(|(_, spellings)| spellings.iter().any(|word| fold(word) == written));
    found.map(|(value, _)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().filter_map(|(_, spellings)| spellings.first().copied()).collect();
        format!("{column} is none of {}", known.join(", "))
    })
}

const SIZES: &[(AgreementSize, &[&str])] =
    &[(AgreementSize::Large, &["large", "groot"]), (AgreementSize::Small, &["small", "klein"])];

const STATES: &[(ProgressState, &[&str])] = &[
    (ProgressState::Planned, &["planned", "gepland"]),
    (ProgressState::Running, &["running", "loopt", "in uitvoering"]),
    (ProgressState::Delayed, &["delayed", "vertraagd"]),
    (ProgressState::ReportedDone, &["reported_done", "gereed", "gereed gemeld"]),
    (ProgressState::Stopped, &["stopped", "gestopt"]),
];

const COLOURS: &[(Colour, &[&str])] = &[
    (Colour::Green, &["green", "groen"]),
    (Colour::Orange, &["orange", "oranje"]),
    (Colour::Red, &["red", "rood"]),
];

// A Dutch spreadsheet writes WAAR and ONWAAR.
const TRUTHS: &[(bool, &[&str])] = &[(true, &["true", "ja", "waar"]), (false, &["false", "nee", "onwaar"])];

const KINDS: &[(CommitmentKind, &[&str])] = &[
    (CommitmentKind::Motion, &["motion", "motie"]),
    (CommitmentKind::Undertaking, &["undertaking", "toezegging"]),
];
