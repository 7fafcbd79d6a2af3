//! The clock: which term rule holds, until when the college may answer, and why (design, section 5).
//!
//! A **measure** is a suspension or an extension. It takes effect on a day: an extension on the day it
//! was decided, a suspension on the later of its first day and the day it was decided. It is valid when
//! that day is on or before the deadline as it stands that day, or lies in an open suspension, and the
//! clock has not stopped; else it is **void**: kept and shown, without effect. Deadlines only ever
//! move away, so one look on that day says all, and the order of measures of one day does not matter.

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::calendar::{self, add_days};
use crate::codes::{AdviceKind, DayUnit, Level, RuleStatus, TermState, TermSubject};
use crate::error::{FieldError, RuleError};
use crate::ids::{PartId, TermRuleId};

/// How long the college may take to answer (termijnregel).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermRule {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TermRuleId,
    /// On what it puts a term: the answer to an advice, or the reply to a finding.
    #[serde(default)]
    pub applies_to: TermSubject,
    /// Days from receipt (dagen); null: no norm applies.
    #[schema(required = true, example = 42)]
    pub days: Option<u16>,
    /// What the days count (eenheid).
    pub unit: DayUnit,
    /// Kinds of advice it holds for (soorten); empty: all.
    pub kinds: Vec<AdviceKind>,
    /// Levels it holds for (reikwijdte); empty: all.
    pub levels: Vec<Level>,
    /// `due_soon` from this many days before the deadline, up to and including the deadline.
    #[schema(example = 7)]
    pub due_soon_days: u16,
    /// `very_late` from this many days over the deadline on.
    #[schema(example = 28)]
    pub very_late_days: u16,
    /// First day of receipt it holds for (geldig vanaf).
    pub valid_from: NaiveDate,
    /// Last day of receipt it holds for (geldig tot en met); null: no end.
    #[schema(required = true, value_type = Option<NaiveDate>)]
    pub valid_to: Option<NaiveDate>,
    /// The legal ground (grondslag).
    pub ground: String,
    /// On what it rests (status).
    pub status: RuleStatus,
}

impl TermRule {
    /// Refuses a rule that cannot be counted with.
    pub fn check(&self) -> Result<(), RuleError> {
        /// Ten years.
        const MOST_DAYS: u16 = 3650;
        let mut errors = Vec::new();
        let mut refuse = |location: &str, code, detail: &str| {
            errors.push(FieldError::new(location, code, detail));
        };
        if self.days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
            refuse("/days", "term_rule.days", "must be 1 to 3650, or null for no norm");
        }
        if !calendar::is_supported(self.valid_from) {
            refuse("/validFrom", "date.range", "lies outside the calendar");
        }
        if self.valid_to.is_some_and(|to| to < self.valid_from) {
            refuse("/validTo", "date.order", "must not lie before validFrom");
        }
        if self.ground.trim().is_empty() {
            refuse("/ground", "text.blank", "name the ground the rule rests on");
        }
        if errors.is_empty() { Ok(()) } else { Err(RuleError::Invalid(errors)) }
    }

    /// Whether it is valid on a day of receipt.
    pub fn is_valid_on(&self, received_on: NaiveDate) -> bool {
        self.valid_from <= received_on && self.valid_to.is_none_or(|last| received_on <= last)
    }

    fn matches(&self, kind: AdviceKind, level: Level) -> bool {
        self.applies_to == TermSubject::Advice
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.levels.is_empty() || self.levels.contains(&level))
    }

    /// Smaller is narrower: first the dimensions left open, then the combinations covered.
    fn width(&self) -> (usize, usize) {
        let kinds = covered(AdviceKind::ALL, &self.kinds);
        let levels = covered(Level::ALL, &self.levels);
        let open = usize::from(kinds == AdviceKind::ALL.len()) + usize::from(levels == Level::ALL.len());
        (open, kinds * levels)
    }
}

/// What the rules say about one receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleChoice {
    /// One rule is the narrowest.
    One(TermRule),
    /// These are equally narrow, and narrower than all others.
    Several(Vec<TermRule>),
    /// No rule is valid that day for that kind and level.
    None,
}

/// The narrowest of the rules valid on the day of receipt, for this kind and level.
pub fn narrowest_rules(
    rules: &[TermRule],
    kind: AdviceKind,
    level: Level,
    received_on: NaiveDate,
) -> RuleChoice {
    let fitting = |rule: &&TermRule| rule.is_valid_on(received_on) && rule.matches(kind, level);
    let Some(width) = rules.iter().filter(fitting).map(TermRule::width).min() else {
        return RuleChoice::None;
    };
    let mut narrowest: Vec<TermRule> =
        rules.iter().filter(fitting).filter(|rule| rule.width() == width).cloned().collect();
    match narrowest.len() {
        1 => RuleChoice::One(narrowest.remove(0)),
        _ => RuleChoice::Several(narrowest),
    }
}

/// The rule to freeze at receipt: the narrowest, or of equally narrow ones the one that is named.
pub fn choose_rule(
    rules: &[TermRule],
    kind: AdviceKind,
    level: Level,
    received_on: NaiveDate,
    named: Option<TermRuleId>,
) -> Result<TermRule, RuleError> {
    let narrowest = match narrowest_rules(rules, kind, level, received_on) {
        RuleChoice::One(rule) => vec![rule],
        RuleChoice::Several(rules) => rules,
        RuleChoice::None => vec![],
    };
    if let Some(named) = named {
        return narrowest.into_iter().find(|rule| rule.id == named).ok_or_else(|| {
            RuleError::invalid(
                "/rule",
                "term_rule.not_valid",
                "is not one of the narrowest rules valid on the day of receipt for this kind and level",
            )
        });
    }
    match narrowest.as_slice() {
        [rule] => Ok(rule.clone()),
        [] => Err(RuleError::conflict(
            "term-rule-missing",
            format!("No term rule is valid on {received_on} for kind {kind} and level {level}."),
        )),
        several => {
            let ids: Vec<_> = several.iter().map(|rule| rule.id.to_string()).collect();
            Err(RuleError::conflict(
                "term-rule-ambiguous",
                format!(
                    "Equally narrow term rules are valid on {received_on}; name one: {}.",
                    ids.join(", ")
                ),
            ))
        }
    }
}

/// The rules a register starts with: an assumption, until the municipality adopts a term.
pub fn built_in_rules() -> Vec<TermRule> {
    let answered = TermRule {
        id: TermRuleId(Uuid::from_u128(0x0143_4b29_bc00_7000_8000_0000_0000_0001)),
        applies_to: TermSubject::Advice,
        days: Some(42),
        unit: DayUnit::CalendarDays,
        kinds: AdviceKind::ALL.iter().copied().filter(|kind| *kind != AdviceKind::Letter).collect(),
        levels: vec![],
        due_soon_days: 7,
        very_late_days: 28,
        // Before the first advice on record, so that all history is covered.
        valid_from: NaiveDate::from_ymd_opt(2014, 1, 1).unwrap_or(calendar::FIRST_DAY),
        valid_to: None,
        ground: "Assumption: no answer term stands in the letter of 22 April 2025 (M2404-1809), and none \
                 was found in the ordinance; six weeks is what the predecessor councils set themselves."
            .to_owned(),
        status: RuleStatus::Assumption,
    };
    let letter = TermRule {
        id: TermRuleId(Uuid::from_u128(0x0143_4b29_bc00_7000_8000_0000_0000_0002)),
        days: None,
        kinds: vec![AdviceKind::Letter],
        ground: "Assumption: a letter is no advice, so no answer term applies to it.".to_owned(),
        ..answered.clone()
    };
    let finding = TermRule {
        id: TermRuleId(Uuid::from_u128(0x0143_4b29_bc00_7000_8000_0000_0000_0003)),
        applies_to: TermSubject::Finding,
        kinds: vec![],
        ground: "Assumption: no term for the reply to a finding stands in the letter of 22 April 2025 (M2404-1809); \
                 six weeks, as for advice."
            .to_owned(),
        ..answered.clone()
    };
    vec![answered, letter, finding]
}

