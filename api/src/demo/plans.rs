//! Made-up accords, agreements, policy tracks, plans, commitments and talks, so that every figure has something to count.

use chrono::{Datelike, Duration, NaiveDate};
use domain::RuleError;
use domain::accord::{Accord, AccordBody, Goal, YearPlan};
use domain::agreement::{Agreement, AgreementBody, JudgementBody, Owner, ProgressBody, WatchBody};
use domain::assignment::{Assignment, AssignmentBody};
use domain::codes::*;
use domain::commitment::{Commitment, CommitmentBody, StepBody};
use domain::council::{Council, CouncilAssignment};
use domain::dossier::Dossier;
use domain::ids::*;
use domain::participation_plan::{
    FindingBody, FindingReply, ParticipationPlan, ParticipationPlanBody, PlanAdoption, Promise,
};
use domain::policy_track::{InformedBody, PhaseBody, PolicyTrack, PolicyTrackBody};
use domain::talk::{LessonBody, LessonClosure, Talk, TalkBody};
use domain::term::TermRule;
use persistence::registry::{self, Table};
use persistence::{Stored, Tx, dossier};

use super::DemoError;
use crate::clock::{Now, new_id};

/// Writes them all.
pub(super) fn tell(tx: &mut Tx<'_>, now: Now, holder: OfficeHolderId) -> Result<(), DemoError> {
    let plans = Plans { now, holder };
    plans.agreements(tx)?;
    plans.tracks(tx)?;
    plans.commitments(tx)?;
    plans.support(tx)
}

struct Plans {
    now: Now,
    holder: OfficeHolderId,
}

/// Of which accord, what, how large, what the organisation says, and the colour and whether it is realised in the council's eyes.
type AgreementLife<'a> = (&'a Accord, &'a str, AgreementSize, Option<ProgressState>, Option<(Colour, bool)>);
/// The number, the kind, and the steps with how many days ago each was.
type CommitmentLife = (&'static str, CommitmentKind, &'static [(SettlementStep, i64)]);

/// The year of a day, as plans are numbered by it.
fn year_of(on: NaiveDate) -> Result<u16, DemoError> {
    let outside = |_| RuleError::invalid("/planYear", "date.range", "lies outside the calendar");
    Ok(u16::try_from(on.year()).map_err(outside)?)
}

fn code<C: std::str::FromStr<Err = NotACode>>(text: &str) -> Result<C, DemoError> {
    Ok(text.parse()?)
}

impl Plans {
    fn ago(&self, days: i64) -> NaiveDate {
        self.now.today - Duration::days(days)
    }

    fn accord(&self, tx: &mut Tx<'_>, council: &str, public: bool) -> Result<Accord, DemoError> {
        let year = year_of(self.now.today)?;
        let text = AccordBody {
            council: code(council)?,
            from: self.ago(600),
            to: self.ago(-860),
            title: "Wijkakkoord (verzonnen voorbeeld)".to_owned(),
            vision: Some("Een wijk waar iedereen veilig naar school kan.".to_owned()),
            goals: vec![Goal { number: 1, text: "Veilig naar school".to_owned() }],
            year_plans: vec![YearPlan { year, adopted_on: Some(self.ago(300)), note: None }],
            references: Vec::new(),
        };
        let mut accord = Accord::new(AccordId(new_id()), text, self.now.today)?;
        if public {
            accord.publication.publish(tx.moment()?)?;
        }
        dossier::add(tx, &accord, "demonstration")?;
        Ok(accord)
    }

