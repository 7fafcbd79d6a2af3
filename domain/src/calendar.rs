//! The calendar: legal days in Amsterdam, public holidays and working days.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Europe::Amsterdam;

/// The first day this calendar is made for; earlier days count as this one.
pub const FIRST_DAY: NaiveDate = day_or(1900, 1, 1, NaiveDate::MIN);

/// The last day this calendar is made for, a working day; later days count as this one.
pub const LAST_DAY: NaiveDate = day_or(2200, 12, 31, NaiveDate::MAX);

/// A public holiday (algemeen erkende feestdag) on which no term ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// The day it falls on in that year.
    pub on: NaiveDate,
    /// Dutch name.
    pub dutch: &'static str,
    /// English name.
    pub english: &'static str,
    /// The law that makes it one.
    pub ground: &'static str,
}

/// The legal day in Rotterdam at a moment.
pub fn amsterdam_day(moment: DateTime<Utc>) -> NaiveDate {
    let utc = moment.naive_utc();
    let offset = Amsterdam.offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).unwrap_or(utc).date()
}

/// The moment at which a day begins in Rotterdam.
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    // Summer time never begins or ends at midnight here, so the first of the two is the only one.
    let begun = Amsterdam.from_local_datetime(&midnight).earliest();
    begun.map_or(midnight.and_utc(), |moment| moment.with_timezone(&Utc))
}

/// Whether the calendar is made for this day.
pub fn is_supported(date: NaiveDate) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&date)
}

/// Easter Sunday (eerste paasdag), by the Gregorian computus.
pub fn easter(year: i32) -> NaiveDate {
    let year = supported_year(year);
    let (century, in_century) = (year / 100, year % 100);
    let golden = year % 19;
    let moon_shift = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_shift + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * to_sunday) / 451;
    let days_after_22_march = epact + to_sunday - 7 * late;
    add_days(date(year, 3, 22), i64::from(days_after_22_march))
}

/// The public holidays of a year, in order; a year outside the calendar gives its nearest one.
pub fn holidays(year: i32) -> Vec<Holiday> {
    const PARAGRAPH_1: &str = "Algemene termijnenwet art. 3 lid 1";
    const PARAGRAPH_2: &str = "Algemene termijnenwet art. 3 lid 2";

    let year = supported_year(year);
    let easter = easter(year);
    let after_easter = |days| add_days(easter, days);
    let mut days = vec![
        (date(year, 1, 1), "Nieuwjaarsdag", "New Year's Day", PARAGRAPH_1),
        (after_easter(-2), "Goede Vrijdag", "Good Friday", PARAGRAPH_2),
        (after_easter(1), "tweede paasdag", "Easter Monday", PARAGRAPH_1),
        (kings_day(year), "Koningsdag", "King's Day", PARAGRAPH_1),
        (date(year, 5, 5), "Bevrijdingsdag", "Liberation Day", PARAGRAPH_1),
        (after_easter(39), "Hemelvaartsdag", "Ascension Day", PARAGRAPH_1),
        (after_easter(50), "tweede pinksterdag", "Whit Monday", PARAGRAPH_1),
        (date(year, 12, 25), "eerste kerstdag", "Christmas Day", PARAGRAPH_1),
        (date(year, 12, 26), "tweede kerstdag", "Second Day of Christmas", PARAGRAPH_1),
    ];
    // Ascension Day may fall before 5 May.
    days.sort_by_key(|(on, ..)| *on);
    days.into_iter().map(|(on, dutch, english, ground)| Holiday { on, dutch, english, ground }).collect()
}

/// The public holiday on a day, if it is one.
pub fn holiday_on(date: NaiveDate) -> Option<Holiday> {
    holidays(date.year()).into_iter().find(|holiday| holiday.on == date)
}

/// Whether a term may end on this day: no Saturday, no Sunday, no public holiday.
pub fn is_working_day(date: NaiveDate) -> bool {
    !is_weekend(date) && holiday_on(date).is_none()
}

