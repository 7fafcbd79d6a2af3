//! The arithmetic behind the figures: shares with their uncertainty, and times to an event of which some have not happened yet.
//!
//! Whatever decides something (a rounding, a quantile) is decided in whole numbers, so that no machine rounds another way.

use std::fmt;

use num_bigint::BigUint;

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many of the whole.
    pub numerator: u64,
    /// The whole.
    pub denominator: u64,
}

impl Share {
    /// The share, rounded; none of an empty whole.
    pub fn value(self) -> Option<Decimal4> {
        Decimal4::of(u128::from(self.numerator), u128::from(self.denominator))
    }

    /// The lower end of the Wilson interval at 95 %.
    pub fn low(self) -> Option<Decimal4> {
        self.wilson().map(|(low, _)| Decimal4::nearest(low))
    }

    /// The upper end of the Wilson interval at 95 %.
    pub fn high(self) -> Option<Decimal4> {
        self.wilson().map(|(_, high)| Decimal4::nearest(high))
    }

    pub(super) fn wilson(self) -> Option<(f64, f64)> {
        /// The 97.5th percentile of the normal distribution.
        const Z: f64 = 1.959963984540054;
        if self.denominator == 0 {
            return None;
        }
        let n = self.denominator as f64;
        let p = self.numerator as f64 / n;
        let scale = 1.0 + Z * Z / n;
        let centre = (p + Z * Z / (2.0 * n)) / scale;
        let margin = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        // At the ends the formula gives 0 and 1 exactly, and floating point almost.
        let low = if self.numerator == 0 { 0.0 } else { centre - margin };
        let high = if self.numerator == self.denominator { 1.0 } else { centre + margin };
        Some((low, high))
    }
}

/// A number in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal4(i64);

impl Decimal4 {
    /// One.
    pub const ONE: Self = Self(10_000);

    /// A fraction, rounded half to even; none when there is nothing to divide by.
    pub fn of(numerator: u128, denominator: u128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let (whole, rest) = (numerator * 10_000 / denominator, numerator * 10_000 % denominator);
        let rounded = round_half_to_even(whole, (2 * rest).cmp(&denominator));
        i64::try_from(rounded).ok().map(Self)
    }

    /// How many ten-thousandths it is.
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// The same number as JSON has it: the shortest decimal that reads back as this one.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 10_000.0
    }

    fn nearest(value: f64) -> Self {
        Self((value * 10_000.0).round_ties_even() as i64)
    }
}

impl fmt::Display for Decimal4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_f64().fmt(f)
    }
}

fn round_half_to_even(whole: u128, rest_against_half: std::cmp::Ordering) -> u128 {
    match rest_against_half {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Equal => whole + whole % 2,
        std::cmp::Ordering::Greater => whole + 1,
    }
}

/// How long something was watched, and whether the event came then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// Days from the start.
    pub days: i64,
    /// Whether the event happened on that day; else watching ended without it (censored).
    pub event: bool,
}

/// Times to an event, by the product-limit estimate of Kaplan and Meier: what has not happened yet is taken along.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    /// How many were watched.
    pub n: u64,
    /// Of how many the event happened.
    pub events: u64,
    /// The smallest time by which at least half had the event; none: not reached.
    pub median: Option<i64>,
    /// The smallest time by which at least 80 % had it; none: not reached.
    pub p80: Option<i64>,
    /// The smallest time by which at least 90 % had it; none: not reached.
    pub p90: Option<i64>,
    /// The longest time watched, where one of the three is not reached: that one is longer, as far as is known.
    pub lower_bound: Option<i64>,
    /// The share without the event after each time at which one happened.
    pub curve: Vec<CurvePoint>,
}

/// A point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurvePoint {
    /// Days from the start.
    pub days: i64,
    /// The share without the event after that day.
    pub survival: Decimal4,
}

/// The Kaplan–Meier estimate. Of one day the events come before the censorings.
pub fn kaplan_meier(observations: &[Observation]) -> Times {
    let mut times = Times { n: observations.len() as u64, ..Times::default() };
    if observations.is_empty() {
        return times;
    }
    times.events = observations.iter().filter(|observation| observation.event).count() as u64;
    times.curve.push(CurvePoint { days: 0, survival: Decimal4::ONE });
    at_each_event(observations, |days, left| {
        times.curve.push(CurvePoint { days, survival: left.rounded() });
        for (quantile, parts) in [(&mut times.median, 2), (&mut times.p80, 5), (&mut times.p90, 10)] {
            if quantile.is_none() && left.is_at_most_one_in(parts) {
                *quantile = Some(days);
            }
        }
    });
    if times.p90.is_none() {
        times.lower_bound = observations.iter().map(|observation| observation.days).max();
    }
    times
}