    fn agreements(&self, tx: &mut Tx<'_>) -> Result<(), DemoError> {
        let today = self.now.today;
        let year = year_of(today)?;
        let public = self.accord(tx, "rozenburg", true)?;
        let hidden = self.accord(tx, "pernis", false)?;
        // What the organisation says, and what the council says: a colour, and whether it is realised.
        let lives: [AgreementLife<'_>; 7] = [
            (
                &public,
                "Zebrapad bij de school",
                AgreementSize::Small,
                Some(ProgressState::ReportedDone),
                Some((Colour::Green, true)),
            ),
            (
                &public,
                "Verlichting langs de dijk",
                AgreementSize::Large,
                Some(ProgressState::ReportedDone),
                Some((Colour::Orange, false)),
            ),
            (&public, "Speeltuin opknappen", AgreementSize::Large, Some(ProgressState::Running), None),
            (
                &public,
                "Extra vuilnisbakken",
                AgreementSize::Small,
                Some(ProgressState::Delayed),
                Some((Colour::Orange, false)),
            ),
            (
                &public,
                "Buurtbus",
                AgreementSize::Large,
                Some(ProgressState::Stopped),
                Some((Colour::Red, false)),
            ),
            (
                &hidden,
                "Fietsenrek bij de halte",
                AgreementSize::Small,
                Some(ProgressState::ReportedDone),
                None,
            ),
            (&hidden, "Groene daken", AgreementSize::Large, None, None),
        ];
        for (number, (accord, title, size, progress, judgement)) in (1..).zip(lives) {
            let text = AgreementBody {
                accord: accord.id,
                number: format!("1.{number}"),
                title: format!("{title} (verzonnen voorbeeld)"),
                description: None,
                size,
                owner: Owner { cluster: Some(code("sb")?), party: None },
                partners: vec!["de school".to_owned()],
                plan_year: year,
                agreed_on: self.ago(300),
                due_on: Some(self.ago(20)),
                ongoing_reason: None,
                carried_over_from: None,
                policy_track: None,
                advice_point: None,
                themes: vec![code("mobility")?],
                references: Vec::new(),
            };
            let (council, publication) = (accord.text.council.clone(), accord.publication.clone());
            let mut agreement = Agreement::new(AgreementId(new_id()), council, publication, text, today)?;
            if let Some(state) = progress {
                let reason = matches!(state, ProgressState::Delayed | ProgressState::Stopped)
                    .then(|| "de leverancier is failliet".to_owned());
                let body = ProgressBody { state, on: self.ago(40), reason, evidence_url: None };
                agreement = agreement.with_progress(PartId(new_id()), body, today)?;
            }
            if let Some((colour, realised)) = judgement {
                let body = JudgementBody { colour, realised, on: self.ago(15), note: None };
                agreement = agreement.with_judgement(PartId(new_id()), body, today)?;
            }
            let stored = dossier::add(tx, &agreement, "demonstration")?;
            if judgement == Some((Colour::Orange, false)) {
                let on = self.ago(10);
                let watched_in = year_of(on)?;
                let watched = agreement.with_watch(WatchBody { year: watched_in, on }, 0, today)?;
                dossier::save(tx, &watched, &stored, "demonstration", None)?;
            }
        }
        Ok(())
    }

    fn track(&self, title: &str) -> Result<PolicyTrack, DemoError> {
        let text = PolicyTrackBody {
            title: format!("{title} (verzonnen voorbeeld)"),
            description: None,
            cluster: code("so")?,
            new_policy: true,
            started_on: self.ago(200),
            themes: vec![code("mobility")?],
            references: Vec::new(),
        };
        let mut track = PolicyTrack::new(PolicyTrackId(new_id()), text, self.now.today)?;
        for (phase, ago) in [(Phase::PrePhase, 200), (Phase::Exploration, 150), (Phase::Decision, 30)] {
            track = track.with_phase(PhaseBody { phase, starts_on: self.ago(ago), reason: None })?;
        }
        for (council, told) in [("rozenburg", Some(180)), ("pernis", Some(100)), ("hoogvliet", None)] {
            let on = told.map(|ago| self.ago(ago));
            let body = InformedBody {
                council: code(council)?,
                on,
                role: TrackRole::Advisor,
                corrects: None,
                reason: None,
            };
            track = track.with_informed(body, self.now.today)?;
        }
        Ok(track)
    }

    fn tracks(&self, tx: &mut Tx<'_>) -> Result<(), DemoError> {
        let today = self.now.today;
        let mut with_plan = self.track("Parkeerbeleid")?;
        with_plan.publication.publish(tx.moment()?)?;
        with_plan.plans_adopted.push(self.ago(140));
        dossier::add(tx, &with_plan, "demonstration")?;
        let promise = |number, phase, method: &str, ago| Promise {
            number,
            phase,
            target_group: "bewoners".to_owned(),
            method: method.to_owned(),
            due_on: self.ago(ago),
            influence: Influence::Advise,
        };
        let text = ParticipationPlanBody {
            policy_track: with_plan.id,
            promises: vec![
                promise(1, Phase::Exploration, "wijkgesprek in de wijkhub", 120),
                promise(2, Phase::Decision, "terugkoppeling per brief", 25),
            ],
            tailoring: Vec::new(),
            references: Vec::new(),
        };
        let (cluster, councils) = (with_plan.text.cluster.clone(), with_plan.reach().councils);
        let rules: Vec<Stored<TermRule>> = registry::all(tx.reading(), Table::TermRule)?;
        let rules: Vec<TermRule> = rules.into_iter().map(|rule| rule.value).collect();
        let mut plan = ParticipationPlan::new(ParticipationPlanId(new_id()), cluster, councils, text)?
            .adopt(PlanAdoption { adopted_on: self.ago(140) }, today)?;
        for (promise, verdict, ago) in [(1, Verdict::Kept, 90), (2, Verdict::NotKept, 20)] {
            let found = FindingBody {
                council: code("rozenburg")?,
                promise,
                verdict,
                on: self.ago(ago),
                note: Some("naar het oordeel van de raad".to_owned()),
            };
            let rule = domain::term::finding_rule(&rules, found.on);
            plan = plan.with_finding(PartId(new_id()), found, rule, today)?;
        }
        let first = plan.findings.first().map(|finding| finding.id);
        if let Some(first) = first {
            let reply = FindingReply { on: self.ago(70), text: "Dank, dat doen we vaker.".to_owned() };
            plan = plan.with_reply(first, reply, today)?;
        }
        plan.publication.publish(tx.moment()?)?;
        dossier::add(tx, &plan, "demonstration")?;
        let mut without = self.track("Horecabeleid")?;
        without.publication.publish(tx.moment()?)?;
        dossier::add(tx, &without, "demonstration")?;
        Ok(())
    }