/// The rule for the reply to a finding that was given on a day; of several the one that began last.
pub fn finding_rule(rules: &[TermRule], found_on: NaiveDate) -> Option<TermRule> {
    rules
        .iter()
        .filter(|rule| rule.applies_to == TermSubject::Finding && rule.is_valid_on(found_on))
        .max_by_key(|rule| (rule.valid_from, rule.id))
        .cloned()
}

/// A stretch in which the clock stands still (opschorting): from `from` up to, not including, `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: PartId,
    /// First day the clock stands still (vanaf).
    pub from: NaiveDate,
    /// The day the clock runs again (tot); null while open.
    #[schema(required = true, value_type = Option<NaiveDate>)]
    pub to: Option<NaiveDate>,
    /// The day it was decided (besluitdatum).
    pub decided_on: NaiveDate,
    /// Why (reden).
    pub reason: String,
}

/// Days added to the term (verlenging, verdaging).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Extension {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: PartId,
    /// Calendar days added (dagen).
    pub days: u16,
    /// The day it was decided (besluitdatum).
    pub decided_on: NaiveDate,
    /// Why (reden).
    pub reason: String,
}

/// Why an advice ended without an answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Taken back by its council (ingetrokken).
    Withdrawn,
    /// Treated as part of another (samengevoegd).
    Merged,
    /// Handed to a body outside (doorgezonden).
    Forwarded,
}

impl EndReason {
    const fn as_text(self) -> &'static str {
        match self {
            Self::Withdrawn => "Withdrawn",
            Self::Merged => "Merged into another advice",
            Self::Forwarded => "Forwarded",
        }
    }
}

/// All the clock needs to know of an advice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TermFacts {
    /// The rule frozen at receipt.
    pub rule: Option<TermRule>,
    /// Day 0.
    pub received_on: Option<NaiveDate>,
    /// Suspensions, void ones included.
    pub suspensions: Vec<Suspension>,
    /// Extensions, void ones included.
    pub extensions: Vec<Extension>,
    /// The day the final response was sent.
    pub answered_on: Option<NaiveDate>,
    /// The day it ended without an answer, and why.
    pub ended_on: Option<(NaiveDate, EndReason)>,
    /// From a portal's list: without a day of receipt its term is unknown.
    pub imported: bool,
    /// It ended without an answer on a day that nobody knows.
    pub ended_unknown_day: bool,
}

/// Where the answer term stands on a day (stand van de termijn).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermOn {
    /// The term rule frozen at receipt (termijnregel); null before receipt.
    #[schema(required = true, value_type = Option<Uuid>)]
    pub rule: Option<TermRuleId>,
    /// On what that rule rests (status van de termijnregel).
    #[schema(required = true)]
    pub rule_status: Option<RuleStatus>,
    /// The deadline without extensions (oorspronkelijke uiterste datum); null while suspended.
    #[schema(required = true, value_type = Option<NaiveDate>)]
    pub original_due_on: Option<NaiveDate>,
    /// The deadline (uiterste datum): answered on it is in time; null while suspended.
    #[schema(required = true, value_type = Option<NaiveDate>)]
    pub due_on: Option<NaiveDate>,
    /// Where it stands (stand).
    pub state: TermState,
    /// Days past the deadline, at the answer, the end or `on` (dagen over de termijn); 0 when not past it, null without a deadline.
    #[schema(required = true)]
    pub days_over: Option<i64>,
    /// The Amsterdam day for which all this holds (peildatum).
    pub on: NaiveDate,
}

/// The deadline, explained so that anyone can count it again (uitleg van de termijn).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermExplanation {
    /// What is explained.
    pub term: TermOn,
    /// The explanation; where there is a deadline, it is day 0 plus all `days`.
    pub lines: Vec<TermLine>,
}

/// One line of the explanation (regel van de uitleg).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermLine {
    /// `receipt`, `rule`, `suspension`, `extension`, `void_suspension`, `void_extension`, `sum`, `roll`, `original`, `answer`, `end` or `state`.
    #[schema(example = "roll")]
    pub step: String,
    /// The day something happened.
    #[schema(required = true, value_type = Option<NaiveDate>)]
    pub on: Option<NaiveDate>,
    /// Calendar days this line adds to the deadline.
    #[schema(required = true)]
    pub days: Option<i64>,
    /// The deadline that this line arrives at.
    #[schema(required = true, value_type = Option<NaiveDate>)]
    pub due_on: Option<NaiveDate>,
    /// The line in plain English.
    pub text: String,
    /// The rule or law it rests on.
    pub source: String,
}

/// Days on which state and due day are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// First day.
    pub from: NaiveDate,
    /// The day after the last one; none for the last segment.
    pub to: Option<NaiveDate>,
    /// The state on each of its days.
    pub state: TermState,
    /// The deadline on each of its days.
    pub due_on: Option<NaiveDate>,
    /// Days over once the clock has stopped; else they are max(0, day - `due_on`), or null without `due_on`.
    pub fixed_days_over: Option<i64>,
}

/// The term as it stood on a day; only what happened on or before that day counts.
pub fn term_on(facts: &TermFacts, on: NaiveDate) -> TermOn {
    let clock = clock_on(facts, on);
    // A rule holds from receipt on.
    let rule = facts.rule.as_ref().filter(|_| clock.rule_status.is_some());
    TermOn {
        rule: rule.map(|rule| rule.id),
        rule_status: clock.rule_status,
        original_due_on: clock.original_due_on,
        due_on: clock.due_on,
        state: clock.state,
        days_over: clock.days_over(),
        on,
    }
}

/// Where the term stands on a day, without more than figures ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub state: TermState,
    pub rule_status: Option<RuleStatus>,
    pub original_due_on: Option<NaiveDate>,
    pub due_on: Option<NaiveDate>,
    /// The day asked for, or the one on which the clock stopped.
    day: NaiveDate,
}

impl Clock {
    /// Days past the deadline; 0 when not past it, none without a deadline.
    pub fn days_over(&self) -> Option<i64> {
        self.due_on.map(|due_on| (self.day - due_on).num_days().max(0))
    }
}

/// Where the term stands on a day.
pub(crate) fn clock_on(facts: &TermFacts, on: NaiveDate) -> Clock {
    match Standing::on(facts, on) {
        Standing::Without { rule, state } => without_deadline(rule, state, on),
        Standing::Counted(count) => count.clock(on),
    }
}

/// Where the term stands in the end, and since when it does: from that day on only time passes.
pub(crate) fn last_clock(facts: &TermFacts) -> (NaiveDate, Clock) {
    let suspensions = facts.suspensions.iter();
    let suspensions =
        suspensions.flat_map(|one| [Some(Measure::Suspension(one).effective_on()), one.to]).flatten();
    let extensions = facts.extensions.iter().map(|one| Measure::Extension(one).effective_on());
    let stop = facts.dates().stop().map(|stop| stop.on);
    let days = facts.received_on.into_iter().chain(suspensions).chain(extensions).chain(stop);
    (days.max().unwrap_or(calendar::FIRST_DAY), clock_on(facts, calendar::LAST_DAY))
}

/// What the clock knows of an advice beside its measures.
#[derive(Clone, Copy)]
pub(crate) struct Dates<'a> {
    pub rule: Option<&'a TermRule>,
    pub received_on: Option<NaiveDate>,
    pub answered_on: Option<NaiveDate>,
    pub ended_on: Option<(NaiveDate, EndReason)>,
    pub imported: bool,
    pub ended_unknown_day: bool,
}

/// The deadline that the rule alone makes of a receipt; none without a norm.
pub(crate) fn rule_due_on(rule: &TermRule, received_on: NaiveDate) -> Option<NaiveDate> {
    let ends_on = rule_ends_on(rule, rule.days?, received_on);
    Some(calendar::next_working_day_on_or_after(ends_on))
}

/// Says what [`clock_on`] says of an advice without measures, whose deadline ([`rule_due_on`]) was counted before: figures ask it of
/// every advice.
#[inline]
pub(crate) fn unmoved_clock_on(dates: Dates, rule_due_on: Option<NaiveDate>, on: NaiveDate) -> Clock {
    match (dates.begun(on), rule_due_on) {
        (Begun::Counted { rule, .. }, Some(due_on)) => {
            let stop = dates.stop().filter(|stop| stop.on <= on);
            with_deadline(rule, stop, stop.map_or(on, |stop| stop.on), due_on, due_on)
        }
        (Begun::Counted { rule, .. }, None) => without_deadline(Some(rule), TermState::NoNorm, on),
        (Begun::Without { rule, state }, _) => without_deadline(rule, state, on),
    }
}