/// Whether it is a Saturday or a Sunday.
pub fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The day itself when it is a working day, else the first one after it.
pub fn next_working_day_on_or_after(date: NaiveDate) -> NaiveDate {
    let day = within(date);
    let place = usize::try_from((day - FIRST_DAY).num_days()).unwrap_or(0);
    add_days(day, DAYS_TO_WORK.get(place).copied().map_or(0, i64::from))
}

/// Of each day of the calendar in how many days one works again. Figures ask it of every advice, so the holidays are looked up once.
static DAYS_TO_WORK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let years = FIRST_DAY.year()..=LAST_DAY.year();
    let off: std::collections::HashSet<NaiveDate> =
        years.flat_map(holidays).map(|holiday| holiday.on).collect();
    let days: Vec<NaiveDate> = FIRST_DAY.iter_days().take_while(|day| *day <= LAST_DAY).collect();
    let mut left: Vec<u8> = vec![0; days.len()];
    // The last day is a working day.
    for place in (0..days.len().saturating_sub(1)).rev() {
        if is_weekend(days[place]) || off.contains(&days[place]) {
            left[place] = left[place + 1] + 1;
        }
    }
    left
});

/// The working day that is `n` working days after a day; the day itself for 0.
pub fn add_working_days(date: NaiveDate, n: u32) -> NaiveDate {
    let mut day = within(date);
    let mut year = holidays(day.year());
    let mut left = n;
    while left > 0 && day < LAST_DAY {
        day = add_days(day, 1);
        if day.ordinal() == 1 {
            year = holidays(day.year());
        }
        if !is_weekend(day) && year.iter().all(|holiday| holiday.on != day) {
            left -= 1;
        }
    }
    day
}

/// A number of calendar days later (or earlier), never outside the calendar.
pub fn add_days(date: NaiveDate, days: i64) -> NaiveDate {
    let end = if days < 0 { FIRST_DAY } else { LAST_DAY };
    TimeDelta::try_days(days).and_then(|delta| within(date).checked_add_signed(delta)).map_or(end, within)
}

/// On a Sunday the King's birthday is celebrated the day before.
fn kings_day(year: i32) -> NaiveDate {
    let birthday = date(year, 4, 27);
    if birthday.weekday() == Weekday::Sun { add_days(birthday, -1) } else { birthday }
}

fn within(date: NaiveDate) -> NaiveDate {
    date.clamp(FIRST_DAY, LAST_DAY)
}

fn supported_year(year: i32) -> i32 {
    year.clamp(FIRST_DAY.year(), LAST_DAY.year())
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    day_or(year, month, day, FIRST_DAY)
}