    fn commitments(&self, tx: &mut Tx<'_>) -> Result<(), DemoError> {
        let today = self.now.today;
        let lives: [CommitmentLife; 3] = [
            (
                "99bb000001",
                CommitmentKind::Motion,
                &[(SettlementStep::Interim, 150), (SettlementStep::Settled, 60)],
            ),
            ("99bb000002", CommitmentKind::Undertaking, &[(SettlementStep::Proposed, 30)]),
            ("99bb000003", CommitmentKind::Motion, &[]),
        ];
        for (number, kind, steps) in lives {
            let text = CommitmentBody {
                kind,
                number: number.to_owned(),
                title: "Sneller antwoord aan wijkraden (verzonnen voorbeeld)".to_owned(),
                text: None,
                made_on: self.ago(250),
                expected_on: Some(self.ago(40)),
                portfolio_holder: Some(self.holder),
                cluster: Some(code("bco")?),
                advice: Vec::new(),
                references: Vec::new(),
            };
            let mut commitment = Commitment::new(CommitmentId(new_id()), text, today)?;
            for (step, ago) in steps {
                let body = StepBody { step: *step, on: self.ago(*ago), note: None, reference: None };
                commitment = commitment.with_step(body, today)?;
            }
            dossier::add(tx, &commitment, "demonstration")?;
        }
        Ok(())
    }

    fn support(&self, tx: &mut Tx<'_>) -> Result<(), DemoError> {
        for (council, position) in
            [("rozenburg", "coordinator-01"), ("pernis", "coordinator-01"), ("hoogvliet", "coordinator-02")]
        {
            let coordinator = AssignmentBody {
                council: code(council)?,
                role: AssignmentRole::Coordinator,
                office_holder: None,
                position: Some(position.to_owned()),
                from: self.ago(200),
                to: None,
            };
            let alderman = AssignmentBody {
                role: AssignmentRole::Wijkwethouder,
                office_holder: Some(self.holder),
                position: None,
                ..coordinator.clone()
            };
            let mut shown = Vec::new();
            for text in [alderman, coordinator] {
                let assignment = Assignment::new(AssignmentId(new_id()), text)?;
                dossier::add(tx, &assignment, "demonstration")?;
                let AssignmentBody { council: _, role, office_holder, position: _, from, to } =
                    assignment.text;
                shown.push(CouncilAssignment { role, office_holder, from, to });
            }
            let before: Option<Stored<Council>> = registry::find(tx.reading(), Table::Council, council)?;
            if let Some(Stored { value, stamp }) = before {
                let value = Council { assignments: shown, ..value };
                registry::save(tx, Table::Council, council, &value, stamp, "demonstration")?;
            }
        }
        let text =
            TalkBody { council: code("rozenburg")?, held_on: self.ago(12), office_holder: self.holder };
        let lesson = |text: &str| LessonBody { text: text.to_owned(), owner: "wijkmanager".to_owned() };
        let closure = LessonClosure { on: self.ago(5), note: None };
        let mut talk = Talk::new(TalkId(new_id()), text, self.now.today)?
            .with_lesson(lesson("Eerder bellen als een antwoord uitloopt (verzonnen voorbeeld)"))?
            .with_lesson(lesson("Samen de wijk in voor een besluit (verzonnen voorbeeld)"))?
            .with_lesson_closed(1, closure, self.now.today)?;
        talk.publication.publish(tx.moment()?)?;
        dossier::add(tx, &talk, "demonstration")?;
        Ok(())
    }
}