/// The term on a day, explained line by line. Names no reason of a measure, so that all may read it.
pub fn explain(facts: &TermFacts, on: NaiveDate) -> TermExplanation {
    let term = term_on(facts, on);
    let mut lines = match Standing::on(facts, on) {
        Standing::Without { rule, .. } => lines_without_deadline(facts, rule),
        Standing::Counted(count) => count.lines(),
    };
    lines.push(state_line(&term));
    TermExplanation { term, lines }
}

/// What a rule would make of a receipt, as it stands on the day of receipt; a pure what-if.
pub fn calculation(rule: &TermRule, received_on: NaiveDate) -> TermExplanation {
    let facts =
        TermFacts { rule: Some(rule.clone()), received_on: Some(received_on), ..TermFacts::default() };
    explain(&facts, received_on)
}

/// The suspensions without effect: after the deadline, or after the clock stopped.
pub fn void_suspensions(facts: &TermFacts) -> Vec<PartId> {
    void_measures(facts, calendar::LAST_DAY, |measure| matches!(measure, Measure::Suspension(_)))
}

/// The extensions without effect: decided after the deadline, or after the clock stopped.
pub fn void_extensions(facts: &TermFacts) -> Vec<PartId> {
    void_measures(facts, calendar::LAST_DAY, |measure| matches!(measure, Measure::Extension(_)))
}

/// The suspensions and extensions that are known to be without effect on a day.
pub fn void_on(facts: &TermFacts, on: NaiveDate) -> Vec<PartId> {
    void_measures(facts, on, |_| true)
}

/// Refuses a suspension that ends before it starts, starts before receipt, or overlaps another.
pub fn check_suspension(facts: &TermFacts, new: &Suspension) -> Result<(), RuleError> {
    let mut errors = Vec::new();
    if new.to.is_some_and(|to| to <= new.from) {
        errors.push(FieldError::new(
            "/to",
            "date.order",
            format!("must lie after the first day, {}", new.from),
        ));
    }
    if let Some(received_on) = facts.received_on
        && new.from < received_on
    {
        errors.push(FieldError::new(
            "/from",
            "date.order",
            format!("lies before the receipt, {received_on}"),
        ));
    }
    if !errors.is_empty() {
        return Err(RuleError::Invalid(errors));
    }
    let end = |suspension: &Suspension| suspension.to.unwrap_or(NaiveDate::MAX);
    let overlapping = facts
        .suspensions
        .iter()
        .filter(|other| other.id != new.id)
        .find(|other| other.from < end(new) && new.from < end(other));
    let Some(other) = overlapping else {
        return Ok(());
    };
    Err(RuleError::conflict(
        "suspension-overlap",
        match other.to {
            Some(to) => format!("The clock already stands still from {} to {to}.", other.from),
            None => format!("The clock stands still since {}; end that suspension first.", other.from),
        },
    ))
}

/// All of time, cut where state, due day or fixed days over change, from the first day of the calendar on.
pub fn segments(facts: &TermFacts) -> Vec<Segment> {
    let mut cuts: Vec<Segment> = Vec::new();
    for from in break_days(facts) {
        let TermOn { state, due_on, days_over, .. } = term_on(facts, from);
        let stopped = facts.dates().stop().is_some_and(|stop| stop.on <= from);
        let fixed_days_over = if stopped { days_over } else { None };
        if let Some(last) = cuts.last_mut() {
            if (last.state, last.due_on, last.fixed_days_over) == (state, due_on, fixed_days_over) {
                continue;
            }
            last.to = Some(from);
        }
        cuts.push(Segment { from, to: None, state, due_on, fixed_days_over });
    }
    cuts
}

/// The days on which anything may change, in order, the first day of the calendar first.
fn break_days(facts: &TermFacts) -> Vec<NaiveDate> {
    let mut moments = vec![calendar::FIRST_DAY];
    moments.extend(facts.received_on);
    moments.extend(facts.answered_on);
    moments.extend(facts.ended_on.map(|(on, _)| on));
    for suspension in &facts.suspensions {
        moments.push(Measure::Suspension(suspension).effective_on());
        moments.extend(suspension.to);
    }
    moments.extend(facts.extensions.iter().map(|extension| extension.decided_on));

    let mut days = moments.clone();
    for moment in moments {
        // Between two moments the due day stays, and with it the days that hang on it.
        if let (Some(due_on), Some(rule)) = (term_on(facts, moment).due_on, &facts.rule) {
            days.push(add_days(due_on, -i64::from(rule.due_soon_days)));
            days.push(add_days(due_on, 1));
            days.push(add_days(due_on, i64::from(rule.very_late_days)));
        }
    }
    for day in &mut days {
        *day = (*day).clamp(calendar::FIRST_DAY, calendar::LAST_DAY);
    }
    days.sort_unstable();
    days.dedup();
    days
}

fn void_measures(facts: &TermFacts, on: NaiveDate, wanted: fn(&Measure) -> bool) -> Vec<PartId> {
    match Standing::on(facts, on) {
        Standing::Without { .. } => vec![],
        Standing::Counted(count) => count.void.into_iter().filter(wanted).map(Measure::id).collect(),
    }
}

/// What there is to say on a day.
enum Standing<'a> {
    /// There is no deadline to count.
    Without { rule: Option<&'a TermRule>, state: TermState },
    /// There is one.
    Counted(Count<'a>),
}

impl<'a> Standing<'a> {
    fn on(facts: &'a TermFacts, on: NaiveDate) -> Self {
        match facts.dates().begun(on) {
            Begun::Without { rule, state } => Self::Without { rule, state },
            Begun::Counted { rule, days, received_on } => {
                Self::Counted(Count::new(facts, rule, days, received_on, on))
            }
        }
    }
}

/// Whether there is a term to count on a day.
enum Begun<'a> {
    Without { rule: Option<&'a TermRule>, state: TermState },
    Counted { rule: &'a TermRule, days: u16, received_on: NaiveDate },
}

impl TermFacts {
    fn dates(&self) -> Dates<'_> {
        Dates {
            rule: self.rule.as_ref(),
            received_on: self.received_on,
            answered_on: self.answered_on,
            ended_on: self.ended_on,
            imported: self.imported,
            ended_unknown_day: self.ended_unknown_day,
        }
    }
}

impl<'a> Dates<'a> {
    fn begun(self, on: NaiveDate) -> Begun<'a> {
        let ended_on = self.ended_on.map(|(day, _)| day);
        let ended = self.ended_unknown_day || ended_on.is_some_and(|day| day <= on);
        let not_before_its_end = |day: &NaiveDate| ended_on.is_none_or(|end| *day <= end);
        let received = self.received_on.filter(|day| *day <= on).filter(not_before_its_end);

        let rule = received.and(self.rule);
        let without = |state| Begun::Without { rule, state };
        match (received, rule, rule.and_then(|rule| rule.days)) {
            (Some(_), Some(_), None) => without(TermState::NoNorm),
            _ if self.ended_unknown_day => without(TermState::Ended),
            (Some(received_on), Some(rule), Some(days)) => Begun::Counted { rule, days, received_on },
            _ if ended => without(TermState::Ended),
            _ if self.imported || received.is_some() => without(TermState::Unknown),
            _ => without(TermState::NotReceived),
        }
    }

    fn stop(self) -> Option<Stop> {
        let received_on = self.received_on?;
        let answer = self.answered_on.map(|on| Stop { on: on.max(received_on), end: None });
        let end = self.ended_on.map(|(on, reason)| Stop { on: on.max(received_on), end: Some(reason) });
        match (answer, end) {
            (Some(answer), Some(end)) => Some(if end.on < answer.on { end } else { answer }),
            (answer, end) => answer.or(end),
        }
    }
}

/// A suspension or an extension.
#[derive(Clone, Copy)]
enum Measure<'a> {
    Suspension(&'a Suspension),
    Extension(&'a Extension),
}

impl Measure<'_> {
    fn id(self) -> PartId {
        match self {
            Self::Suspension(suspension) => suspension.id,
            Self::Extension(extension) => extension.id,
        }
    }

    /// The day from which it exists for the clock, and on which it is judged.
    fn effective_on(self) -> NaiveDate {
        match self {
            Self::Suspension(suspension) => suspension.decided_on.max(suspension.from),
            Self::Extension(extension) => extension.decided_on,
        }
    }
}

