//! Fills an empty database with made-up advice and agreements, for measuring: `fill URL ADVICE AGREEMENTS`. Every item goes through
//! the same rules and the same journal as any other: an advice has three entries (receipt, answer, publication), an agreement two.

#![forbid(unsafe_code)]

use std::error::Error;

use api::app::seed;
use api::clock::{Clock, Now, new_id};
use chrono::{Datelike, Duration, NaiveDate};
use domain::access::{Caller, Grant, Scope};
use domain::accord::{Accord, AccordBody};
use domain::advice::{
    Adoption, Advice, AdviceText, Considerations, Councils, NewResponse, Point, PointResponse, Receipt,
    Reference, ResponseBody, Submission,
};
use domain::agreement::{Agreement, AgreementBody, JudgementBody, Owner, ProgressBody};
use domain::codes::{
    AdviceKind, AgreementSize, Colour, Level, Origin, PointOutcome, ProgressState, ResponseBy, ResponseKind,
};
use domain::ids::{AccordId, AdviceId, AgreementId, CouncilCode, PartId};
use domain::term::built_in_rules;
use persistence::{DatabaseUrl, Store, Tx, advice, dossier};

type Outcome = Result<(), Box<dyn Error>>;

/// Items in one transaction.
const BATCH: u32 = 500;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: fill URL ADVICE AGREEMENTS");
    let url: DatabaseUrl = next()?.parse()?;
    let (advice, agreements): (u32, u32) = (next()?.parse()?, next()?.parse()?);
    let store = Store::open(&url, 4)?;
    let now = Clock::System.now();
    seed(&store, now)?;
    let councils: Vec<CouncilCode> =
        domain::reference::built_in().councils.into_iter().map(|council| council.code).collect();
    let filler = Filler { store, now, councils, random: std::cell::Cell::new(1) };
    filler.advice(advice)?;
    filler.agreements(agreements)
}

struct Filler {
    store: Store,
    now: Now,
    councils: Vec<CouncilCode>,
    random: std::cell::Cell<u64>,
}

impl Filler {
    /// A number below a bound, the same ones at each run.
    fn roll(&self, bound: u32) -> u32 {
        let next =
            self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random.set(next);
        u32::try_from(next >> 33).unwrap_or(0) % bound
    }

    fn council(&self) -> CouncilCode {
        self.councils[self.roll(39) as usize].clone()
    }

    fn ago(&self, days: u32) -> NaiveDate {
        self.now.today - Duration::days(i64::from(days))
    }

