//! Every version of every metric, in words that a reader can check the figures by. A version never changes: whoever changes what
//! a metric counts adds one.

use super::grouping::Things;
use super::population::Context;
use super::{agreements, answers, commitments, in_time, people, plans, quality, received, times};
use crate::codes::{Cohort, Dimension};

/// What a metric counts, and how.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Stable code.
    pub code: &'static str,
    /// Version of this definition; another result for the same facts is another version.
    pub version: u16,
    /// What it is called in Dutch.
    pub dutch: &'static str,
    /// What it is called in English.
    pub english: &'static str,
    /// How it is calculated.
    pub formula: &'static str,
    /// What is counted.
    pub included: &'static str,
    /// What is not counted, or counted as excluded.
    pub excluded: &'static str,
    /// How rare cases are treated.
    pub edge_cases: &'static str,
    /// `share`, `days` or `count`.
    pub unit: &'static str,
    /// The day that decides in which period an item falls.
    pub anchor: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// What the figure is.
    pub kind: FigureKind,
    /// The cohorts that it offers, the default first.
    pub cohorts: &'static [Cohort],
    /// By what it can be broken down.
    pub dimensions: &'static [Dimension],
    /// What stands beside the figure.
    pub parts: &'static [PartDefinition],
    /// What one row of the list behind it is.
    pub items: &'static str,
    /// Lists what it counts.
    pub(super) counted: for<'c> fn(&'c Context<'_>) -> Things<'c>,
}

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureKind {
    /// A part of a whole.
    Share,
    /// Times to an event.
    Times,
    /// How many.
    Count,
}

/// What stands beside a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartDefinition {
    /// Stable code.
    pub code: &'static str,
    /// What it is called in Dutch.
    pub dutch: &'static str,
    /// What it is called in English.
    pub english: &'static str,
    /// What it is.
    pub kind: PartKind,
    pub(super) fold: Fold,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A part of a whole.
    Share,
    /// A number.
    Number,
    /// Days, such as a median lag.
    Days,
    /// Times to an event.
    Times,
    /// A share that is no count of items, such as a weighted one.
    Value,
}

/// How the tallies of a part become its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Share(Whole),
    Sum,
    Largest,
    Median,
    Times,
    /// The mean of two shares beside it.
    Mean(&'static str, &'static str),
}

/// Of what a part is a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// Of all that the figure counts.
    Counted,
    /// Of all that its own tallies name.
    Own,
    /// Of all parts whose codes begin alike: together they are the whole.
    Siblings(&'static str),
}

const fn part(
    code: &'static str,
    dutch: &'static str,
    english: &'static str,
    kind: PartKind,
    fold: Fold,
) -> PartDefinition {
    PartDefinition { code, dutch, english, kind, fold }
}

/// A share of all that the figure counts.
const fn share(code: &'static str, dutch: &'static str, english: &'static str) -> PartDefinition {
    part(code, dutch, english, PartKind::Share, Fold::Share(Whole::Counted))
}

/// A share of what its own tallies name.
const fn share_of_own(code: &'static str, dutch: &'static str, english: &'static str) -> PartDefinition {
    part(code, dutch, english, PartKind::Share, Fold::Share(Whole::Own))
}

/// A share of the points.
const fn points(code: &'static str, dutch: &'static str, english: &'static str) -> PartDefinition {
    part(code, dutch, english, PartKind::Share, Fold::Share(Whole::Siblings("points-")))
}

const fn sum(code: &'static str, dutch: &'static str, english: &'static str) -> PartDefinition {
    part(code, dutch, english, PartKind::Number, Fold::Sum)
}

const fn largest(code: &'static str, dutch: &'static str, english: &'static str) -> PartDefinition {
    part(code, dutch, english, PartKind::Number, Fold::Largest)
}

const fn median(code: &'static str, dutch: &'static str, english: &'static str) -> PartDefinition {
    part(code, dutch, english, PartKind::Days, Fold::Median)
}

const IN_TIME_COHORTS: &[Cohort] = &[Cohort::Due, Cohort::Received, Cohort::Answered];
const ONE_COHORT: &[Cohort] = &[Cohort::Received];

