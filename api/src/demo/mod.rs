//! The demonstration set: made up, marked as such in every item, enough to see each state. Made through the same rules
//! as everything else, around the day on which it is made.

mod plans;

use chrono::{Duration, NaiveDate};
use domain::access::{Caller, Grant, Scope};
use domain::advice::{
    Adoption, Advice, AdviceText, Closure, Considerations, Cosignature, Cosigner, Councils, ExtensionBody,
    FollowUp, Forwarding, Interest, Listed, Merge, NewResponse, Point, PointResponse, Rating, Receipt,
    Reference, ResponseBody, Submission, SuspensionBody, SuspensionEnd, Treatment, UnpublicationBody,
    WithdrawalBody,
};
use domain::advice_request::{AdviceRequest, AdviceRequestBody, NoAdviceBody};
use domain::codes::{
    AdviceKind, FollowUpState, InterestDirection, Level, Origin, PointOutcome, ResponseBy, ResponseKind,
};
use domain::ids::{AdviceId, AdviceRequestId, CouncilCode, OfficeHolderId, PartId};
use domain::office_holder::OfficeHolder;
use domain::term::TermRule;
use persistence::registry::{self, Table};
use persistence::{Store, StoreError, Stored, Tx, advice, advice_request};

use crate::clock::{Now, new_id};

