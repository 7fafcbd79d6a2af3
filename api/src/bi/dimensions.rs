//! The tables of dimensions: what facts are grouped by.

use chrono::{Datelike, NaiveDate};
use domain::calendar;

use super::table::table;
use crate::app::Registry;

/// The first day of the table of dates.
const FIRST_YEAR: i32 = 2018;

table! {
    /// A row per council (wijkraad, dorpsraad) and name that it has or had.
    BiCouncilRow "councils",
    /// The table of councils (raden), with their dated names.
    BiCouncilTable
    merged on code: String = "code", "raad", "The code of the council; it never changes.", "/councils code";
    key from: NaiveDate = "from", "naam vanaf", "First day of this name.", "/councils names[].from";
    maybe to: NaiveDate = "to", "naam tot en met", "Last day of this name; empty while it holds.", "/councils names[].to";
    always name: String = "name", "naam", "The name on those days.", "/councils names[].name";
    always is_current: bool = "isCurrent", "huidige naam", "Whether it is the last name: one row per council.", "/councils names";
    always current_name: String = "currentName", "huidige naam", "The name that the council has now.", "/councils name";
    always kind: String = "kind", "soort", "Wijkraad or dorpsraad: a label.", "/councils kind";
    always area: String = "area", "gebied", "The area in which it lies.", "/councils area";
}

table! {
    /// A row per area (gebied).
    BiAreaRow "areas",
    /// The table of areas (gebieden).
    BiAreaTable
    merged on code: String = "code", "gebied", "The code of the area.", "/areas code";
    always name: String = "name", "naam", "The name.", "/areas name";
}

table! {
    /// A row per cluster of the municipal organisation.
    BiClusterRow "clusters",
    /// The table of clusters.
    BiClusterTable
    merged on code: String = "code", "cluster", "The code of the cluster.", "/clusters code";
    always name: String = "name", "naam", "The Dutch name.", "/clusters name";
}

table! {
    /// A row per theme (thema).
    BiThemeRow "themes",
    /// The table of themes (thema's).
    BiThemeTable
    merged on code: String = "code", "thema", "The code of the theme.", "/themes code";
    always dutch: String = "dutch", "Nederlandse naam", "The Dutch name.", "/themes dutch";
    always english: String = "english", "Engelse naam", "The English name.", "/themes english";
}

table! {
    /// A row per office holder (bestuurder).
    BiOfficeHolderRow "office-holders",
    /// The table of office holders (bestuurders).
    BiOfficeHolderTable
    merged on id: String = "id", "bestuurder", "The office holder.", "/office-holders id";
    maybe name: String = "name", "naam", "The name; empty once it was erased.", "/office-holders name";
    maybe office: String = "office", "ambt", "The office.", "/office-holders office";
    maybe portfolio: String = "portfolio", "portefeuille", "The portfolio.", "/office-holders portfolio";
    maybe from: NaiveDate = "from", "in functie vanaf", "First day in office.", "/office-holders from";
    maybe to: NaiveDate = "to", "in functie tot en met", "Last day in office.", "/office-holders to";
}

table! {
    /// A row per day, from 1 January 2018 to 31 December of next year.
    BiDateRow "dates",
    /// The table of days (kalender).
    BiDateTable
    merged on date: NaiveDate = "date", "dag", "The day.", "/calendar on";
    always year: i64 = "year", "jaar", "Its year.", "/bi/dates date";
    always quarter: i64 = "quarter", "kwartaal", "Its quarter, 1 to 4.", "/bi/dates date";
    always month: i64 = "month", "maand", "Its month, 1 to 12.", "/bi/dates date";
    always iso_year: i64 = "isoYear", "jaar van de week", "The year that its week belongs to (ISO 8601).", "/bi/dates date";
    always iso_week: i64 = "isoWeek", "week", "Its week, 1 to 53 (ISO 8601).", "/bi/dates date";
    always weekday: i64 = "weekday", "weekdag", "1 on Monday to 7 on Sunday.", "/bi/dates date";
    always is_working_day: bool = "isWorkingDay", "werkdag", "Whether a term may end on it: no Saturday, Sunday or public holiday.", "/calendar";
    maybe holiday: String = "holiday", "feestdag", "The Dutch name of the public holiday on it.", "/calendar dutch";
}