    fn in_batches(
        &self,
        count: u32,
        work: impl Fn(&mut Tx<'_>, u32) -> Result<(), Box<dyn Error>>,
    ) -> Outcome {
        for first in (0..count).step_by(BATCH as usize) {
            self.store
                .write("fill", self.now.moment, |tx| -> Result<(), Refused> {
                    for number in first..(first + BATCH).min(count) {
                        work(tx, number).map_err(|error| Refused(error.to_string()))?;
                    }
                    Ok(())
                })
                .map_err(|Refused(why)| why)?;
        }
        Ok(())
    }

    fn advice(&self, count: u32) -> Outcome {
        let everybody = Caller {
            subject: Some("fill".to_owned()),
            scopes: Scope::ALL.iter().map(|(scope, _, _)| *scope).collect(),
            councils: Grant::All,
            clusters: Grant::All,
        };
        let rules = built_in_rules();
        let today = self.now.today;
        self.in_batches(count, |tx, number| {
            // Over some eight years back.
            let received = 1 + self.roll(3000);
            let city = self.roll(4) == 0;
            let text = AdviceText {
                kind: AdviceKind::ALL[self.roll(6) as usize],
                subject: format!("Advies {number} over de straat"),
                summary: Some(
                    "Een verzonnen advies om mee te meten, met een paar regels tekst erbij.".to_owned(),
                ),
                level: if city { Level::City } else { Level::Neighbourhood },
                themes: vec!["mobility".parse()?],
                councils: Councils { lead: self.council(), cosigners: Vec::new() },
                points: (1..=3)
                    .map(|number| Point {
                        number,
                        text: format!("Doe punt {number}, zoals bewoners vragen."),
                    })
                    .collect(),
                letter_on: None,
                listed_on: None,
                references: vec![Reference {
                    system: "made-up".to_owned(),
                    value: format!("00xx{number:06}"),
                    url: Some(format!("https://example.org/{number}")),
                }],
                second_round_of: None,
                request: None,
            };
            let advice = Advice::draft(AdviceId(new_id()), text, Origin::Entered, today)?;
            let adoption = Adoption {
                meeting_on: self.ago(received),
                quorum: true,
                votes_for: 7,
                votes_against: 1,
                ratified_on: None,
            };
            let advice = everybody.as_coordinator(advice)?.adopt(adoption, today)?;
            let submission = Submission { submitted_on: self.ago(received), letter_on: None };
            let advice = everybody.as_coordinator(advice)?.submit(submission, today)?;
            let receipt = Receipt {
                received_on: self.ago(received),
                cluster: ["so", "sb", "mo"][self.roll(3) as usize].parse()?,
                portfolio_holder: None,
                rule: None,
                reason: None,
                listed_on: None,
            };
            let advice = everybody.as_cluster(advice)?.receive(receipt, &rules, today)?;
            let mut stored = advice::add(tx, &advice, "receipt")?;
            let took = self.roll(90);
            if took < received && self.roll(10) > 0 {
                let sent_on = self.ago(received - took);
                let outcomes = [PointOutcome::Adopted, PointOutcome::NotAdopted, PointOutcome::AlreadyPolicy];
                let points = (1..=3).map(|number| PointResponse {
                    number,
                    outcome: outcomes[self.roll(3) as usize],
                    reasons: Some("Omdat het zo is afgewogen (verzonnen).".to_owned()),
                });
                let body = ResponseBody {
                    kind: ResponseKind::Final,
                    decided_on: Some(sent_on),
                    sent_on: Some(sent_on),
                    by: ResponseBy::Alderman,
                    points: points.collect(),
                    considerations: city.then(|| Considerations {
                        interests: Vec::new(),
                        weighing: "De stad woog hier zwaarder (verzonnen).".to_owned(),
                        shared_on: Some(sent_on),
                    }),
                    text: Some("Dank voor uw advies (verzonnen).".to_owned()),
                    references: Vec::new(),
                };
                let response = NewResponse { id: PartId(new_id()), recorded_at: self.now.moment, body };
                let answered = everybody.as_college(stored.value.clone())?.respond(response, today)?;
                stored = advice::save(tx, &answered, &stored, "response", None)?;
            }
            if self.roll(10) > 0 {
                let public = everybody.as_publisher(stored.value.clone())?.publish(self.now.moment)?;
                advice::save(tx, &public, &stored, "publication", None)?;
            }
            Ok(())
        })
    }

    fn agreements(&self, count: u32) -> Outcome {
        let today = self.now.today;
        let mut accords = Vec::new();
        for council in &self.councils {
            let text = AccordBody {
                council: council.clone(),
                from: self.ago(2000),
                to: self.ago(0) + Duration::days(1000),
                title: "Wijkakkoord (verzonnen)".to_owned(),
                vision: None,
                goals: Vec::new(),
                year_plans: Vec::new(),
                references: Vec::new(),
            };
            accords.push(Accord::new(AccordId(new_id()), text, today)?);
        }
        self.store
            .write("fill", self.now.moment, |tx| -> Result<(), Refused> {
                for accord in &mut accords {
                    let moment = tx.moment()?;
                    accord.publication.publish(moment).map_err(|error| Refused(error.to_string()))?;
                    dossier::add(tx, accord, "addition")?;
                }
                Ok(())
            })
            .map_err(|Refused(why)| why)?;
        self.in_batches(count, |tx, number| {
            let accord = &accords[self.roll(39) as usize];
            let agreed = 200 + self.roll(1500);
            let agreed_on = self.ago(agreed);
            let text = AgreementBody {
                accord: accord.id,
                number: format!("{}.{}", 1 + number / 900, 1 + number % 900),
                title: format!("Afspraak {number} (verzonnen)"),
                description: None,
                size: AgreementSize::ALL[self.roll(2) as usize],
                owner: Owner { cluster: Some("sb".parse()?), party: None },
                partners: Vec::new(),
                plan_year: u16::try_from(agreed_on.year())?,
                agreed_on,
                due_on: Some(self.ago(agreed - 150)),
                ongoing_reason: None,
                carried_over_from: None,
                policy_track: None,
                advice_point: None,
                themes: vec!["mobility".parse()?],
                references: Vec::new(),
            };
            let council = accord.text.council.clone();
            let agreement =
                Agreement::new(AgreementId(new_id()), council, accord.publication.clone(), text, today)?;
            let stored = dossier::add(tx, &agreement, "addition")?;
            let progress = ProgressBody {
                state: [ProgressState::Running, ProgressState::ReportedDone][self.roll(2) as usize],
                on: self.ago(agreed - 100),
                reason: None,
                evidence_url: None,
            };
            let (colour, realised) =
                [(Colour::Green, true), (Colour::Orange, false), (Colour::Red, false)][self.roll(3) as usize];
            let judgement = JudgementBody { colour, realised, on: self.ago(agreed - 160), note: None };
            let judged = agreement.with_progress(PartId(new_id()), progress, today)?.with_judgement(
                PartId(new_id()),
                judgement,
                today,
            )?;
            dossier::save(tx, &judged, &stored, "judgement", None)?;
            Ok(())
        })
    }
}

/// Why an item was refused, as text: a rule, a right or the database.
struct Refused(String);

impl From<persistence::StoreError> for Refused {
    fn from(error: persistence::StoreError) -> Self {
        Self(error.to_string())
    }
}