/// What stopped the clock for good.
#[derive(Clone, Copy)]
struct Stop {
    on: NaiveDate,
    /// None: a final response.
    end: Option<EndReason>,
}

/// A valid suspension, as far as it is known.
struct Still<'a> {
    of: &'a Suspension,
    from: NaiveDate,
    to: Option<NaiveDate>,
}

/// The count up to a day: what took effect, and what is void.
struct Count<'a> {
    rule: &'a TermRule,
    rule_days: u16,
    received_on: NaiveDate,
    /// Receipt plus the rule's days.
    rule_ends_on: NaiveDate,
    /// By first day.
    still: Vec<Still<'a>>,
    extensions: Vec<&'a Extension>,
    void: Vec<Measure<'a>>,
    /// Only when it had happened by then.
    stop: Option<Stop>,
    /// The day asked for, or the day the clock stopped.
    day: NaiveDate,
}

impl<'a> Count<'a> {
    fn new(
        facts: &'a TermFacts,
        rule: &'a TermRule,
        days: u16,
        received_on: NaiveDate,
        on: NaiveDate,
    ) -> Self {
        let stop = facts.dates().stop().filter(|stop| stop.on <= on);
        let rule_ends_on = rule_ends_on(rule, days, received_on);
        let mut count = Self {
            rule,
            rule_days: days,
            received_on,
            rule_ends_on,
            still: vec![],
            extensions: vec![],
            void: vec![],
            stop,
            day: stop.map_or(on, |stop| stop.on),
        };
        let suspensions = facts.suspensions.iter().map(Measure::Suspension);
        let extensions = facts.extensions.iter().map(Measure::Extension);
        let mut measures: Vec<_> =
            suspensions.chain(extensions).filter(|measure| measure.effective_on() <= on).collect();
        measures.sort_by_key(|measure| measure.effective_on());
        for measure in measures {
            count.judge(measure);
        }
        count
    }

    fn judge(&mut self, measure: Measure<'a>) {
        let effective_on = measure.effective_on();
        let in_time = self.due_on(effective_on).is_none_or(|due_on| effective_on <= due_on);
        match measure {
            _ if !in_time || effective_on > self.day => self.void.push(measure),
            Measure::Extension(extension) => self.extensions.push(extension),
            Measure::Suspension(suspension) => {
                // An end that lies ahead is not known yet; a stop of the clock ends it too.
                let known_to = suspension.to.filter(|to| *to <= self.day);
                let to = known_to.or(self.stop.map(|stop| stop.on));
                let from = suspension.from.max(self.received_on);
                self.still.push(Still { of: suspension, from, to });
                self.still.sort_by_key(|still| still.from);
            }
        }
    }

    fn open_suspension(&self, day: NaiveDate) -> Option<&Still<'a>> {
        self.still.iter().find(|still| still.from <= day && still.to.is_none_or(|to| day < to))
    }

    /// The days of each suspension; a day in two of them (a correction can make it so) counts once.
    fn days_still(&self) -> impl Iterator<Item = (&Still<'a>, i64)> {
        let mut counted_to = self.received_on;
        self.still.iter().map(move |still| {
            let Some(to) = still.to else {
                return (still, 0);
            };
            let days = (to - still.from.max(counted_to)).num_days().max(0);
            counted_to = counted_to.max(to);
            (still, days)
        })
    }

    fn days_extended(&self) -> i64 {
        self.extensions.iter().map(|extension| i64::from(extension.days)).sum()
    }

    fn unrolled_without_extensions(&self) -> NaiveDate {
        add_days(self.rule_ends_on, self.days_still().map(|(_, days)| days).sum())
    }

    fn unrolled(&self) -> NaiveDate {
        add_days(self.unrolled_without_extensions(), self.days_extended())
    }

    fn due_on(&self, day: NaiveDate) -> Option<NaiveDate> {
        let running = self.open_suspension(day).is_none();
        running.then(|| calendar::next_working_day_on_or_after(self.unrolled()))
    }

    fn original_due_on(&self, day: NaiveDate) -> Option<NaiveDate> {
        let running = self.open_suspension(day).is_none();
        running.then(|| calendar::next_working_day_on_or_after(self.unrolled_without_extensions()))
    }

    fn clock(&self, on: NaiveDate) -> Clock {
        let Some(due_on) = self.due_on(self.day) else {
            return without_deadline(Some(self.rule), TermState::Suspended, on);
        };
        // Where there is a deadline there is one without extensions.
        let original_due_on = self.original_due_on(self.day).unwrap_or(due_on);
        with_deadline(self.rule, self.stop, self.day, original_due_on, due_on)
    }

    fn lines(&self) -> Vec<TermLine> {
        let mut lines = vec![receipt_line(self.received_on), self.rule_line()];
        lines.extend(self.days_still().map(|(still, days)| suspension_line(still, days)));
        lines.extend(self.extensions.iter().map(|extension| extension_line(extension)));
        lines.extend(self.void.iter().map(|measure| self.void_line(*measure)));
        if let Some(due_on) = self.due_on(self.day) {
            let unrolled = self.unrolled();
            lines.push(TermLine {
                due_on: Some(unrolled),
                ..line("sum", format!("All days added up end on {unrolled}."), COUNTING)
            });
            lines.push(roll_line(unrolled, due_on));
        }
        if let Some(original) = self.original_due_on(self.day).filter(|_| !self.extensions.is_empty()) {
            lines.push(TermLine {
                due_on: Some(original),
                ..line("original", format!("Without extensions the deadline was {original}."), COUNTING)
            });
        }
        if let Some(Stop { on, end }) = self.stop {
            let (step, text) = match end {
                None => ("answer", format!("The final response was sent on {on}, which stops the clock.")),
                Some(reason) => ("end", format!("{} on {on}, which stops the clock.", reason.as_text())),
            };
            lines.push(TermLine { on: Some(on), ..line(step, text, COUNTING) });
        }
        lines
    }

    fn rule_line(&self) -> TermLine {
        let Self { rule, rule_days, received_on, rule_ends_on, .. } = self;
        let days = (*rule_ends_on - *received_on).num_days();
        let text = match rule.unit {
            DayUnit::CalendarDays => {
                format!("The term is {rule_days} calendar days, which end on {rule_ends_on}.")
            }
            DayUnit::WorkingDays => format!(
                "The term is {rule_days} working days, which end on {rule_ends_on}, {days} calendar days after receipt."
            ),
        };
        TermLine { days: Some(days), due_on: Some(*rule_ends_on), ..line("rule", text, &rule.ground) }
    }

    fn void_line(&self, measure: Measure) -> TermLine {
        let effective_on = measure.effective_on();
        let cause = match self.stop {
            Some(stop) if effective_on > stop.on => "after the clock had stopped",
            _ => "after the deadline had passed",
        };
        let (step, text) = match measure {
            Measure::Suspension(Suspension { from, decided_on, .. }) => (
                "void_suspension",
                format!(
                    "The suspension from {from}, decided on {decided_on}, is void: it came {cause}, so no days count."
                ),
            ),
            Measure::Extension(Extension { days, decided_on, .. }) => (
                "void_extension",
                format!(
                    "The extension by {}, decided on {decided_on}, is void: it came {cause}, so no days count.",
                    count_of(i64::from(*days))
                ),
            ),
        };
        TermLine { on: Some(effective_on), ..line(step, text, IN_TIME) }
    }
}

const COUNTING: &str = "Counting rule of this register: receipt is day 0, the deadline day itself is in time";
const IN_TIME: &str =
    "Counting rule of this register: a measure counts when decided (and begun) on or before the deadline";
const ROLL: &str = "Algemene termijnenwet art. 1";

fn lines_without_deadline(facts: &TermFacts, rule: Option<&TermRule>) -> Vec<TermLine> {
    // A rule is there only once the advice was received.
    let (Some(rule), Some(received_on)) = (rule, facts.received_on) else {
        return vec![];
    };
    let mut lines = vec![receipt_line(received_on)];
    if rule.days.is_none() {
        lines.push(line("rule", "No norm applies: there is no deadline.".to_owned(), &rule.ground));
    }
    lines
}