/// Every council with each of its names.
pub(super) fn councils(registry: &Registry) -> Vec<BiCouncilRow> {
    let mut rows = Vec::new();
    for stored in &registry.councils {
        let council = &stored.value;
        let last = council.names.iter().map(|name| name.from).max();
        rows.extend(council.names.iter().map(|name| BiCouncilRow {
            code: council.code.to_string(),
            from: Some(name.from),
            to: name.to,
            name: Some(name.name.clone()),
            is_current: Some(Some(name.from) == last),
            current_name: Some(council.name.clone()),
            kind: Some(council.kind.to_string()),
            area: Some(council.area.to_string()),
            deleted: false,
            modified_at: stored.stamp.modified_at,
        }));
    }
    rows
}

/// Every area.
pub(super) fn areas(registry: &Registry) -> Vec<BiAreaRow> {
    let rows = registry.areas.iter().map(|stored| BiAreaRow {
        code: stored.value.code.to_string(),
        name: Some(stored.value.name.clone()),
        deleted: false,
        modified_at: stored.stamp.modified_at,
    });
    rows.collect()
}

/// Every cluster.
pub(super) fn clusters(registry: &Registry) -> Vec<BiClusterRow> {
    let rows = registry.clusters.iter().map(|stored| BiClusterRow {
        code: stored.value.code.to_string(),
        name: Some(stored.value.name.clone()),
        deleted: false,
        modified_at: stored.stamp.modified_at,
    });
    rows.collect()
}

/// Every theme.
pub(super) fn themes(registry: &Registry) -> Vec<BiThemeRow> {
    let rows = registry.themes.iter().map(|stored| BiThemeRow {
        code: stored.value.code.to_string(),
        dutch: Some(stored.value.dutch.clone()),
        english: Some(stored.value.english.clone()),
        deleted: false,
        modified_at: stored.stamp.modified_at,
    });
    rows.collect()
}

/// Every office holder.
pub(super) fn office_holders(registry: &Registry) -> Vec<BiOfficeHolderRow> {
    let rows = registry.office_holders.iter().map(|stored| {
        let holder = &stored.value;
        BiOfficeHolderRow {
            id: holder.id.to_string(),
            name: registry.names.get(&holder.id.to_string()).cloned(),
            office: holder.office.clone(),
            portfolio: holder.portfolio.clone(),
            from: holder.from,
            to: holder.to,
            deleted: false,
            modified_at: stored.stamp.modified_at,
        }
    });
    rows.collect()
}

/// Every day, to the end of next year.
pub(super) fn dates(today: NaiveDate) -> Vec<BiDateRow> {
    let years = FIRST_YEAR..=today.year() + 1;
    years.flat_map(days_of).collect()
}

fn days_of(year: i32) -> Vec<BiDateRow> {
    let holidays = calendar::holidays(year);
    // A year enters the table as the one before it begins; nothing of it changes after that.
    let entered_on = NaiveDate::from_yo_opt(year - 1, 1).unwrap_or(calendar::FIRST_DAY);
    let modified_at = calendar::start_of(entered_on);
    let days = (1..=366).filter_map(|ordinal| NaiveDate::from_yo_opt(year, ordinal));
    days.map(|date| {
        let holiday = holidays.iter().find(|holiday| holiday.on == date);
        let week = date.iso_week();
        BiDateRow {
            date,
            year: Some(i64::from(year)),
            quarter: Some(i64::from(date.month0() / 3 + 1)),
            month: Some(i64::from(date.month())),
            iso_year: Some(i64::from(week.year())),
            iso_week: Some(i64::from(week.week())),
            weekday: Some(i64::from(date.weekday().number_from_monday())),
            is_working_day: Some(holiday.is_none() && !calendar::is_weekend(date)),
            holiday: holiday.map(|holiday| holiday.dutch.to_owned()),
            deleted: false,
            modified_at,
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_dates_has_every_day_to_the_end_of_next_year() {
        let rows = dates("2026-11-23".parse().unwrap());
        assert_eq!(rows.first().unwrap().date.to_string(), "2018-01-01");
        assert_eq!(rows.last().unwrap().date.to_string(), "2027-12-31");
        assert_eq!(rows.len(), 3652);
        assert!(rows.windows(2).all(|pair| pair[0].date.succ_opt() == Some(pair[1].date)));
        let king = rows.iter().find(|row| row.date.to_string() == "2026-04-27").unwrap();
        assert_eq!((king.holiday.as_deref(), king.is_working_day), (Some("Koningsdag"), Some(false)));
        assert_eq!((king.quarter, king.weekday, king.iso_week), (Some(2), Some(1), Some(18)));
        let turn = rows.iter().find(|row| row.date.to_string() == "2027-01-01").unwrap();
        assert_eq!((turn.year, turn.iso_year, turn.iso_week), (Some(2027), Some(2026), Some(53)));
        assert_eq!(turn.modified_at.to_string(), "2025-12-31 23:00:00 UTC");
    }
}