/// Tells each time at which events happened, and the exact share that is left after it.
pub(super) fn at_each_event(observations: &[Observation], mut tell: impl FnMut(i64, &Left)) {
    let mut in_order = observations.to_vec();
    in_order.sort_unstable();
    let mut left = Left::all(in_order.len() as u64);
    let mut at_risk = in_order.len() as u64;
    for day in in_order.chunk_by(|one, other| one.days == other.days) {
        let events = day.iter().filter(|observation| observation.event).count() as u64;
        if events > 0 {
            left.lose(events, at_risk);
            tell(day[0].days, &left);
        }
        at_risk -= day.len() as u64;
    }
}

/// The share left without the event: a fraction that is never rounded.
pub(super) struct Left {
    /// The fraction is `numerator * last / denominator`.
    numerator: BigUint,
    denominator: BigUint,
    /// The numerator of the last factor. As long as nobody is lost from sight it is the denominator of the next one; then the
    /// two cancel out, and the numbers stay small.
    last: u64,
}

impl Left {
    fn all(n: u64) -> Self {
        Self { numerator: BigUint::from(1u32), denominator: BigUint::from(n), last: n }
    }

    fn lose(&mut self, events: u64, at_risk: u64) {
        if self.last != at_risk {
            self.numerator *= self.last;
            self.denominator *= at_risk;
        }
        self.last = at_risk - events;
    }

    fn is_at_most_one_in(&self, parts: u32) -> bool {
        &self.numerator * self.last * parts <= self.denominator
    }

    fn rounded(&self) -> Decimal4 {
        let scaled = &self.numerator * self.last * 10_000u32;
        let whole = &scaled / &self.denominator;
        let rest = scaled - &whole * &self.denominator;
        let whole = u128::try_from(whole).unwrap_or_default();
        Decimal4(round_half_to_even(whole, (rest * 2u32).cmp(&self.denominator)) as i64)
    }

    /// The share to more places than any rounding of the figures shows, for comparison with other programs.
    #[cfg(test)]
    pub(super) fn to_f64(&self) -> f64 {
        let scaled = &self.numerator * self.last * 1_000_000_000_000_000u64 / &self.denominator;
        u64::try_from(scaled).unwrap() as f64 / 1e15
    }
}