const TRACK_DIMENSIONS: &[Dimension] = &[
    Dimension::Council,
    Dimension::Area,
    Dimension::Cluster,
    Dimension::Theme,
    Dimension::Month,
    Dimension::Quarter,
    Dimension::Year,
    Dimension::Term,
];
const AGREEMENT_DIMENSIONS: &[Dimension] =
    &[Dimension::Council, Dimension::Area, Dimension::Cluster, Dimension::Theme, Dimension::Year];

const RECEIVED: &str = "Advice received in the period, on or before the reference day, published or not. Drafts and what was \
    submitted but not received are never counted.";
const WITHOUT_RECEIPT: &str = "unknown_dates: imported advice without a day of receipt that may have been received by then; \
    withdrawn: such advice that was withdrawn or lapsed.";
const ANSWERS: &str = "Final responses sent in the period, on or before the reference day.";
const DESIGN: &str = "Design, section 6";

pub(super) static ALL: &[Definition] = &[
    Definition {
        code: "answered-in-time",
        version: 1,
        dutch: "Op tijd beantwoord",
        english: "Answered in time",
        formula: "Final response sent on or before the deadline ÷ all whose deadline lies in the period and has come by the \
                  reference day.",
        included: "Advice received on or before the end of the period and not settled before it began, whose deadline \
                   (extensions and suspensions counted) lies in the period and on or before the reference day. Open past the \
                   deadline is late. Withdrawn or merged after the deadline is late. Forwarded to a body outside on or before \
                   the deadline counts as answered in time, after it as late.",
        excluded: "not_due: the deadline lies later; due_earlier: it lies before the period; suspended: the clock stands still \
                   on the reference day; withdrawn, merged: on or before the deadline; no_norm: no term applies; unknown_dates: \
                   the day of receipt or the rule is not known.",
        edge_cases: "On the deadline day is in time. A void extension or suspension changes nothing. A revised response never \
                     changes whether the first was in time. With cohort=received: received in the period, deadline by the \
                     reference day. With cohort=answered: final response sent in the period; that flatters, since it leaves out \
                     what is late and still open. Month, quarter, year and term of office follow the deadline, the day of \
                     receipt or the day of the answer, as the cohort does.",
        unit: "share",
        anchor: "due",
        source: "Letter of 22 April 2025 (M2404-1809): answers in time; motion 25bb004228; design, sections 5 and 6. No answer \
                 term stands in the letter: see ruleStatus.",
        kind: FigureKind::Share,
        cohorts: IN_TIME_COHORTS,
        dimensions: Dimension::ALL,
        parts: &[],
        items: "advice",
        counted: in_time::answered_in_time,
    },
    Definition {
        code: "answered-in-original-term",
        version: 1,
        dutch: "Beantwoord binnen de oorspronkelijke termijn",
        english: "Answered in the original term",
        formula: "Final response sent on or before the deadline without extensions ÷ the same whole as answered-in-time.",
        included: "Exactly what answered-in-time counts, by the effective deadline.",
        excluded: "As answered-in-time.",
        edge_cases: "Extensions are left out of the deadline, suspensions are not. Forwarded counts as answered on that day.",
        unit: "share",
        anchor: "due",
        source: "Design, sections 5 and 6: an extension must not hide a late answer",
        kind: FigureKind::Share,
        cohorts: IN_TIME_COHORTS,
        dimensions: Dimension::ALL,
        parts: &[],
        items: "advice",
        counted: in_time::answered_in_original_term,
    },
    Definition {
        code: "open-late",
        version: 1,
        dutch: "Open en te laat",
        english: "Open and late",
        formula: "Number of advice that is open and past its deadline on the reference day.",
        included: "All advice received on or before the end of the period that is neither answered nor withdrawn, merged or \
                   forwarded on the reference day, and whose deadline lies before it: however long ago it was received.",
        excluded: "Of what is open: not_due: the deadline has not passed; suspended; no_norm; unknown_dates.",
        edge_cases: "The beginning of the period does not limit it. Month, quarter, year and term of office follow the \
                     deadline; a deadline outside the period has no value there. Longest days over is null where nothing is \
                     late.",
        unit: "count",
        anchor: "due",
        source: DESIGN,
        kind: FigureKind::Count,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[
            sum("total-days-over", "totaal dagen te laat", "total days over"),
            largest("longest-days-over", "langste dagen te laat", "longest days over"),
        ],
        items: "advice",
        counted: in_time::open_late,
    },
    Definition {
        code: "acknowledged",
        version: 1,
        dutch: "Tijd tot de ontvangstbevestiging",
        english: "Time to acknowledgement",
        formula: "Days from receipt to the acknowledgement, Kaplan–Meier: what has none yet is taken along up to the reference \
                  day.",
        included: RECEIVED,
        excluded: "unknown_dates: without a known day of receipt, or acknowledged before it; withdrawn: on an unknown day.",
        edge_cases: "A final response sent before any acknowledgement acknowledges too. Withdrawn, merged and forwarded advice \
                     is watched up to that day. Median, p80 and p90 are the smallest times at which at most ½, 1/5 and 1/10 \
                     are left; where that is not reached it is null, and lowerBound is the longest time watched.",
        unit: "days",
        anchor: "received",
        source: DESIGN,
        kind: FigureKind::Times,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[],
        items: "advice",
        counted: times::acknowledged,
    },
    Definition {
        code: "response-time",
        version: 1,
        dutch: "Tijd tot de reactie",
        english: "Time to the final response",
        formula: "Days from receipt to the day the final response was sent, Kaplan–Meier: open ones are taken along up to the \
                  reference day, withdrawn, merged and forwarded ones up to that day.",
        included: RECEIVED,
        excluded: "unknown_dates: without a known day of receipt, or answered before it; withdrawn: on an unknown day.",
        edge_cases: "Acknowledgements and interim messages are no answer. Net: without the days of valid suspensions; a day in \
                     two of them counts once. The distribution counts the answered ones, gross. Median, p80 and p90 are the \
                     smallest times at which at most ½, 1/5 and 1/10 are left; where that is not reached it is null, and \
                     lowerBound is the longest time watched.",
        unit: "days",
        anchor: "received",
        source: "Letter of 22 April 2025 (M2404-1809): answers in time; design, section 6",
        kind: FigureKind::Times,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[
            part("net", "netto, zonder opschortingen", "net of suspensions", PartKind::Times, Fold::Times),
            sum("days-0-14", "beantwoord in 0 tot en met 14 dagen", "answered in 0 to 14 days"),
            sum("days-15-28", "beantwoord in 15 tot en met 28 dagen", "answered in 15 to 28 days"),
            sum("days-29-42", "beantwoord in 29 tot en met 42 dagen", "answered in 29 to 42 days"),
            sum("days-43-56", "beantwoord in 43 tot en met 56 dagen", "answered in 43 to 56 days"),
            sum("days-57-84", "beantwoord in 57 tot en met 84 dagen", "answered in 57 to 84 days"),
            sum("days-85-up", "beantwoord in 85 dagen of meer", "answered in 85 days or more"),
        ],
        items: "advice",
        counted: times::response_time,
    },
    Definition {
        code: "volume",
        version: 1,
        dutch: "Ontvangen adviezen",
        english: "Advice received",
        formula: "Number of advice received in the period, and per kind.",
        included: RECEIVED,
        excluded: WITHOUT_RECEIPT,
        edge_cases: "What was withdrawn, merged or forwarded afterwards was received all the same.",
        unit: "count",
        anchor: "received",
        source: DESIGN,
        kind: FigureKind::Count,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[
            sum("solicited", "gevraagd advies", "solicited advice"),
            sum("unsolicited", "ongevraagd advies", "unsolicited advice"),
            sum("consultation", "consultatie", "consultation"),
            sum("viewpoint", "zienswijze", "viewpoint"),
            sum("urgent-letter", "brandbrief", "urgent letter"),
            sum("letter", "brief", "letter"),
        ],
        items: "advice",
        counted: received::volume,
    },
    Definition {
        code: "outcomes",
        version: 1,
        dutch: "Uitkomsten",
        english: "Outcomes",
        formula: "Advice answered with an outcome ÷ advice received; beside it the share of each outcome of the advice, and of \
                  each outcome over their points.",
        included: RECEIVED,
        excluded: WITHOUT_RECEIPT,
        edge_cases: "The outcome of an advice: all points equal, that; else, if any is adopted or partly adopted, partly \
                     adopted; else mixed. Revised responses sent by the reference day replace it point by point, in the order \
                     in which they were sent. advice-open: not answered, or answered without a known outcome of every point. \
                     advice-ended: withdrawn, merged or forwarded without an answer. The advice- parts add up to all advice, \
                     the points- parts to all points of it.",
        unit: "share",
        anchor: "received",
        source: "Design, sections 4 and 6",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[
            share("advice-adopted", "adviezen overgenomen", "advice adopted"),
            share("advice-partly-adopted", "adviezen deels overgenomen", "advice partly adopted"),
            share("advice-not-adopted", "adviezen niet overgenomen", "advice not adopted"),
            share("advice-already-policy", "adviezen al staand beleid", "advice that was already policy"),
            share("advice-already-done", "adviezen al uitgevoerd", "advice that was already done"),
            share("advice-needs-study", "adviezen nader onderzoek", "advice that needs study"),
            share("advice-other-process", "adviezen ander proces", "advice that belongs to another process"),
            share("advice-not-competent", "adviezen niet bevoegd", "advice outside the competence"),
            share("advice-mixed", "adviezen wisselend", "advice with a mixed outcome"),
            share(
                "advice-open",
                "adviezen nog open of zonder uitkomst",
                "advice still open or without an outcome",
            ),
            share("advice-ended", "adviezen geëindigd zonder antwoord", "advice ended without an answer"),
            points("points-adopted", "punten overgenomen", "points adopted"),
            points("points-partly-adopted", "punten deels overgenomen", "points partly adopted"),
            points("points-not-adopted", "punten niet overgenomen", "points not adopted"),
            points("points-already-policy", "punten al staand beleid", "points that were already policy"),
            points("points-already-done", "punten al uitgevoerd", "points that were already done"),
            points("points-needs-study", "punten nader onderzoek", "points that need study"),
            points("points-other-process", "punten ander proces", "points that belong to another process"),
            points("points-not-competent", "punten niet bevoegd", "points outside the competence"),
            points(
                "points-open",
                "punten nog open of zonder uitkomst",
                "points still open or without an outcome",
            ),
            points(
                "points-ended",
                "punten van geëindigde adviezen",
                "points of advice ended without an answer",
            ),
        ],
        items: "advice",
        counted: received::outcomes,
    },
    Definition {
        code: "reasons-given",
        version: 1,
        dutch: "Gemotiveerd",
        english: "Reasons given",
        formula: "Points not fully adopted that were answered with reasons ÷ all points not fully adopted.",
        included: "The points that final responses sent in the period answer with another outcome than adopted.",
        excluded: "Points fully adopted need no reasons.",
        edge_cases: "Below 1 only for imported history: else an answer without reasons is refused. Revised responses are left \
                     out.",
        unit: "share",
        anchor: "answered",
        source: "Letter of 22 April 2025 (M2404-1809): answers with reasons; design, section 4, rule 1",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[],
        items: "point",
        counted: answers::reasons_given,
    },
    Definition {
        code: "considerations-shared",
        version: 1,
        dutch: "Stedelijke afweging gedeeld",
        english: "City-level considerations shared",
        formula: "Answers to advice of level city or cross_neighbourhood with considerations that were shared with the council ÷ \
                  all such answers.",
        included: ANSWERS,
        excluded: "Answers to advice of level neighbourhood.",
        edge_cases: "Shared counts by the reference day. The median lag is from the day the answer was sent to the day the \
                     considerations were shared; it is negative where they were shared first, and of an even number the \
                     smaller of the two in the middle.",
        unit: "share",
        anchor: "answered",
        source: "Letter of 22 April 2025 (M2404-1809): the city-level considerations are shared with that council; design, \
                 section 4, rule 2",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[median("median-lag-days", "mediaan van de dagen tot het delen", "median days until shared")],
        items: "advice",
        counted: answers::considerations_shared,
    },
    Definition {
        code: "published",
        version: 1,
        dutch: "Antwoord gepubliceerd",
        english: "Answer published",
        formula: "Answers public within 14 days of being sent ÷ answers that are public or whose 14 days have passed.",
        included: ANSWERS,
        excluded: "not_due: not public yet, and the 14 days have not passed.",
        edge_cases: "Public from the later of the publication of the advice and the day the answer was recorded here; where \
                     that is not known, from publication; never before it was sent. An advice that was withdrawn from \
                     publication is not public. The median lag is over the public ones.",
        unit: "share",
        anchor: "answered",
        source: "Letter of 22 April 2025 (M2404-1809): advice and answer are published; motion 25bb004228; design, section 6",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[median(
            "median-lag-days",
            "mediaan van de dagen tot publicatie",
            "median days until public",
        )],
        items: "advice",
        counted: answers::published,
    },
    Definition {
        code: "follow-up-realised",
        version: 1,
        dutch: "Opvolging gerealiseerd",
        english: "Follow-up realised",
        formula: "Adopted points with a completed follow-up ÷ adopted points whose follow-up is due in the period.",
        included: "Points adopted or partly adopted by the reference day, revised responses counted, whose follow-up is due in \
                   the period and on or before the reference day.",
        excluded: "not_due: due later, or without a due day; due_earlier: due before the period, and not completed before it.",
        edge_cases: "The due day is the one that was given last, the state the last one. Completed after the due day counts. \
                     Stopped does not.",
        unit: "share",
        anchor: "follow-up due",
        source: DESIGN,
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[],
        items: "point",
        counted: answers::follow_up_realised,
    },
    Definition {
        code: "extensions",
        version: 1,
        dutch: "Verlengd en opgeschort",
        english: "Extended and suspended",
        formula: "Advice with a valid extension ÷ advice received; beside it with a valid suspension, and with a void extension \
                  or suspension.",
        included: RECEIVED,
        excluded: WITHOUT_RECEIPT,
        edge_cases: "Void: decided, or a suspension begun, after the deadline as it then stood or after the clock had stopped. \
                     Extensions and suspensions count from the day they took effect.",
        unit: "share",
        anchor: "received",
        source: "Design, sections 5 and 6",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[
            share("suspended", "opgeschort", "suspended"),
            share(
                "void",
                "met een verlenging of opschorting zonder werking",
                "with a void extension or suspension",
            ),
        ],
        items: "advice",
        counted: received::extensions,
    },
    Definition {
        code: "plan-in-place",
        version: 1,
        dutch: "Participatieplan vooraf",
        english: "Participation plan in place",
        formula: "New-policy tracks that reached their decision with a participation plan adopted before it ÷ all such tracks. \
                  The tracks without one are the list behind it.",
        included: "Policy tracks that make new policy, began on or after the first day of the obligation, and whose decision \
                   lies in the period and on or before the reference day.",
        excluded: "not_obliged: began before the obligation; not_ended: not decided on by then.",
        edge_cases: "A plan adopted on the day of the decision or later was not made beforehand. Of a phase recorded twice the \
                     last day holds. Where no obligation is known, every track is not_obliged. A track counts under each \
                     council that it concerns.",
        unit: "share",
        anchor: "decision",
        source: "Letter of 22 April 2025 (M2404-1809): a participation plan becomes mandatory for all new policy; design, section 6",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: TRACK_DIMENSIONS,
        parts: &[],
        items: "policy-track",
        counted: plans::plan_in_place,
    },
    Definition {
        code: "informed-early",
        version: 1,
        dutch: "Vroeg geïnformeerd",
        english: "Informed early",
        formula: "Pairs of a policy track and a council that it concerns, the council first informed in the pre-phase ÷ all \
                  pairs.",
        included: "The councils that a track concerns, of all tracks whose decision lies in the period and on or before the \
                   reference day, new policy or not.",
        excluded: "not_ended: pairs of a track that was not decided on by then.",
        edge_cases: "In the pre-phase: before the first day of any later phase. Never informed counts as not early. The median \
                     days before the decision is over the informed ones; negative: after it.",
        unit: "share",
        anchor: "decision",
        source: "Letter of 22 April 2025 (M2404-1809): neighbourhoods are involved more and earlier, in the pre-phase of city \
                 policy; design, section 6",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: TRACK_DIMENSIONS,
        parts: &[
            median(
                "median-days-before-decision",
                "mediaan van de dagen vóór het besluit",
                "median days before the decision",
            ),
            share("never-informed", "nooit geïnformeerd", "never informed"),
        ],
        items: "policy-track and council",
        counted: plans::informed_early,
    },
    Definition {
        code: "collegetarget",
        version: 1,
        dutch: "Gerealiseerd in het oordeel van de wijkraad",
        english: "Realised in the judgement of the council",
        formula: "Agreements judged realised by their council ÷ agreements with a due day in the action plans of the period's \
                  years.",
        included: "Agreements made on or before the reference day, of accords published or not, whose plan year is one of the \
                   years that the period touches.",
        excluded: "ongoing: agreements without a due day.",
        edge_cases: "The council's last judgement by the reference day counts. Three parts add up to the whole: realised; not \
                     realised and judged red, so will not be; and all the rest, which runs. Disputed (the organisation says \
                     done, the council has said since that it is not) counts as not realised. Not judged yet counts as \
                     running. weighted: the mean of the share of the large and that of the small ones, each weighing the \
                     same; where there are none of one size, the other.",
        unit: "share",
        anchor: "plan year",
        source: "Collegetarget Wijk aan Zet: in het oordeel van de wijkraad is 75 % van de acties in de wijkplannen \
                 gerealiseerd; design, section 6",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: AGREEMENT_DIMENSIONS,
        parts: &[
            share("realised", "gerealiseerd", "realised"),
            share("running", "loopt", "running"),
            share("not-realised", "niet gerealiseerd en komt er niet van", "not realised and will not be"),
            share("disputed", "omstreden", "disputed"),
            share("unjudged", "nog niet beoordeeld", "not yet judged"),
            share_of_own("large", "gerealiseerd van de grote", "realised of the large ones"),
            share_of_own("small", "gerealiseerd van de kleine", "realised of the small ones"),
            part(
                "weighted",
                "gerealiseerd, groot en klein even zwaar",
                "realised, large and small weighing the same",
                PartKind::Value,
                Fold::Mean("large", "small"),
            ),
        ],
        items: "agreement",
        counted: agreements::collegetarget,
    },
    Definition {
        code: "judgement-gap",
        version: 1,
        dutch: "Kloof tussen voortgang en oordeel",
        english: "Gap between progress and judgement",
        formula: "Agreements that the organisation reports done and of which the council has said since that they are not ÷ \
                  agreements that the organisation reports done.",
        included: "Agreements of the period's plan years, ongoing ones too, whose last progress by the reference day is \
                   reported_done.",
        excluded: "Agreements that are not reported done.",
        edge_cases: "A judgement of the day of the report or later counts. What was not judged since is in the whole, and in \
                     unjudged.",
        unit: "share",
        anchor: "plan year",
        source: DESIGN,
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: AGREEMENT_DIMENSIONS,
        parts: &[share("unjudged", "sinds de gereedmelding niet beoordeeld", "not judged since")],
        items: "agreement",
        counted: agreements::judgement_gap,
    },
    Definition {
        code: "coordinator-load",
        version: 1,
        dutch: "Wijkraden per coördinator",
        english: "Councils per coordinator",
        formula: "Coordinators with at most 2 councils ÷ coordinators, on the reference day.",
        included: "The positions of coordinators with at least one council on the reference day.",
        excluded: "Nothing; councils without a coordinator are counted as vacancies.",
        edge_cases: "The period does not matter. Totals only: no figure is about an official, and the list behind it numbers \
                     its rows without saying who. The aim is no rule: a maximum above it gives a warning.",
        unit: "share",
        anchor: "reference day",
        source: "Letter of 22 April 2025 (M2404-1809): a coordinator has at most 2 councils, as an aim; design, section 6",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: &[],
        parts: &[
            largest(
                people::MAXIMUM,
                "meeste wijkraden van één coördinator",
                "most councils of one coordinator",
            ),
            sum("vacancies", "wijkraden zonder coördinator", "councils without a coordinator"),
            sum("coordinators", "coördinatoren", "coordinators"),
        ],
        items: "position",
        counted: people::coordinator_load,
    },
    Definition {
        code: "council-talks",
        version: 1,
        dutch: "Gesprekken met de wijkwethouder",
        english: "Talks with the wijkwethouder",
        formula: "Councils that had a talk with their wijkwethouder in the half-year ÷ all councils.",
        included: "All councils; talks held in the half-year (January to June, July to December) of the reference day, up to \
                   and including it.",
        excluded: "Nothing.",
        edge_cases: "The period does not matter: the half-year is that of the reference day. Lessons are those of all talks up \
                     to that day, also of earlier years.",
        unit: "share",
        anchor: "reference day",
        source: "Letter of 22 April 2025 (M2404-1809): wijkwethouder and council talk periodically and draw lessons together; design, \
                 section 6: once in each half-year",
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: &[Dimension::Council, Dimension::Area],
        parts: &[
            sum("lessons-open", "open lessen", "open lessons"),
            sum("lessons-closed", "afgeronde lessen", "closed lessons"),
        ],
        items: "council",
        counted: people::council_talks,
    },
    Definition {
        code: "commitments",
        version: 1,
        dutch: "Tijd tot afdoening van moties en toezeggingen",
        english: "Time to settlement of commitments",
        formula: "Days from the day it was made to the day it was settled, Kaplan–Meier: open ones are taken along up to the \
                  reference day.",
        included: "Motions and undertakings made in the period, on or before the reference day. The parts also count what was \
                   made before the period and is still open.",
        excluded: "unknown_dates: settled before it was made.",
        edge_cases: "Proposed for settlement is not settled. Past expected: open, and the expected day lies before the \
                     reference day. Where the figure is broken down by time, what was made before the period has no value \
                     there.",
        unit: "days",
        anchor: "made",
        source: DESIGN,
        kind: FigureKind::Times,
        cohorts: ONE_COHORT,
        dimensions: &[
            Dimension::Cluster,
            Dimension::PortfolioHolder,
            Dimension::Month,
            Dimension::Quarter,
            Dimension::Year,
        ],
        parts: &[
            sum("open", "open", "open"),
            sum("past-expected", "verwachte datum voorbij", "past the expected day"),
            sum("proposed", "voorgesteld als afgedaan", "proposed for settlement"),
        ],
        items: "commitment",
        counted: commitments::commitments,
    },
    Definition {
        code: "joint-advice",
        version: 1,
        dutch: "Gezamenlijke adviezen",
        english: "Joint advice",
        formula: "Advice of more than one council ÷ advice received.",
        included: RECEIVED,
        excluded: WITHOUT_RECEIPT,
        edge_cases: "A co-signer counts from the day it signed; in an imported list, which gives no day, always.",
        unit: "share",
        anchor: "received",
        source: DESIGN,
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[],
        items: "advice",
        counted: received::joint_advice,
    },
    Definition {
        code: "data-quality",
        version: 1,
        dutch: "Volledigheid van de gegevens",
        english: "Completeness of the data",
        formula: "Advice with a known council, day of receipt, day of answer, outcome and a link to its source ÷ all advice.",
        included: "Advice received in the period, and imported advice without a day of receipt whose earliest known day lies in \
                   the period.",
        excluded: "unknown_dates: imported advice of which no day is known at all.",
        edge_cases: "Of advice that was received and is open, and of advice that was withdrawn, merged or forwarded, no day of \
                     answer and no outcome is asked. Advice in a list without an answer may have been answered: there both are \
                     unknown.",
        unit: "share",
        anchor: "received, else the earliest known day",
        source: DESIGN,
        kind: FigureKind::Share,
        cohorts: ONE_COHORT,
        dimensions: Dimension::ALL,
        parts: &[
            share("council", "wijkraad bekend", "council known"),
            share("receipt-date", "ontvangstdatum bekend", "day of receipt known"),
            share("answer-date", "antwoorddatum bekend", "day of answer known"),
            share("outcome", "uitkomst bekend", "outcome known"),
            share("source-link", "met een adres van de bron", "with the address of its source"),
        ],
        items: "advice",
        counted: quality::data_quality,
    },
];