/// Why the set cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There are real items.
    #[error("the database holds items that are not made up; a demonstration set does not go among them")]
    NotEmpty,
    /// A rule refuses it.
    #[error("{0:?}")]
    Rule(#[from] domain::RuleError),
    /// Nobody may do that.
    #[error(transparent)]
    Refusal(#[from] domain::access::Refusal),
    /// A code of the set is not a code.
    #[error("{0}")]
    Code(#[from] domain::ids::NotACode),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the set into a database without advice. One that has the set already stays as it is.
pub fn fill(store: &Store, now: Now) -> Result<(), DemoError> {
    store.write("wijkaanzet demonstration", now.moment, |tx| {
        tx.lock()?;
        let there = advice::imported(tx)?;
        if there.iter().any(|stored| stored.value.origin == Origin::Demonstration) {
            return Ok(());
        }
        if !there.is_empty() {
            return Err(DemoError::NotEmpty);
        }
        let demo = Demo::start(tx, now)?;
        plans::tell(tx, now, demo.holder)?;
        demo.tell(tx)
    })
}

struct Demo {
    now: Now,
    everybody: Caller,
    rules: Vec<TermRule>,
    holder: OfficeHolderId,
    number: u32,
}

type Life = Stored<Advice>;

impl Demo {
    fn start(tx: &mut Tx<'_>, now: Now) -> Result<Self, DemoError> {
        let holder = OfficeHolderId(new_id());
        let office = OfficeHolder {
            id: holder,
            office: Some("wethouder (verzonnen voorbeeld)".to_owned()),
            portfolio: Some("Mobiliteit en Buitenruimte".to_owned()),
            from: None,
            to: None,
        };
        registry::add(tx, Table::OfficeHolder, &holder.to_string(), &office, "demonstration")?;
        registry::name_person(tx, &holder.to_string(), "V. Voorbeeld")?;
        let rules: Vec<Stored<TermRule>> = registry::all(tx.reading(), Table::TermRule)?;
        let everybody = Caller {
            subject: Some("wijkaanzet demonstration".to_owned()),
            scopes: Scope::ALL.iter().map(|(scope, _, _)| *scope).collect(),
            councils: Grant::All,
            clusters: Grant::All,
        };
        Ok(Self {
            now,
            everybody,
            rules: rules.into_iter().map(|rule| rule.value).collect(),
            holder,
            number: 0,
        })
    }

    fn ago(&self, days: i64) -> NaiveDate {
        self.now.today - Duration::days(days)
    }

    /// Each life a state.
    fn tell(mut self, tx: &mut Tx<'_>) -> Result<(), DemoError> {
        let draft = self.draft(
            tx,
            "rozenburg",
            "Bankjes langs de dijk",
            AdviceKind::Unsolicited,
            Level::Neighbourhood,
            &[],
        )?;
        let life = self.draft(
            tx,
            "hoogvliet",
            "Verlichting van het fietspad",
            AdviceKind::Unsolicited,
            Level::Neighbourhood,
            &[],
        )?;
        self.adopt(tx, life, 4)?;
        let life = self.draft(
            tx,
            "kralingen",
            "Groen op het plein",
            AdviceKind::Solicited,
            Level::Neighbourhood,
            &[],
        )?;
        let life = self.adopt(tx, life, 9)?;
        self.submit(tx, life, 7)?;

        let life =
            self.received(tx, "hoek-van-holland", "Parkeren bij het strand", Level::Neighbourhood, 10, &[])?;
        self.publish(tx, life)?;
        let life = self.received(tx, "pernis", "Geluid van de snelweg", Level::City, 38, &["hoogvliet"])?;
        let life = self.treat(tx, life, 30)?;
        self.publish(tx, life)?;
        let life = self.received(
            tx,
            "rozenburg",
            "Busverbinding in de avond",
            Level::Neighbourhood,
            55,
            &["hoek-van-holland"],
        )?;
        let life = self.treat(tx, life, 50)?;
        let life = self.acknowledge(tx, life, 53)?;
        self.publish(tx, life)?;
        let life =
            self.received(tx, "vreewijk", "Onderhoud van de singel", Level::Neighbourhood, 120, &[])?;
        let life = self.extend(tx, life, 28, 60)?;
        self.publish(tx, life)?;
        let life =
            self.received(tx, "overschie", "Drempels in de dorpsstraat", Level::Neighbourhood, 30, &[])?;
        let life = self.suspend(tx, life, 12)?;
        self.publish(tx, life)?;

        let life = self.received(
            tx,
            "rozenburg",
            "Oversteek bij de school",
            Level::Neighbourhood,
            100,
            &["hoogvliet"],
        )?;
        let life = self.treat(tx, life, 95)?;
        let life = self.answer(tx, life, 65, &[PointOutcome::Adopted, PointOutcome::Adopted])?;
        let answered = self.publish(tx, life)?;
        let life = self.received(tx, "hoek-van-holland", "Woningen voor starters", Level::City, 150, &[])?;
        let life = self.extend(tx, life, 28, 130)?;
        let life = self.suspend_between(tx, life, 140, 133)?;
        let life = self.answer(tx, life, 60, &[PointOutcome::NotAdopted, PointOutcome::NeedsStudy])?;
        let life = self.publish(tx, life)?;
        let first = life.value.id;
        let life =
            self.received(tx, "tarwewijk", "Afval naast de containers", Level::Neighbourhood, 140, &[])?;
        let life = self.answer(tx, life, 80, &[PointOutcome::PartlyAdopted, PointOutcome::AlreadyPolicy])?;
        let life = self.follow_up(tx, life, FollowUpState::Running, 40)?;
        self.publish(tx, life)?;
        let life =
            self.received(tx, "nesselande", "Zwemwater van de plas", Level::Neighbourhood, 300, &[])?;
        let life = self.answer(tx, life, 265, &[PointOutcome::Adopted, PointOutcome::Adopted])?;
        let life = self.follow_up(tx, life, FollowUpState::Completed, 150)?;
        let life = self.close(tx, life, 140)?;
        self.publish(tx, life)?;

        let life = self.received(tx, "bloemhof", "Speelplek in de wijk", Level::Neighbourhood, 70, &[])?;
        let life = self.publish(tx, life)?;
        self.withdraw(tx, life, 40)?;
        let life = self.received(tx, "feijenoord", "Brug over de haven", Level::Neighbourhood, 45, &[])?;
        let life = self.publish(tx, life)?;
        self.forward_outside(tx, life, 35)?;
        let life = self.received(tx, "hoogvliet", "Nog eens de oversteek", Level::Neighbourhood, 90, &[])?;
        let life = self.publish(tx, life)?;
        self.merge(tx, life, &answered, 85)?;
        let life =
            self.received(tx, "ommoord", "Een advies met een naam erin", Level::Neighbourhood, 60, &[])?;
        let life = self.publish(tx, life)?;
        self.unpublish(tx, life)?;

        let life = self.letter(tx, "lombardijen", "Brief over de markt", 80)?;
        self.publish(tx, life)?;
        self.second_round(tx, "hoek-van-holland", "Reactie op het antwoord over woningen", first)?;
        self.registered(tx, "crooswijk", "Lindes in de laan")?;
        self.request(tx)?;
        // The first one stays the draft that nobody but its council sees.
        drop(draft);
        Ok(())
    }

    /// As a portal's list gives it: no receipt, no points, no known term. Marked in its subject and summary.
    fn registered(&mut self, tx: &mut Tx<'_>, council: &str, subject: &str) -> Result<Life, DemoError> {
        let mut text = self.text(council, subject, AdviceKind::Unsolicited, Level::Neighbourhood, &[])?;
        text.points.clear();
        text.listed_on = Some(self.ago(90));
        let listed = Listed::default();
        let advice =
            Advice::registered(AdviceId(new_id()), text, listed, None, self.now.moment, self.now.today)?;
        Ok(advice::add(tx, &advice, "import")?)
    }

    /// One request: one council says that it gives no advice, the others have not answered yet.
    fn request(&self, tx: &mut Tx<'_>) -> Result<(), DemoError> {
        let asked = AdviceRequestBody {
            subject: "Voorbeeld: Nieuwe dienstregeling".to_owned(),
            question: Some("Verzonnen voorbeeld; deze aanvraag bestaat niet.".to_owned()),
            cluster: "so".parse()?,
            policy_track: None,
            councils: vec!["rozenburg".parse()?, "hoek-van-holland".parse()?, "pernis".parse()?],
            asked_on: self.ago(20),
            wanted_by: Some(self.now.today + Duration::days(20)),
        };
        let request = AdviceRequest::ask(AdviceRequestId(new_id()), asked, self.now.today)?;
        let stored = advice_request::add(tx, &request)?;
        let refusal = NoAdviceBody { council: "pernis".parse()?, on: self.ago(5), note: None };
        let refused = request.refuse(refusal, self.now.today)?;
        advice_request::save(tx, &refused, &stored, "refusal")?;
        Ok(())
    }

    fn text(
        &mut self,
        council: &str,
        subject: &str,
        kind: AdviceKind,
        level: Level,
        others: &[&str],
    ) -> Result<AdviceText, DemoError> {
        self.number += 1;
        let cosigners = others
            .iter()
            .map(|other| Ok(Cosigner { council: other.parse::<CouncilCode>()?, signed_on: None }))
            .collect::<Result<Vec<_>, DemoError>>()?;
        Ok(AdviceText {
            kind,
            subject: format!("Voorbeeld: {subject}"),
            summary: Some("Verzonnen voorbeeld; dit advies bestaat niet.".to_owned()),
            level,
            themes: vec!["public-space".parse()?],
            councils: Councils { lead: council.parse()?, cosigners },
            points: vec![
                Point { number: 1, text: "Doe het eerste, zoals bewoners vragen.".to_owned() },
                Point { number: 2, text: "Doe daarna ook het tweede.".to_owned() },
            ],
            letter_on: None,
            listed_on: None,
            references: vec![Reference {
                system: "demonstration".to_owned(),
                value: format!("00xx{:06}", self.number),
                url: None,
            }],
            second_round_of: None,
            request: None,
        })
    }

    fn add(&self, tx: &mut Tx<'_>, text: AdviceText) -> Result<Life, DemoError> {
        let drafted = Advice::draft(AdviceId(new_id()), text, Origin::Demonstration, self.now.today)?;
        Ok(advice::add(tx, &drafted, "draft")?)
    }

    fn draft(
        &mut self,
        tx: &mut Tx<'_>,
        council: &str,
        subject: &str,
        kind: AdviceKind,
        level: Level,
        others: &[&str],
    ) -> Result<Life, DemoError> {
        let text = self.text(council, subject, kind, level, others)?;
        self.add(tx, text)
    }

    fn save(
        &self,
        tx: &mut Tx<'_>,
        before: &Life,
        event: &str,
        changed: Result<Advice, domain::RuleError>,
    ) -> Result<Life, DemoError> {
        Ok(advice::save(tx, &changed?, before, event, None)?)
    }

    fn adopt(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let mut life = life;
        let day = self.ago(ago);
        for cosigner in life.value.text.councils.cosigners.clone() {
            let hands = self.everybody.as_signatory(life.value.clone(), cosigner.council.clone())?;
            let signed =
                hands.cosign(Cosignature { council: cosigner.council, signed_on: day }, self.now.today);
            life = self.save(tx, &life, "cosignature", signed)?;
        }
        let adoption =
            Adoption { meeting_on: day, quorum: true, votes_for: 7, votes_against: 1, ratified_on: None };
        let changed = self.everybody.as_coordinator(life.value.clone())?.adopt(adoption, self.now.today);
        self.save(tx, &life, "adoption", changed)
    }

    fn submit(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let submission = Submission { submitted_on: self.ago(ago), letter_on: Some(self.ago(ago + 1)) };
        let changed = self.everybody.as_coordinator(life.value.clone())?.submit(submission, self.now.today);
        self.save(tx, &life, "submission", changed)
    }

    fn receive(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let receipt = Receipt {
            received_on: self.ago(ago),
            cluster: "so".parse()?,
            portfolio_holder: Some(self.holder),
            rule: None,
            reason: None,
            listed_on: Some(self.ago(ago - 2)),
        };
        let changed =
            self.everybody.as_cluster(life.value.clone())?.receive(receipt, &self.rules, self.now.today);
        self.save(tx, &life, "receipt", changed)
    }

    fn received(
        &mut self,
        tx: &mut Tx<'_>,
        council: &str,
        subject: &str,
        level: Level,
        ago: i64,
        others: &[&str],
    ) -> Result<Life, DemoError> {
        let life = self.draft(tx, council, subject, AdviceKind::Unsolicited, level, others)?;
        let life = self.adopt(tx, life, ago + 4)?;
        let life = self.submit(tx, life, ago + 1)?;
        self.receive(tx, life, ago)
    }

    fn letter(&mut self, tx: &mut Tx<'_>, council: &str, subject: &str, ago: i64) -> Result<Life, DemoError> {
        let life = self.draft(tx, council, subject, AdviceKind::Letter, Level::Neighbourhood, &[])?;
        let life = self.adopt(tx, life, ago + 4)?;
        let life = self.submit(tx, life, ago + 1)?;
        self.receive(tx, life, ago)
    }

    fn second_round(
        &mut self,
        tx: &mut Tx<'_>,
        council: &str,
        subject: &str,
        first: AdviceId,
    ) -> Result<Life, DemoError> {
        let mut text = self.text(council, subject, AdviceKind::Unsolicited, Level::Neighbourhood, &[])?;
        text.second_round_of = Some(first);
        let life = self.add(tx, text)?;
        let life = self.adopt(tx, life, 12)?;
        let life = self.submit(tx, life, 9)?;
        let life = self.receive(tx, life, 8)?;
        self.publish(tx, life)
    }

    fn treat(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let changed = self
            .everybody
            .as_cluster(life.value.clone())?
            .treat(Treatment { on: self.ago(ago) }, self.now.today);
        self.save(tx, &life, "treatment", changed)
    }

    fn suspend(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let body = SuspensionBody {
            from: self.ago(ago),
            decided_on: self.ago(ago),
            reason: "Wacht op een meting (verzonnen).".to_owned(),
        };
        let changed =
            self.everybody.as_cluster(life.value.clone())?.suspend(PartId(new_id()), body, self.now.today);
        self.save(tx, &life, "suspension", changed)
    }

    fn suspend_between(
        &self,
        tx: &mut Tx<'_>,
        life: Life,
        from_ago: i64,
        to_ago: i64,
    ) -> Result<Life, DemoError> {
        let life = self.suspend(tx, life, from_ago)?;
        let Some(id) = life.value.suspensions.last().map(|suspension| suspension.id) else { return Ok(life) };
        let end = SuspensionEnd { to: self.ago(to_ago) };
        match self.everybody.as_cluster(life.value.clone())?.resume(id, end, self.now.today) {
            Some(changed) => self.save(tx, &life, "suspension-end", changed),
            None => Ok(life),
        }
    }

    fn extend(&self, tx: &mut Tx<'_>, life: Life, days: u16, ago: i64) -> Result<Life, DemoError> {
        let body = ExtensionBody {
            days,
            decided_on: self.ago(ago),
            reason: "Meer tijd nodig (verzonnen).".to_owned(),
        };
        let changed =
            self.everybody.as_cluster(life.value.clone())?.extend(PartId(new_id()), body, self.now.today);
        self.save(tx, &life, "extension", changed)
    }

    fn acknowledge(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let body = self.response(ResponseKind::Acknowledgement, ago, &[], None);
        let response = NewResponse { id: PartId(new_id()), recorded_at: self.now.moment, body };
        let changed = self.everybody.as_cluster(life.value.clone())?.respond(response, self.now.today);
        self.save(tx, &life, "response", changed)
    }

    fn response(
        &self,
        kind: ResponseKind,
        ago: i64,
        outcomes: &[PointOutcome],
        considerations: Option<Considerations>,
    ) -> ResponseBody {
        let points = (1u16..)
            .zip(outcomes)
            .map(|(number, outcome)| PointResponse {
                number,
                outcome: *outcome,
                reasons: (*outcome != PointOutcome::Adopted)
                    .then(|| "Hierom niet, of niet helemaal (verzonnen).".to_owned()),
            })
            .collect();
        ResponseBody {
            kind,
            decided_on: Some(self.ago(ago)),
            sent_on: Some(self.ago(ago)),
            by: ResponseBy::Alderman,
            points,
            considerations,
            text: Some("Dank voor uw advies (verzonnen voorbeeld).".to_owned()),
            references: Vec::new(),
        }
    }

    fn answer(
        &self,
        tx: &mut Tx<'_>,
        life: Life,
        ago: i64,
        outcomes: &[PointOutcome],
    ) -> Result<Life, DemoError> {
        let considerations = life.value.needs_considerations().then(|| Considerations {
            interests: vec![Interest {
                text: "Ruimte voor woningen in de hele stad (verzonnen)".to_owned(),
                direction: InterestDirection::Against,
            }],
            weighing: "Het belang van de stad woog hier zwaarder (verzonnen).".to_owned(),
            shared_on: Some(self.ago(ago)),
        });
        let body = self.response(ResponseKind::Final, ago, outcomes, considerations);
        let response = NewResponse { id: PartId(new_id()), recorded_at: self.now.moment, body };
        let changed = self.everybody.as_college(life.value.clone())?.respond(response, self.now.today);
        self.save(tx, &life, "response", changed)
    }

    fn follow_up(
        &self,
        tx: &mut Tx<'_>,
        life: Life,
        state: FollowUpState,
        ago: i64,
    ) -> Result<Life, DemoError> {
        let follow_up = FollowUp {
            point: 1,
            state,
            on: self.ago(ago),
            due_on: Some(self.ago(ago) + Duration::days(90)),
            agreement: None,
            note: Some("Verzonnen".to_owned()),
        };
        let changed = self.everybody.as_cluster(life.value.clone())?.follow_up(follow_up, self.now.today);
        let life = self.save(tx, &life, "follow-up", changed)?;
        let council = life.value.text.councils.lead.clone();
        let rating = Rating { council: council.clone(), on: self.ago(ago), score: 3, note: None };
        let changed = self.everybody.as_signatory(life.value.clone(), council)?.rate(rating, self.now.today);
        self.save(tx, &life, "rating", changed)
    }

    fn close(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let changed = self
            .everybody
            .as_cluster(life.value.clone())?
            .close(Closure { on: self.ago(ago) }, self.now.today);
        self.save(tx, &life, "closure", changed)
    }

    fn withdraw(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let body =
            WithdrawalBody { on: self.ago(ago), reason: "De vraag is opgelost (verzonnen).".to_owned() };
        let changed = self.everybody.as_coordinator(life.value.clone())?.withdraw(body, self.now.today);
        self.save(tx, &life, "withdrawal", changed)
    }

    fn forward_outside(&self, tx: &mut Tx<'_>, life: Life, ago: i64) -> Result<Life, DemoError> {
        let body = Forwarding {
            on: self.ago(ago),
            cluster: None,
            body: Some("Havenbedrijf (verzonnen voorbeeld)".to_owned()),
            reason: None,
        };
        let changed = self.everybody.as_cluster(life.value.clone())?.forward(body, self.now.today);
        self.save(tx, &life, "forwarding", changed)
    }

    fn merge(&self, tx: &mut Tx<'_>, life: Life, into: &Life, ago: i64) -> Result<Life, DemoError> {
        let body = Merge { into: into.value.id, on: self.ago(ago), reason: None };
        let changed = self.everybody.as_cluster(life.value.clone())?.merge(body, &into.value, self.now.today);
        self.save(tx, &life, "merge", changed)
    }

    fn publish(&self, tx: &mut Tx<'_>, life: Life) -> Result<Life, DemoError> {
        let changed = self.everybody.as_publisher(life.value.clone())?.publish(self.now.moment);
        self.save(tx, &life, "publication", changed)
    }

    fn unpublish(&self, tx: &mut Tx<'_>, life: Life) -> Result<Life, DemoError> {
        let body = UnpublicationBody { reason: "Er stond een naam in (verzonnen voorbeeld).".to_owned() };
        let changed = self.everybody.as_publisher(life.value.clone())?.unpublish(body, self.now.moment);
        self.save(tx, &life, "unpublication", changed)
    }
}
