//! Lists as CSV (RFC 4180): the same rows in the same order through the same rights, with columns that never move.

use serde_json::Value;

use crate::problem::ApiError;

/// A column: its name, and where its value stands in the JSON of a row. `*` takes every element of an array.
#[derive(Debug, Clone, Copy)]
pub struct Column(pub &'static str, pub &'static str);

/// Which CSV a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Comma, decimal point, no byte order mark.
    Rfc4180,
    /// What a Dutch Excel opens: semicolon, decimal comma, byte order mark.
    DutchExcel,
}

/// The whole: the head, and the rows.
pub fn render(columns: &[Column], rows: &[Value], style: Style) -> Result<Vec<u8>, ApiError> {
    let mut out = head(columns, style)?;
    out.extend(body(columns, rows, style)?);
    Ok(out)
}

/// The first line, with the names of the columns.
pub fn head(columns: &[Column], style: Style) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::new();
    if style == Style::DutchExcel {
        out.extend_from_slice("\u{feff}".as_bytes());
    }
    let mut writer = writer(out, style);
    writer.write_record(columns.iter().map(|Column(name, _)| *name)).map_err(lost)?;
    writer.into_inner().map_err(|error| lost(error.error().to_string()))
}

/// Rows without the head: one part of what is sent in parts.
pub fn body(columns: &[Column], rows: &[Value], style: Style) -> Result<Vec<u8>, ApiError> {
    let mut writer = writer(Vec::new(), style);
    for row in rows {
        writer.write_record(columns.iter().map(|Column(_, place)| cell(row, place, style))).map_err(lost)?;
    }
    writer.into_inner().map_err(|error| lost(error.error().to_string()))
}

/// A row that could not be written is told: a table that lacks it would look whole.
fn lost(error: impl std::fmt::Display) -> ApiError {
    ApiError::Internal(format!("a row of CSV could not be written: {error}"))
}

fn writer(out: Vec<u8>, style: Style) -> csv::Writer<Vec<u8>> {
    let delimiter = match style {
        Style::Rfc4180 => b',',
        Style::DutchExcel => b';',
    };
    csv::WriterBuilder::new().delimiter(delimiter).terminator(csv::Terminator::CRLF).from_writer(out)
}

fn cell(row: &Value, place: &str, style: Style) -> String {
    let mut found = vec![row];
    for step in place.trim_start_matches('/').split('/') {
        found = found
            .into_iter()
            .flat_map(|value| match (step, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                (key, Value::Object(fields)) => fields.get(key).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    found
        .into_iter()
        .map(|value| scalar(value, style))
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("|")
}

fn scalar(value: &Value, style: Style) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if style == Style::DutchExcel => number.to_string().replace('.', ","),
        Value::Number(number) => number.to_string(),
        Value::String(text) => defused(text),
        Value::Array(items) => items
            .iter()
            .map(|item| scalar(item, style))
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("|"),
        Value::Object(_) => String::new(),
    }
}

/// A text that a spreadsheet would run as a formula is led by an apostrophe (OWASP, CSV injection).
fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_stay_without_rows_and_formulas_are_defused() {
        let columns =
            [Column("id", "/id"), Column("councils", "/councils/*/code"), Column("share", "/share")];
        assert_eq!(render(&columns, &[], Style::Rfc4180).unwrap(), b"id,councils,share\r\n");
        let row = json!({"id": "=1+1", "councils": [{"code": "a"}, {"code": "b"}], "share": 0.5});
        assert_eq!(
            render(&columns, std::slice::from_ref(&row), Style::Rfc4180).unwrap(),
            b"id,councils,share\r\n'=1+1,a|b,0.5\r\n"
        );
        let excel = String::from_utf8(render(&columns, &[row], Style::DutchExcel).unwrap()).unwrap();
        assert_eq!(excel, "\u{feff}id;councils;share\r\n'=1+1;a|b;0,5\r\n");
    }
}