const fn day_or(year: i32, month: u32, day: u32, otherwise: NaiveDate) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn easter_falls_where_the_almanac_says() {
        let known = [
            "1900-04-15",
            "1943-04-25",
            "1954-04-18",
            "1981-04-19",
            "2000-04-23",
            "2008-03-23",
            "2016-03-27",
            "2019-04-21",
            "2022-04-17",
            "2023-04-09",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2038-04-25",
            "2049-04-18",
            "2076-04-19",
            "2100-03-28",
            "2200-04-06",
        ];
        for day in known.map(d) {
            assert_eq!(easter(day.year()), day);
        }
    }

    #[test]
    fn the_holidays_of_2025_are_nine_in_order() {
        let days: Vec<_> = holidays(2025).iter().map(|h| (h.on.to_string(), h.english)).collect();
        let expected = [
            ("2025-01-01", "New Year's Day"),
            ("2025-04-18", "Good Friday"),
            ("2025-04-21", "Easter Monday"),
            ("2025-04-26", "King's Day"),
            ("2025-05-05", "Liberation Day"),
            ("2025-05-29", "Ascension Day"),
            ("2025-06-09", "Whit Monday"),
            ("2025-12-25", "Christmas Day"),
            ("2025-12-26", "Second Day of Christmas"),
        ];
        assert_eq!(days, expected.map(|(on, name)| (on.to_owned(), name)));
    }

    #[test]
    fn kings_day_moves_to_saturday_when_the_birthday_is_a_sunday() {
        for (year, day) in [(2014, 26), (2024, 27), (2025, 26), (2026, 27), (2031, 26)] {
            assert_eq!(kings_day(year), date(year, 4, day));
        }
    }

    #[test]
    fn ascension_day_may_come_before_liberation_day_or_with_it() {
        let may = |year| {
            let days = holidays(year).into_iter().filter(|h| h.on.month() == 5);
            days.map(|h| (h.on.day(), h.dutch)).collect::<Vec<_>>()
        };
        assert_eq!(
            may(2008)[..2],
            [(1, "Hemelvaartsdag"), (5, "Bevrijdingsdag")] // and Whit Monday on 12 May
        );
        assert_eq!(may(2016)[..2], [(5, "Bevrijdingsdag"), (5, "Hemelvaartsdag")]);
    }

    #[test]
    fn working_days_skip_weekends_and_holidays() {
        assert_eq!(next_working_day_on_or_after(d("2025-04-18")), d("2025-04-22"));
        assert_eq!(next_working_day_on_or_after(d("2025-04-22")), d("2025-04-22"));
        assert_eq!(add_working_days(d("2025-04-17"), 1), d("2025-04-22"));
        assert_eq!(add_working_days(d("2025-04-19"), 0), d("2025-04-19"));
        assert_eq!(add_working_days(d("2025-12-24"), 3), d("2025-12-31"));
        assert_eq!(add_working_days(d("2025-12-31"), 1), d("2026-01-02"));
    }

    #[test]
    fn the_day_turns_at_midnight_in_amsterdam() {
        let day = |text: &str| amsterdam_day(text.parse().unwrap());
        assert_eq!(day("2025-12-31T22:59:59Z"), d("2025-12-31"));
        assert_eq!(day("2025-12-31T23:00:00Z"), d("2026-01-01"));
        assert_eq!(day("2025-06-30T22:00:00Z"), d("2025-07-01"));
        assert_eq!(amsterdam_day(DateTime::<Utc>::MAX_UTC).year(), NaiveDate::MAX.year());
    }

    #[test]
    fn a_day_begins_where_the_one_before_it_ends() {
        for (day, moment) in [("2026-01-01", "2025-12-31T23:00:00Z"), ("2025-07-01", "2025-06-30T22:00:00Z")]
        {
            assert_eq!(start_of(d(day)), moment.parse::<DateTime<Utc>>().unwrap());
        }
    }

    #[test]
    fn extreme_days_stay_within_the_calendar() {
        assert!(is_working_day(LAST_DAY));
        for day in [NaiveDate::MIN, FIRST_DAY, LAST_DAY, NaiveDate::MAX] {
            assert!(is_supported(next_working_day_on_or_after(day)));
            assert!(is_supported(add_working_days(day, 70_000)));
            for days in [i64::MIN, -1, 0, 1, i64::MAX] {
                assert!(is_supported(add_days(day, days)));
            }
            is_working_day(day);
        }
        for year in [i32::MIN, -1, 0, i32::MAX] {
            assert!(is_supported(easter(year)));
            assert_eq!(holidays(year).len(), 9);
        }
    }

    proptest! {
        #[test]
        fn the_next_working_day_is_the_first_one(offset in 0i64..110_000) {
            let day = add_days(FIRST_DAY, offset);
            let first = day.iter_days().find(|day| is_working_day(*day));
            prop_assert_eq!(Some(next_working_day_on_or_after(day)), first);
        }

        #[test]
        fn easter_is_a_sunday_in_spring(year in 1900..=2200) {
            let day = easter(year);
            prop_assert_eq!(day.weekday(), Weekday::Sun);
            prop_assert!((date(year, 3, 22)..=date(year, 4, 25)).contains(&day));
        }

        #[test]
        fn working_days_add_up(offset in 0i64..100_000, n in 0u32..40, m in 0u32..40) {
            let day = add_days(FIRST_DAY, offset);
            let far = add_working_days(add_working_days(day, n), m);
            prop_assert_eq!(far, add_working_days(day, n + m));
            prop_assert!(n == 0 || is_working_day(add_working_days(day, n)));
        }
    }
}