/// The lower median: the value in the middle, of two the smaller, so that it is one that occurred.
pub fn median(mut values: Vec<i64>) -> Option<i64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn share(numerator: u64, denominator: u64) -> Share {
        Share { numerator, denominator }
    }

    fn read(text: &str) -> Option<Decimal4> {
        Some(Decimal4((text.parse::<f64>().unwrap() * 10_000.0).round() as i64))
    }

    fn observed(days: i64) -> Observation {
        Observation { days, event: true }
    }

    #[test]
    fn a_share_is_rounded_half_to_even_from_the_exact_fraction() {
        for (numerator, denominator, text) in [
            (5, 9, "0.5556"),
            (1, 3, "0.3333"),
            (1, 1, "1"),
            (0, 7, "0"),
            // Exactly half of the last place: 0.00005, 0.00015 and 0.00025.
            (1, 20_000, "0"),
            (3, 20_000, "0.0002"),
            (5, 20_000, "0.0002"),
            (7, 20_000, "0.0004"),
        ] {
            assert_eq!(share(numerator, denominator).value().unwrap().to_string(), text);
        }
        assert_eq!(share(0, 0).value(), None);
        assert_eq!((share(0, 0).low(), share(0, 0).high()), (None, None));
        assert_eq!(serde_json::to_string(&share(5, 9).value().unwrap().to_f64()).unwrap(), "0.5556");
    }

    #[test]
    fn the_interval_ends_at_nothing_and_at_everything() {
        assert_eq!(share(0, 39).low(), read("0"));
        assert_eq!(share(39, 39).high(), read("1"));
        assert_eq!((share(5, 9).low(), share(5, 9).high()), (read("0.2667"), read("0.8112")));
    }

    #[test]
    fn the_intervals_are_those_of_statsmodels() {
        let mut compared = 0;
        for line in include_str!("testdata/wilson.csv").lines().skip(1) {
            let [numerator, denominator, low, high] = line.split(';').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let share = share(numerator.parse().unwrap(), denominator.parse().unwrap());
            let (ours_low, ours_high) = share.wilson().unwrap();
            assert!((ours_low - low.parse::<f64>().unwrap()).abs() < 1e-9, "{line}");
            assert!((ours_high - high.parse::<f64>().unwrap()).abs() < 1e-9, "{line}");
            compared += 1;
        }
        assert_eq!(compared, 200);
    }

    #[test]
    fn the_times_are_those_of_lifelines() {
        let (mut cohorts, mut points, mut rounded_by_lifelines) = (0, 0, 0);
        for line in include_str!("testdata/survival.csv").lines().skip(1) {
            let [observations, rough @ .., _, _, _, curve] = &line.split(';').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let exact = &line.split(';').collect::<Vec<_>>()[4..7];
            let observations: Vec<Observation> = observations
                .split(' ')
                .map(|text| Observation {
                    days: text.trim_end_matches('+').parse().unwrap(),
                    event: !text.ends_with('+'),
                })
                .collect();
            let times = kaplan_meier(&observations);
            let ours = [times.median, times.p80, times.p90]
                .map(|days| days.map_or("-".to_owned(), |days| days.to_string()));
            assert_eq!(ours, *exact, "{line}");
            rounded_by_lifelines += ours.iter().zip(rough).filter(|(ours, rough)| ours != *rough).count();

            let mut theirs = curve.split(' ').filter(|point| !point.is_empty());
            at_each_event(&observations, |days, left| {
                let (their_days, survival) = theirs.next().unwrap().split_once(':').unwrap();
                assert_eq!(days, their_days.parse::<i64>().unwrap(), "{line}");
                assert!((left.to_f64() - survival.parse::<f64>().unwrap()).abs() < 1e-9, "{line}");
                points += 1;
            });
            assert_eq!(theirs.next(), None);
            cohorts += 1;
        }
        // lifelines takes the next time where exactly the share asked for is left, and floating point finds a little more.
        assert_eq!((cohorts, points, rounded_by_lifelines), (166, 2779, 25));
    }

    #[test]
    fn what_is_not_reached_has_a_lower_bound() {
        let times = kaplan_meier(&[observed(3), Observation { days: 9, event: false }]);
        assert_eq!((times.median, times.p80, times.p90), (Some(3), None, None));
        assert_eq!(times.lower_bound, Some(9));
        assert_eq!(kaplan_meier(&[observed(3)]).lower_bound, None);
        assert_eq!(kaplan_meier(&[]), Times::default());
    }

    #[test]
    fn of_one_day_events_come_before_those_lost_from_sight() {
        let times = kaplan_meier(&[Observation { days: 7, event: false }, observed(7)]);
        assert_eq!(times.median, Some(7));
    }

    #[test]
    fn the_lower_median_is_a_value_that_occurred() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![4, 1]), Some(1));
        assert_eq!(median(vec![63, 35, 42, 43, 63, 56, 43]), Some(43));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_share_lies_in_its_interval(denominator in 1u64..100_000, part in 0.0..=1.0f64) {
            let share = share((denominator as f64 * part) as u64, denominator);
            prop_assert!(share.low() <= share.value() && share.value() <= share.high());
            prop_assert!(share.low() >= read("0") && share.high() <= read("1"));
        }

        #[test]
        fn what_is_left_never_grows(cohort in vec((0i64..50, any::<bool>()), 0..60)) {
            let observations: Vec<_> =
                cohort.into_iter().map(|(days, event)| Observation { days, event }).collect();
            let times = kaplan_meier(&observations);
            for pair in times.curve.windows(2) {
                prop_assert!(pair[0].survival >= pair[1].survival && pair[0].days <= pair[1].days);
            }
            prop_assert!(times.median <= times.p80 || times.p80.is_none());
            prop_assert!(times.p80 <= times.p90 || times.p90.is_none());
        }

        #[test]
        fn with_nobody_lost_from_sight_it_is_the_plain_quantile(mut days in vec(0i64..40, 1..60)) {
            let times = kaplan_meier(&days.iter().copied().map(observed).collect::<Vec<_>>());
            days.sort_unstable();
            // The smallest value by which at least that share had the event.
            let plain = |percent: usize| Some(days[(days.len() * percent).div_ceil(100) - 1]);
            prop_assert_eq!((times.median, times.p80, times.p90), (plain(50), plain(80), plain(90)));
            prop_assert_eq!(times.median, median(days));
        }
    }
}