/// Receipt plus the rule's days.
fn rule_ends_on(rule: &TermRule, days: u16, received_on: NaiveDate) -> NaiveDate {
    match rule.unit {
        DayUnit::CalendarDays => add_days(received_on, i64::from(days)),
        DayUnit::WorkingDays => calendar::add_working_days(received_on, u32::from(days)),
    }
}

/// Where it stands on `day`: the one asked for, or the one on which the clock stopped.
#[inline]
fn with_deadline(
    rule: &TermRule,
    stop: Option<Stop>,
    day: NaiveDate,
    original_due_on: NaiveDate,
    due_on: NaiveDate,
) -> Clock {
    let is_past = day > due_on;
    let past = || (day - due_on).num_days();
    let state = match stop {
        Some(Stop { end: None, .. }) if is_past => TermState::AnsweredLate,
        Some(Stop { end: None, .. }) => TermState::AnsweredInTime,
        Some(Stop { end: Some(_), .. }) if !is_past => TermState::Ended,
        _ if is_past && past() >= i64::from(rule.very_late_days) => TermState::VeryLate,
        _ if is_past => TermState::Late,
        _ if -past() <= i64::from(rule.due_soon_days) => TermState::DueSoon,
        _ => TermState::Running,
    };
    Clock {
        state,
        rule_status: Some(rule.status),
        original_due_on: Some(original_due_on),
        due_on: Some(due_on),
        day,
    }
}

fn without_deadline(rule: Option<&TermRule>, state: TermState, on: NaiveDate) -> Clock {
    let rule_status = rule.map(|rule| rule.status);
    Clock { state, rule_status, original_due_on: None, due_on: None, day: on }
}

fn receipt_line(received_on: NaiveDate) -> TermLine {
    let text = format!("Received on {received_on}: that is day 0.");
    TermLine { on: Some(received_on), ..line("receipt", text, COUNTING) }
}

fn suspension_line(still: &Still, days: i64) -> TermLine {
    let Still { of, from, to } = still;
    let source = format!("Decision to suspend of {}", of.decided_on);
    let Some(to) = to else {
        let text = format!("The clock stands still since {from}: there is no deadline until it runs again.");
        return TermLine { on: Some(*from), ..line("suspension", text, &source) };
    };
    let text = format!("The clock stood still from {from} and ran again on {to}: {} added.", count_of(days));
    TermLine { on: Some(*from), days: Some(days), ..line("suspension", text, &source) }
}

fn extension_line(extension: &Extension) -> TermLine {
    let Extension { days, decided_on, .. } = extension;
    let days = i64::from(*days);
    let text = format!("Extended by {} on {decided_on}, in time.", count_of(days));
    let source = format!("Decision to extend of {decided_on}");
    TermLine { on: Some(*decided_on), days: Some(days), ..line("extension", text, &source) }
}

fn roll_line(unrolled: NaiveDate, due_on: NaiveDate) -> TermLine {
    let days = (due_on - unrolled).num_days();
    let text = if days == 0 {
        format!("{unrolled} is a working day, so the deadline is {due_on}.")
    } else {
        let skipped: Vec<_> = unrolled.iter_days().take_while(|day| *day < due_on).map(day_off).collect();
        format!("{}; the deadline moves to the next working day, {due_on}.", skipped.join(", "))
    };
    TermLine { days: Some(days), due_on: Some(due_on), ..line("roll", text, ROLL) }
}

fn day_off(day: NaiveDate) -> String {
    match calendar::holiday_on(day) {
        Some(holiday) => format!("{day} is {} ({})", holiday.english, holiday.dutch),
        None if day.weekday() == Weekday::Sat => format!("{day} is a Saturday"),
        None => format!("{day} is a Sunday"),
    }
}

fn state_line(term: &TermOn) -> TermLine {
    let TermOn { state, days_over, due_on, on, .. } = term;
    let over = count_of(days_over.unwrap_or(0));
    let text = match state {
        TermState::NotReceived => format!("On {on} it was not yet received, so no term runs."),
        TermState::Running => format!("On {on} the term runs."),
        TermState::DueSoon => format!("On {on} the deadline is near."),
        TermState::Late => {
            format!("On {on} it is late: {over} past the deadline without an answer.")
        }
        TermState::VeryLate => {
            format!("On {on} it is very late: {over} past the deadline without an answer.")
        }
        TermState::Suspended => format!("On {on} the clock stands still."),
        TermState::AnsweredInTime => "The answer was in time.".to_owned(),
        TermState::AnsweredLate => format!("The answer was late: {over} past the deadline."),
        TermState::Ended if due_on.is_some() => "It ended before the deadline passed.".to_owned(),
        TermState::Ended => "It ended, and no deadline is known that it should have met.".to_owned(),
        TermState::NoNorm => "Without a norm nothing is in time or late.".to_owned(),
        TermState::Unknown => {
            "The day of receipt or the rule is not known, so the term is not known.".to_owned()
        }
    };
    TermLine { on: Some(*on), due_on: *due_on, ..line("state", text, COUNTING) }
}

fn line(step: &str, text: String, source: &str) -> TermLine {
    TermLine { step: step.to_owned(), on: None, days: None, due_on: None, text, source: source.to_owned() }
}

fn count_of(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

fn covered<T: PartialEq>(all: &[T], listed: &[T]) -> usize {
    match listed {
        [] => all.len(),
        listed => all.iter().filter(|one| listed.contains(one)).count(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn part(number: u128) -> PartId {
        PartId(Uuid::from_u128(number))
    }

    fn six_weeks() -> TermRule {
        built_in_rules().remove(0)
    }

    fn received(on: &str) -> TermFacts {
        TermFacts { rule: Some(six_weeks()), received_on: Some(d(on)), ..TermFacts::default() }
    }

    fn answered(received_on: &str, on: &str) -> TermFacts {
        TermFacts { answered_on: Some(d(on)), ..received(received_on) }
    }

    fn suspension(number: u128, from: &str, to: Option<&str>, decided_on: &str) -> Suspension {
        let reason = "the council was asked for more".to_owned();
        Suspension { id: part(number), from: d(from), to: to.map(d), decided_on: d(decided_on), reason }
    }

    fn extension(number: u128, days: u16, decided_on: &str) -> Extension {
        Extension { id: part(number), days, decided_on: d(decided_on), reason: "budget talks".to_owned() }
    }

    fn suspended(facts: TermFacts, suspensions: &[Suspension]) -> TermFacts {
        TermFacts { suspensions: suspensions.to_vec(), ..facts }
    }

    fn extended(facts: TermFacts, extensions: &[Extension]) -> TermFacts {
        TermFacts { extensions: extensions.to_vec(), ..facts }
    }

    fn ended(facts: TermFacts, on: &str, reason: EndReason) -> TermFacts {
        TermFacts { ended_on: Some((d(on), reason)), ..facts }
    }

    fn short(facts: &TermFacts, on: &str) -> (Option<String>, TermState, Option<i64>) {
        let TermOn { due_on, state, days_over, .. } = term_on(facts, d(on));
        (due_on.map(|day| day.to_string()), state, days_over)
    }

    #[test]
    fn the_golden_cases_come_out_as_designed() {
        use TermState::*;
        let a05 = extended(answered("2025-06-02", "2025-08-04"), &[extension(1, 28, "2025-07-01")]);
        let a06 = extended(answered("2025-06-02", "2025-08-04"), &[extension(1, 28, "2025-07-20")]);
        let pause = suspension(1, "2025-09-15", Some("2025-09-29"), "2025-09-15");
        let a07 = suspended(answered("2025-09-01", "2025-10-27"), &[pause]);
        let a10 = ended(received("2025-09-01"), "2025-09-20", EndReason::Withdrawn);
        let a11 = ended(received("2025-06-02"), "2025-09-01", EndReason::Withdrawn);
        let a12 = suspended(received("2025-10-01"), &[suspension(1, "2025-10-20", None, "2025-10-20")]);
        let both = |day| Some((day, day));
        let cases = [
            ("A01", answered("2025-01-06", "2025-02-10"), both("2025-02-17"), AnsweredInTime, Some(0)),
            ("A02", answered("2025-03-07", "2025-04-18"), both("2025-04-22"), AnsweredInTime, Some(0)),
            ("A03", answered("2025-03-10", "2025-04-22"), both("2025-04-22"), AnsweredInTime, Some(0)),
            ("A04", answered("2025-06-02", "2025-07-15"), both("2025-07-14"), AnsweredLate, Some(1)),
            ("A05", a05, Some(("2025-07-14", "2025-08-11")), AnsweredInTime, Some(0)),
            ("A06", a06, both("2025-07-14"), AnsweredLate, Some(21)),
            ("A07", a07, both("2025-10-27"), AnsweredInTime, Some(0)),
            ("A08", received("2025-09-01"), both("2025-10-13"), VeryLate, Some(79)),
            ("A09", received("2025-12-01"), both("2026-01-12"), Running, Some(0)),
            ("A10", a10, both("2025-10-13"), Ended, Some(0)),
            ("A11", a11, both("2025-07-14"), VeryLate, Some(49)),
            ("A12", a12, None, Suspended, None),
        ];
        for (name, facts, due, state, days_over) in cases {
            let expected = TermOn {
                rule: Some(six_weeks().id),
                rule_status: Some(RuleStatus::Assumption),
                original_due_on: due.map(|(original, _)| d(original)),
                due_on: due.map(|(_, effective)| d(effective)),
                state,
                days_over,
                on: d("2025-12-31"),
            };
            assert_eq!(term_on(&facts, d("2025-12-31")), expected, "{name}");
        }
    }

    #[test]
    fn the_term_goes_through_its_states_day_by_day() {
        use TermState::*;
        let facts = TermFacts { answered_on: Some(d("2025-11-12")), ..received("2025-09-01") };
        let due = || Some("2025-10-13".to_owned());
        assert_eq!(short(&facts, "2025-08-31"), (None, NotReceived, None));
        assert_eq!(short(&facts, "2025-09-01"), (due(), Running, Some(0)));
        assert_eq!(short(&facts, "2025-10-05"), (due(), Running, Some(0)));
        assert_eq!(short(&facts, "2025-10-06"), (due(), DueSoon, Some(0)));
        assert_eq!(short(&facts, "2025-10-13"), (due(), DueSoon, Some(0)));
        assert_eq!(short(&facts, "2025-10-14"), (due(), Late, Some(1)));
        assert_eq!(short(&facts, "2025-11-09"), (due(), Late, Some(27)));
        assert_eq!(short(&facts, "2025-11-10"), (due(), VeryLate, Some(28)));
        assert_eq!(short(&facts, "2025-11-12"), (due(), AnsweredLate, Some(30)));
        assert_eq!(short(&facts, "2026-11-12"), (due(), AnsweredLate, Some(30)));
    }

    #[test]
    fn a_final_response_closes_an_open_suspension() {
        let facts = suspended(
            answered("2025-09-01", "2025-09-20"),
            &[suspension(1, "2025-09-10", None, "2025-09-10")],
        );
        assert_eq!(short(&facts, "2025-09-19"), (None, TermState::Suspended, None));
        let answered = (Some("2025-10-23".to_owned()), TermState::AnsweredInTime, Some(0));
        assert_eq!(short(&facts, "2025-09-20"), answered);
    }

    #[test]
    fn a_measure_after_the_deadline_is_void_and_does_not_stop_the_clock() {
        let facts = extended(
            suspended(
                received("2025-09-01"),
                &[
                    suspension(1, "2025-10-13", Some("2025-10-14"), "2025-10-13"),
                    // Decided in time, but begun after the deadline, which by then was 14 October.
                    suspension(2, "2025-10-15", None, "2025-10-14"),
                ],
            ),
            &[extension(3, 28, "2025-10-15")],
        );
        assert_eq!(void_suspensions(&facts), [part(2)]);
        assert_eq!(void_extensions(&facts), [part(3)]);
        assert_eq!(void_on(&facts, d("2025-10-14")), []);
        let late = (Some("2025-10-14".to_owned()), TermState::Late, Some(1));
        assert_eq!(short(&facts, "2025-10-15"), late);
    }

    #[test]
    fn an_extension_moves_the_deadline_against_which_later_measures_are_judged() {
        let facts = extended(
            suspended(
                received("2025-09-01"),
                &[suspension(3, "2025-10-20", Some("2025-10-22"), "2025-10-20")],
            ),
            // Recorded in another order than decided.
            &[extension(2, 7, "2025-10-20"), extension(1, 7, "2025-10-13")],
        );
        assert_eq!(void_on(&facts, calendar::LAST_DAY), []);
        assert_eq!(term_on(&facts, d("2025-10-25")).due_on, Some(d("2025-10-29")));
        assert_eq!(term_on(&facts, d("2025-10-25")).original_due_on, Some(d("2025-10-15")));
        assert_eq!(term_on(&facts, d("2025-10-12")).due_on, Some(d("2025-10-13")));
    }

    #[test]
    fn under_an_open_suspension_an_extension_is_in_time() {
        let facts = extended(
            suspended(
                received("2025-09-01"),
                &[suspension(1, "2025-10-01", Some("2025-12-01"), "2025-10-01")],
            ),
            &[extension(2, 7, "2025-11-20")],
        );
        assert_eq!(void_extensions(&facts), []);
        assert_eq!(term_on(&facts, d("2025-12-01")).due_on, Some(d("2025-12-22")));
        assert_eq!(term_on(&facts, d("2025-12-01")).original_due_on, Some(d("2025-12-15")));
    }

    #[test]
    fn a_measure_after_the_answer_is_void() {
        let facts = extended(answered("2025-09-01", "2025-09-20"), &[extension(1, 7, "2025-09-21")]);
        assert_eq!(void_extensions(&facts), [part(1)]);
        assert_eq!(term_on(&facts, d("2025-12-31")).due_on, Some(d("2025-10-13")));
    }

    #[test]
    fn an_end_is_timely_up_to_and_on_the_deadline() {
        for reason in [EndReason::Withdrawn, EndReason::Merged, EndReason::Forwarded] {
            let due = || Some("2025-10-13".to_owned());
            let timely = ended(received("2025-09-01"), "2025-10-13", reason);
            assert_eq!(short(&timely, "2025-12-31"), (due(), TermState::Ended, Some(0)));
            let late = ended(received("2025-09-01"), "2025-10-14", reason);
            assert_eq!(short(&late, "2025-12-31"), (due(), TermState::Late, Some(1)));
        }
        let while_suspended = suspended(
            ended(received("2025-09-01"), "2025-12-01", EndReason::Withdrawn),
            &[suspension(1, "2025-10-01", None, "2025-10-01")],
        );
        assert_eq!(term_on(&while_suspended, d("2025-12-31")).state, TermState::Ended);
    }

    #[test]
    fn without_receipt_rule_or_norm_there_is_no_deadline() {
        let on = "2025-12-31";
        let none = |state| (None, state, None);
        let imported =
            TermFacts { imported: true, answered_on: Some(d("2025-02-01")), ..TermFacts::default() };
        assert_eq!(short(&imported, on), none(TermState::Unknown));
        let lapsed = TermFacts { imported: true, ended_unknown_day: true, ..TermFacts::default() };
        assert_eq!(short(&lapsed, on), none(TermState::Ended));
        let letter =
            TermFacts { rule: Some(built_in_rules().remove(1)), ..answered("2025-09-01", "2025-09-02") };
        assert_eq!(short(&letter, on), none(TermState::NoNorm));
        let ruleless = TermFacts { rule: None, ..received("2025-09-01") };
        assert_eq!(short(&ruleless, on), none(TermState::Unknown));
        let draft = ended(TermFacts::default(), "2025-09-01", EndReason::Withdrawn);
        assert_eq!(short(&draft, "2025-08-31"), none(TermState::NotReceived));
        assert_eq!(short(&draft, on), none(TermState::Ended));
    }

    #[test]
    fn working_days_are_counted_in_working_days_and_the_rest_in_calendar_days() {
        let rule = TermRule { days: Some(10), unit: DayUnit::WorkingDays, ..six_weeks() };
        let facts = TermFacts { rule: Some(rule), ..received("2025-04-14") };
        assert_eq!(term_on(&facts, d("2025-04-14")).due_on, Some(d("2025-04-30")));
        let facts = extended(facts, &[extension(1, 5, "2025-04-15")]);
        assert_eq!(term_on(&facts, d("2025-04-15")).due_on, Some(d("2025-05-06")));
    }

    #[test]
    fn the_explanation_names_each_holiday_that_moves_the_deadline() {
        let explanation = explain(&answered("2025-03-07", "2025-04-18"), d("2025-12-31"));
        let texts: Vec<_> =
            explanation.lines.iter().map(|line| (&*line.step, line.days, &*line.text)).collect();
        assert_eq!(
            texts,
            [
                ("receipt", None, "Received on 2025-03-07: that is day 0."),
                ("rule", Some(42), "The term is 42 calendar days, which end on 2025-04-18."),
                ("sum", None, "All days added up end on 2025-04-18."),
                (
                    "roll",
                    Some(4),
                    "2025-04-18 is Good Friday (Goede Vrijdag), 2025-04-19 is a Saturday, 2025-04-20 is a Sunday, \
                     2025-04-21 is Easter Monday (tweede paasdag); the deadline moves to the next working day, 2025-04-22."
                ),
                ("answer", None, "The final response was sent on 2025-04-18, which stops the clock."),
                ("state", None, "The answer was in time."),
            ]
        );
    }

    #[test]
    fn the_explanation_shows_what_is_void_and_no_reason() {
        let facts = extended(
            suspended(
                received("2025-09-01"),
                &[suspension(1, "2025-09-15", Some("2025-09-29"), "2025-09-15")],
            ),
            &[extension(2, 28, "2025-10-01"), extension(3, 28, "2025-12-20")],
        );
        let explanation = explain(&facts, d("2025-12-31"));
        let steps: Vec<_> = explanation.lines.iter().map(|line| &*line.step).collect();
        let expected = [
            "receipt",
            "rule",
            "suspension",
            "extension",
            "void_extension",
            "sum",
            "roll",
            "original",
            "state",
        ];
        assert_eq!(steps, expected);
        let json = serde_json::to_string(&explanation).unwrap();
        assert!(!json.contains("budget talks") && !json.contains("asked for more"));
    }

    #[test]
    fn a_term_in_json_has_the_names_of_the_design() {
        let term = term_on(&received("2025-09-01"), d("2025-12-31"));
        assert_eq!(
            serde_json::to_value(&term).unwrap(),
            serde_json::json!({
                "rule": "01434b29-bc00-7000-8000-000000000001", "ruleStatus": "assumption",
                "originalDueOn": "2025-10-13", "dueOn": "2025-10-13",
                "state": "very_late", "daysOver": 79, "on": "2025-12-31",
            })
        );
    }

    #[test]
    fn a_what_if_counts_from_the_day_given() {
        let explanation = calculation(&six_weeks(), d("2025-03-10"));
        assert_eq!(explanation.term.due_on, Some(d("2025-04-22")));
        let no_norm = calculation(&built_in_rules()[1], d("2025-03-10"));
        assert_eq!(no_norm.term.state, TermState::NoNorm);
    }

    fn rule(number: u128, kinds: &[AdviceKind], levels: &[Level]) -> TermRule {
        let id = TermRuleId(Uuid::from_u128(number));
        TermRule { id, kinds: kinds.to_vec(), levels: levels.to_vec(), ..six_weeks() }
    }

    fn chosen(rules: &[TermRule], named: Option<&TermRule>) -> Result<TermRule, RuleError> {
        let named = named.map(|rule| rule.id);
        choose_rule(rules, AdviceKind::Solicited, Level::City, d("2025-06-02"), named)
    }

    #[test]
    fn the_narrowest_rule_wins() {
        use AdviceKind::*;
        let any = rule(1, &[], &[]);
        let all_listed = rule(2, AdviceKind::ALL, Level::ALL);
        let two_kinds = rule(3, &[Solicited, Viewpoint], &[]);
        let kind = rule(4, &[Solicited], &[]);
        let both = rule(5, &[Solicited, Viewpoint], &[Level::City]);
        let other = rule(6, &[Letter], &[Level::City]);
        let expired = TermRule { valid_to: Some(d("2025-06-01")), ..rule(7, &[Solicited], &[Level::City]) };
        let rules = [any, all_listed, two_kinds, kind, both, other, expired];
        for (count, winner) in [(1, 1), (3, 3), (4, 4), (5, 5), (7, 5)] {
            assert_eq!(chosen(&rules[..count], None).unwrap().id, TermRuleId(Uuid::from_u128(winner)));
        }
        assert!(matches!(
            chosen(&rules[..2], None),
            Err(RuleError::Conflict { rule: "term-rule-ambiguous", .. })
        ));
        assert!(matches!(
            chosen(&rules[5..], None),
            Err(RuleError::Conflict { rule: "term-rule-missing", .. })
        ));
    }

    #[test]
    fn a_named_rule_settles_a_tie_and_nothing_else() {
        let (one, two) = (rule(1, &[], &[]), rule(2, &[], &[]));
        let wrong_kind = rule(3, &[AdviceKind::Letter], &[]);
        let rules = [one.clone(), two.clone(), wrong_kind.clone()];
        assert_eq!(chosen(&rules, Some(&two)), Ok(two));
        assert!(matches!(chosen(&rules, Some(&wrong_kind)), Err(RuleError::Invalid(_))));
        let narrow = rule(4, &[AdviceKind::Solicited], &[]);
        assert!(matches!(chosen(&[one.clone(), narrow], Some(&one)), Err(RuleError::Invalid(_))));
    }

    #[test]
    fn the_built_in_rules_cover_every_kind_once() {
        let rules = built_in_rules();
        for rule in &rules {
            assert_eq!(rule.check(), Ok(()));
            assert_eq!(rule.id.0.get_version_num(), 7);
        }
        for kind in AdviceKind::ALL {
            let found = choose_rule(&rules, *kind, Level::City, d("2022-03-16"), None).unwrap();
            assert_eq!(found.days.is_none(), *kind == AdviceKind::Letter);
        }
    }

    #[test]
    fn a_rule_that_cannot_be_counted_with_is_refused() {
        let rule = TermRule {
            days: Some(0),
            valid_to: Some(d("2013-12-31")),
            ground: " ".to_owned(),
            ..six_weeks()
        };
        let Err(RuleError::Invalid(errors)) = rule.check() else { panic!("accepted") };
        let places: Vec<_> = errors.iter().map(|error| &*error.location).collect();
        assert_eq!(places, ["/days", "/validTo", "/ground"]);
    }

    #[test]
    fn suspensions_do_not_overlap() {
        let known = suspension(1, "2025-09-10", Some("2025-09-20"), "2025-09-10");
        let facts = suspended(received("2025-09-01"), &[known]);
        let check = |from, to| check_suspension(&facts, &suspension(2, from, to, from));
        assert_eq!(check("2025-09-20", None), Ok(()));
        assert_eq!(check("2025-09-05", Some("2025-09-10")), Ok(()));
        for (from, to) in
            [("2025-09-05", None), ("2025-09-19", Some("2025-09-25")), ("2025-09-12", Some("2025-09-13"))]
        {
            assert!(matches!(check(from, to), Err(RuleError::Conflict { rule: "suspension-overlap", .. })));
        }
        assert!(matches!(check("2025-10-01", Some("2025-10-01")), Err(RuleError::Invalid(_))));
        assert!(matches!(check("2025-08-31", None), Err(RuleError::Invalid(_))));
    }

    #[test]
    fn a_day_in_two_suspensions_counts_once() {
        // Refused at the door, but the correction of a day may leave it so.
        let facts = suspended(
            received("2025-09-01"),
            &[
                suspension(1, "2025-09-10", Some("2025-09-20"), "2025-09-10"),
                suspension(2, "2025-09-15", Some("2025-09-25"), "2025-09-15"),
            ],
        );
        assert_eq!(term_on(&facts, d("2025-09-25")).due_on, Some(d("2025-10-28")));
    }

    #[test]
    fn days_beyond_the_calendar_do_no_harm() {
        for day in [NaiveDate::MIN, calendar::FIRST_DAY, calendar::LAST_DAY, NaiveDate::MAX] {
            let facts = TermFacts {
                rule: Some(TermRule {
                    days: Some(u16::MAX),
                    unit: DayUnit::WorkingDays,
                    due_soon_days: u16::MAX,
                    very_late_days: u16::MAX,
                    ..six_weeks()
                }),
                received_on: Some(day),
                suspensions: vec![Suspension {
                    from: day,
                    to: Some(NaiveDate::MAX),
                    ..suspension(1, "2025-01-01", None, "2025-01-01")
                }],
                extensions: vec![Extension { decided_on: day, ..extension(2, u16::MAX, "2025-01-01") }],
                ..TermFacts::default()
            };
            for on in [NaiveDate::MIN, d("2025-01-01"), NaiveDate::MAX] {
                explain(&facts, on);
                void_on(&facts, on);
            }
            segments(&facts);
        }
    }

    const SPAN: i64 = 120;

    fn some_day() -> impl Strategy<Value = NaiveDate> {
        // Christmas to Whitsun: every kind of holiday but one lies in it.
        (0..SPAN).prop_map(|days| add_days(d("2024-12-20"), days))
    }

    fn some_rule() -> impl Strategy<Value = TermRule> {
        (option::weighted(0.95, 1u16..60), any::<bool>(), 0u16..15, 0u16..30).prop_map(
            |(days, working, due_soon_days, very_late_days)| {
                let unit = if working { DayUnit::WorkingDays } else { DayUnit::CalendarDays };
                TermRule { days, unit, due_soon_days, very_late_days, ..six_weeks() }
            },
        )
    }

    fn some_suspension() -> impl Strategy<Value = Suspension> {
        (some_day(), option::of(0i64..30), -10i64..10, any::<u128>()).prop_map(|(from, length, late, id)| {
            Suspension {
                id: part(id),
                from,
                to: length.map(|days| add_days(from, days)),
                decided_on: add_days(from, late),
                reason: String::new(),
            }
        })
    }

    fn some_extension() -> impl Strategy<Value = Extension> {
        (some_day(), 1u16..40, any::<u128>()).prop_map(|(decided_on, days, id)| Extension {
            id: part(id),
            days,
            decided_on,
            reason: String::new(),
        })
    }

    /// Anything goes, orderly or not: corrections may leave facts in any order.
    fn some_facts() -> impl Strategy<Value = TermFacts> {
        let end = (some_day(), Just(EndReason::Withdrawn));
        (
            option::weighted(0.95, some_rule()),
            option::weighted(0.95, (0..SPAN / 3).prop_map(|days| add_days(d("2024-12-20"), days))),
            vec(some_suspension(), 0..3),
            vec(some_extension(), 0..3),
            option::of(some_day()),
            option::weighted(0.3, end),
            any::<bool>(),
            proptest::bool::weighted(0.03),
        )
            .prop_map(
                |(
                    rule,
                    received_on,
                    suspensions,
                    extensions,
                    answered_on,
                    ended_on,
                    imported,
                    ended_unknown_day,
                )| {
                    TermFacts {
                        rule,
                        received_on,
                        suspensions,
                        extensions,
                        answered_on,
                        ended_on,
                        imported,
                        ended_unknown_day,
                    }
                },
            )
    }

    fn some_on() -> impl Strategy<Value = NaiveDate> {
        (-5..2 * SPAN).prop_map(|days| add_days(d("2024-12-20"), days))
    }

    /// The facts without what happened after a day.
    fn known_on(facts: &TermFacts, on: NaiveDate) -> TermFacts {
        let known = |day: &NaiveDate| *day <= on;
        let mut facts = facts.clone();
        facts.received_on = facts.received_on.filter(known);
        facts.rule = facts.rule.filter(|_| facts.received_on.is_some());
        facts.answered_on = facts.answered_on.filter(known);
        facts.ended_on = facts.ended_on.filter(|(day, _)| known(day));
        facts.extensions.retain(|extension| known(&extension.decided_on));
        facts.suspensions.retain(|suspension| known(&suspension.decided_on) && known(&suspension.from));
        for suspension in &mut facts.suspensions {
            suspension.to = suspension.to.filter(known);
        }
        facts
    }

    proptest! {
        #[test]
        fn what_was_never_moved_is_asked_the_short_way(facts in some_facts(), on in some_on()) {
            let facts = TermFacts { suspensions: vec![], extensions: vec![], ..facts };
            let due_on = facts.rule.as_ref().zip(facts.received_on).and_then(|(rule, day)| rule_due_on(rule, day));
            prop_assert_eq!(unmoved_clock_on(facts.dates(), due_on, on), clock_on(&facts, on));
        }

        #[test]
        fn what_comes_later_never_changes_what_an_earlier_day_said(facts in some_facts(), on in some_on()) {
            prop_assert_eq!(explain(&facts, on), explain(&known_on(&facts, on), on));
        }

        #[test]
        fn the_deadline_is_a_working_day_and_the_lines_add_up_to_it(facts in some_facts(), on in some_on()) {
            let TermExplanation { term, lines } = explain(&facts, on);
            if let (Some(due_on), Some(original)) = (term.due_on, term.original_due_on) {
                prop_assert!(calendar::is_working_day(due_on) && calendar::is_working_day(original));
                prop_assert!(original <= due_on);
                let day_0 = lines.iter().find(|line| line.step == "receipt").and_then(|line| line.on);
                let days = lines.iter().filter_map(|line| line.days).sum();
                prop_assert_eq!(day_0.map(|day| add_days(day, days)), Some(due_on));
                let unrolled = lines.iter().find(|line| line.step == "sum").and_then(|line| line.due_on);
                prop_assert!(unrolled.is_some_and(|day| day <= due_on));
            } else {
                prop_assert_eq!((term.due_on, term.original_due_on, term.days_over), (None, None, None));
            }
        }

        #[test]
        fn a_measure_decided_late_never_changes_the_deadline(
            facts in some_facts(), on in some_on(), days in 1u16..200, open in any::<bool>(), later in 0i64..60,
        ) {
            let before = term_on(&facts, on);
            if matches!(before.state, TermState::Late | TermState::VeryLate | TermState::AnsweredLate) {
                let mut more = facts.clone();
                more.extensions.push(Extension { id: part(1), days, decided_on: on, reason: String::new() });
                let to = (!open).then(|| add_days(on, i64::from(days)));
                more.suspensions.push(Suspension {
                    id: part(2), from: on, to, decided_on: add_days(on, -30), reason: String::new(),
                });
                let then = add_days(on, later);
                prop_assert_eq!(term_on(&more, then), term_on(&facts, then));
                let void = void_on(&more, on);
                prop_assert!(void.contains(&part(1)) && void.contains(&part(2)));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn from_the_last_change_on_the_deadlines_stay(facts in some_facts()) {
            let (since, last) = last_clock(&facts);
            for on in (-20..2 * SPAN).map(|days| add_days(d("2024-12-20"), days)).filter(|on| since <= *on) {
                let clock = clock_on(&facts, on);
                prop_assert_eq!((clock.due_on, clock.original_due_on), (last.due_on, last.original_due_on), "on {}", on);
            }
        }

        #[test]
        fn segments_say_what_the_term_says_on_every_day(facts in some_facts()) {
            let segments = segments(&facts);
            prop_assert_eq!(segments.first().map(|first| first.from), Some(calendar::FIRST_DAY));
            prop_assert_eq!(segments.last().and_then(|last| last.to), None);
            for pair in segments.windows(2) {
                prop_assert_eq!(pair[0].to, Some(pair[1].from));
                prop_assert!(pair[0].from < pair[1].from);
            }
            for days in -20..2 * SPAN {
                let on = add_days(d("2024-12-20"), days);
                let covers = |segment: &&Segment| segment.from <= on && segment.to.is_none_or(|to| on < to);
                let Some(segment) = segments.iter().find(covers) else { panic!("a hole on {on}") };
                let days_over = segment.fixed_days_over
                    .or(segment.due_on.map(|due_on| (on - due_on).num_days().max(0)));
                let term = term_on(&facts, on);
                prop_assert_eq!(
                    (segment.state, segment.due_on, days_over),
                    (term.state, term.due_on, term.days_over),
                    "on {}", on
                );
            }
        }
    }
}
