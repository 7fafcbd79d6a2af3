use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::*;
use crate::accord::Accord;
use crate::agreement::Agreement;
use crate::codes::{AgreementSize, AgreementState, Colour, CommitmentState, ProgressState};
use crate::collegetarget;
use crate::commitment::Commitment;
use crate::import::FileProblem;
use crate::reference::built_in;

const AGREEMENTS: &str =
    "council,planYear,number,title,size,cluster,party,agreedOn,dueOn,ongoingReason,themes,reference\n";
const PROGRESS: &str = "council,planYear,number,state,on,reason,evidenceUrl\n";
const JUDGEMENTS: &str = "council,planYear,number,colour,realised,on,note\n";
const COMMITMENTS: &str = "number,kind,title,madeOn,expectedOn,cluster,settledOn\n";
const MEASUREMENTS: &str = "target,referenceOn,knownAt,definitionVersion,realisedPermille,runningPermille,\
    notRealisedPermille,agreements,source\n";

const BENCH: &str = "rozenburg,2026,1.1,Bankje bij de kerk,small,so,,2026-04-01,2026-12-31,,mobility,WP-7\n";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// What stands in the database, and files that are imported into it one after the other.
struct World {
    known: Known,
    ids: u128,
    make_accords: bool,
}

impl World {
    fn new() -> Self {
        let reference = built_in();
        let known = Known {
            councils: reference.councils,
            clusters: reference.clusters,
            themes: reference.themes,
            terms_of_office: reference.terms_of_office,
            targets: vec![collegetarget::built_in(DateTime::<Utc>::UNIX_EPOCH)],
            ..Known::default()
        };
        Self { known, ids: 0, make_accords: true }
    }

    fn with_bench() -> Self {
        let mut world = Self::new();
        assert_eq!(world.actions(Source::Agreements, &[AGREEMENTS, BENCH]), ["created"]);
        world
    }

    /// Plans, and carries out as the database would.
    fn import(&mut self, source: Source, lines: &[&str]) -> Plan {
        let file = parse(source, lines.concat().as_bytes()).unwrap();
        let settings = Settings {
            today: day("2026-11-23"),
            moment: "2026-11-23T11:00:00Z".parse().unwrap(),
            make_accords: self.make_accords,
        };
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        let plan = plan(&file, self.known.clone(), settings, &mut new_id);
        merge(&mut self.known.accords, &plan.accords, |item| item.id.0);
        merge(&mut self.known.agreements, &plan.agreements, |item| item.id.0);
        merge(&mut self.known.commitments, &plan.commitments, |item| item.id.0);
        merge(&mut self.known.targets, &plan.targets, |item| item.id.0);
        plan
    }

    fn actions(&mut self, source: Source, lines: &[&str]) -> Vec<&'static str> {
        self.import(source, lines).decisions.iter().map(|decision| name(&decision.action)).collect()
    }

    /// Why each row has no place.
    fn reasons(&mut self, source: Source, lines: &[&str]) -> Vec<String> {
        let decisions = self.import(source, lines).decisions;
        let reasons = decisions.into_iter().map(|decision| match decision.action {
            Action::Unplaced { reason } => reason,
            placed => panic!("line {} is placed: {placed:?}", decision.line),
        });
        reasons.collect()
    }

    fn only_agreement(&self) -> &Agreement {
        let [agreement] = self.known.agreements.as_slice() else { panic!("{:?}", self.known.agreements) };
        agreement
    }

    fn only_accord(&self) -> &Accord {
        let [accord] = self.known.accords.as_slice() else { panic!("{:?}", self.known.accords) };
        accord
    }

    fn only_commitment(&self) -> &Commitment {
        let [commitment] = self.known.commitments.as_slice() else { panic!("{:?}", self.known.commitments) };
        commitment
    }
}

fn merge<T: Clone>(known: &mut Vec<T>, written: &[T], id: impl Fn(&T) -> Uuid) {
    for item in written {
        match known.iter().position(|other| id(other) == id(item)) {
            Some(place) => known[place] = item.clone(),
            None => known.push(item.clone()),
        }
    }
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Change => "changed",
        Action::Record => "recorded",
        Action::Unchanged => "unchanged",
        Action::Unplaced { .. } => "unplaced",
    }
}

fn is_nothing(plan: &Plan) -> bool {
    let Plan { decisions: _, accords, agreements, commitments, targets } = plan;
    accords.is_empty() && agreements.is_empty() && commitments.is_empty() && targets.is_empty()
}

#[test]
fn a_spreadsheets_file_reads_like_a_plain_one() {
    let plain = parse(Source::Agreements, [AGREEMENTS, BENCH].concat().as_bytes()).unwrap();
    let saved = format!("\u{feff}{}", [AGREEMENTS, BENCH].concat().replace(',', ";").replace('\n', "\r\n"));
    let saved = parse(Source::Agreements, saved.as_bytes()).unwrap();
    assert_eq!(plain.rows, saved.rows);
    assert_eq!(saved.notes, ["the columns are separated by semicolons"]);
    let other_case =
        parse(Source::Agreements, [&AGREEMENTS.to_uppercase(), BENCH].concat().as_bytes()).unwrap();
    assert_eq!(plain, other_case);
}

#[test]
fn columns_that_are_missing_or_not_known_are_named() {
    let problem = |source, header: &str| parse(source, header.as_bytes()).unwrap_err();
    let extra = JUDGEMENTS.replace("note", "note,mood,Weather");
    assert_eq!(
        problem(Source::Judgements, &extra).to_string(),
        "these columns are not known: \"mood\", \"weather\"; \
         this file may have council, planYear, number, colour, realised, on, note"
    );
    assert!(matches!(
        problem(Source::Progress, "council,planYear,number,state,on,reason\n"),
        FileProblem::MissingColumn { column: "evidenceUrl", .. }
    ));
    assert_eq!(
        problem(Source::Progress, "council,council,planYear,number,state,on,reason,evidenceUrl\n"),
        FileProblem::DoubleColumn { column: "council" }
    );
    assert_eq!(problem(Source::Commitments, " \n"), FileProblem::Empty);
    let without_optional = AGREEMENTS.replace(",themes,reference", "");
    assert!(parse(Source::Agreements, without_optional.as_bytes()).is_ok());
}

#[test]
fn a_row_reads_the_same_in_both_languages() {
    let said = |source, text: String| {
        let file = parse(source, text.as_bytes()).unwrap();
        file.rows.into_iter().map(|row| row.said.unwrap()).collect::<Vec<_>>()
    };
    for (english, dutch) in [
        ("planned", "Gepland"),
        ("running", "loopt"),
        ("RUNNING", "in uitvoering"),
        ("delayed", "vertraagd"),
        ("reported_done", "Gereed"),
        ("Reported done", "gereed gemeld"),
        ("stopped", "GESTOPT"),
    ] {
        let row = |state| format!("Rozenburg,2026,1.1,{state},2026-05-01,omdat,\n");
        let rows = said(Source::Progress, [PROGRESS, &row(english), &row(dutch)].concat());
        assert_eq!(rows[0], rows[1], "{english}");
    }
    for (english, dutch) in
        [("green,true", "groen,ja"), ("orange,FALSE", "Oranje,nee"), ("red,false", "rood,ONWAAR")]
    {
        let row = |judged| format!("Rozenburg,2026,1.1,{judged},2026-05-01,\n");
        let rows = said(Source::Judgements, [JUDGEMENTS, &row(english), &row(dutch)].concat());
        assert_eq!(rows[0], rows[1], "{english}");
    }
    let rows = said(Source::Agreements, [AGREEMENTS, BENCH, &BENCH.replace("small", "Klein")].concat());
    assert_eq!(rows[0], rows[1]);
    let rows = said(
        Source::Commitments,
        [COMMITMENTS, "26bb1,motion,T,2026-01-01,,,\n", "26bb1,Motie,T,2026-01-01,,,\n"].concat(),
    );
    assert_eq!(rows[0], rows[1]);
}

#[test]
fn what_cannot_be_read_says_which_column() {
    let mut world = World::with_bench();
    let rows = [
        (",2026,1.1,green,true,2026-05-01,\n", "council is empty"),
        ("rozenburg,26,1.1,green,true,2026-05-01,\n", "planYear is no whole number from 1900 to 2200"),
        ("rozenburg,2026,1.1.,green,true,2026-05-01,\n", "number is no number like 1.1.2"),
        ("rozenburg,2026,A1,green,true,2026-05-01,\n", "number is no number like 1.1.2"),
        ("rozenburg,2026,1.1,blue,true,2026-05-01,\n", "colour is none of green, orange, red"),
        ("rozenburg,2026,1.1,green,maybe,2026-05-01,\n", "realised is none of true, false"),
        ("rozenburg,2026,1.1,green,true,1-5-2026,\n", "on is no date like 2026-01-31"),
        ("rozenburg,2026,1.1,green,true,2026-02-30,\n", "on is no date like 2026-01-31"),
        ("rozenburg,2026,1.1,green,true,,\n", "on is empty"),
        ("rozenburg,2026,1.1,green,true,2026-05-01\n", "has 6 fields where the header has 7"),
        (",,,,,,\n", "the row is empty"),
    ];
    for (row, reason) in rows {
        assert_eq!(world.reasons(Source::Judgements, &[JUDGEMENTS, row]), [reason], "{row}");
    }
    assert!(world.only_agreement().judgements.is_empty());
}

#[test]
fn an_agreement_is_made_with_the_accord_of_its_term_of_office() {
    let mut world = World::new();
    let row = "Dorpsraad ROZENBURG,2023,1.1.2,\"Veilig, naar school\",groot,Stads-ontwikkeling,Woonstad,2023-02-01,\
        2023-12-31,,Energietransitie|public-space,\n";
    let plan = world.import(Source::Agreements, &[AGREEMENTS, row, &row.replace("1.1.2", "1.1.3")]);
    assert_eq!(plan.decisions[0].why[1], "made for it: Wijkakkoord Rozenburg 2022-2026, unpublished");
    assert_eq!(plan.decisions[1].why.len(), 1, "the second finds the accord of the first");
    let accord = world.only_accord();
    assert_eq!((accord.text.from, accord.text.to), (day("2022-03-16"), day("2026-03-17")));
    assert!(!accord.publication.is_public());
    let agreement = &world.known.agreements[0];
    assert_eq!(
        (agreement.council.as_str(), agreement.text.accord, agreement.text.size),
        ("rozenburg", accord.id, AgreementSize::Large)
    );
    assert_eq!(agreement.text.title, "Veilig, naar school");
    assert_eq!(agreement.text.owner.cluster.as_ref().unwrap().as_str(), "so");
    let themes: Vec<&str> = agreement.text.themes.iter().map(|theme| theme.as_str()).collect();
    assert_eq!(themes, ["energy-transition", "public-space"]);
    assert!(agreement.text.references.is_empty());
}

#[test]
fn the_end_of_a_term_that_has_none_yet_is_said_to_be_taken() {
    let mut world = World::new();
    let plan = world.import(Source::Agreements, &[AGREEMENTS, BENCH]);
    assert!(plan.decisions[0].why.iter().any(|why| why.contains("four years are taken")), "{plan:?}");
    assert_eq!(world.only_accord().text.to, day("2030-03-17"));
    assert_eq!(world.only_accord().text.title, "Wijkakkoord Rozenburg 2026-2030");
}

#[test]
fn without_an_accord_an_agreement_has_no_place() {
    let mut world = World::new();
    world.make_accords = false;
    let reasons = world.reasons(Source::Agreements, &[AGREEMENTS, BENCH]);
    assert_eq!(reasons, ["no accord of the council on that day; add it first"]);
    world.make_accords = true;
    let early = BENCH.replace("2026-04-01", "2021-04-01");
    assert_eq!(
        world.reasons(Source::Agreements, &[AGREEMENTS, &early]),
        ["no term of office holds on that day"]
    );
    // What breaks a rule makes no accord either.
    let late = BENCH.replace("2026-12-31", "2026-01-01");
    assert_eq!(
        world.reasons(Source::Agreements, &[AGREEMENTS, &late]),
        ["/dueOn lies before the day it was agreed, 2026-04-01"]
    );
    assert!(world.known.accords.is_empty() && world.known.agreements.is_empty());
}

#[test]
fn no_accord_is_made_beside_one_of_the_same_term() {
    let mut world = World::with_bench();
    world.known.accords[0].text.from = day("2026-06-01");
    let other = BENCH.replace("1.1", "1.2");
    let reasons = world.reasons(Source::Agreements, &[AGREEMENTS, &other]);
    assert!(reasons[0].contains("one on other days of that term"), "{reasons:?}");
    let mut second = world.known.accords[0].clone();
    second.id.0 = Uuid::from_u128(99);
    world.known.accords.push(second);
    let later = other.replace("2026-04-01", "2026-07-01");
    let reasons = world.reasons(Source::Agreements, &[AGREEMENTS, &later]);
    assert_eq!(reasons, ["more than one accord of the council holds on that day"]);
}

#[test]
fn names_that_are_not_known_leave_a_row_without_a_place() {
    let mut world = World::new();
    for (from, to, reason) in [
        ("rozenburg", "Schiedam", "council is not the code or a name of a council; see /v1/councils"),
        (",so,", ",sox,", "cluster is not the code or name of a cluster; see /v1/clusters"),
        ("mobility", "mobility|fun", "the theme 'fun' is not the code or name of one; see /v1/themes"),
        (",so,", ",,", "/owner name a cluster, an outside party, or both"),
        ("mobility", "mobility|Mobility", "/themes/1 stands in the list twice"),
        ("2026-12-31,", ",", "/dueOn send dueOn, or ongoingReason for an ongoing agreement"),
        ("2026-04-01", "2026-11-24", "/agreedOn lies after today, 2026-11-23"),
    ] {
        let row = BENCH.replacen(from, to, 1);
        // Without its day an ongoing reason is not there either: the row keeps its twelve fields.
        let row = if from == "2026-12-31," { BENCH.replacen("2026-12-31", "", 1) } else { row };
        assert_eq!(world.reasons(Source::Agreements, &[AGREEMENTS, &row]), [reason]);
    }
    assert!(world.known.agreements.is_empty());
}

#[test]
fn an_agreement_is_changed_only_where_the_row_differs() {
    let mut world = World::with_bench();
    world.known.agreements[0].text.description = Some("Van hout".to_owned());
    assert!(is_nothing(&world.import(Source::Agreements, &[AGREEMENTS, BENCH])));
    let row = BENCH.replace("small", "large").replace("WP-7", "WP-8");
    let plan = world.import(Source::Agreements, &[AGREEMENTS, &row]);
    assert_eq!(plan.decisions[0].action, Action::Change);
    assert_eq!(plan.decisions[0].why, ["the row has another size, reference"]);
    let text = &world.only_agreement().text;
    assert_eq!((text.size, text.description.as_deref()), (AgreementSize::Large, Some("Van hout")));
    assert_eq!(text.references.len(), 1);
    assert_eq!(text.references[0].value, "WP-8");
    // A file without the optional columns says nothing of them.
    let header = AGREEMENTS.replace(",themes,reference", "");
    let short = row.replace(",mobility,WP-8", "");
    assert_eq!(world.actions(Source::Agreements, &[&header, &short]), ["unchanged"]);
    // Outside its accord it is not moved.
    let earlier = row.replace("2026-04-01", "2025-04-01");
    let reasons = world.reasons(Source::Agreements, &[AGREEMENTS, &earlier]);
    assert_eq!(reasons, ["the agreement stands in an accord that does not hold on agreedOn"]);
}

#[test]
fn rows_of_one_file_do_not_overrule_each_other() {
    let mut world = World::new();
    let other = BENCH.replace("Bankje", "Tafel");
    let rows = [AGREEMENTS, BENCH, BENCH, &other];
    let first = world.import(Source::Agreements, &rows);
    let names: Vec<&str> = first.decisions.iter().map(|decision| name(&decision.action)).collect();
    assert_eq!(names, ["created", "unchanged", "unplaced"]);
    assert_eq!(first.agreements.len(), 1);
    assert_eq!(
        first.decisions[2].action,
        Action::Unplaced { reason: "line 2 has the same number and another title".to_owned() }
    );
    let second = world.import(Source::Agreements, &rows);
    assert!(is_nothing(&second));
    assert_eq!(second.decisions[2].action, first.decisions[2].action);
    assert_eq!(world.only_agreement().text.title, "Bankje bij de kerk");
}

#[test]
fn a_number_that_two_agreements_of_a_council_have_is_no_key() {
    let mut world = World::with_bench();
    let mut twin = world.known.agreements[0].clone();
    twin.id.0 = Uuid::from_u128(99);
    world.known.agreements.push(twin);
    let row = "rozenburg,2026,1.1,green,true,2026-05-01,\n";
    assert_eq!(
        world.reasons(Source::Judgements, &[JUDGEMENTS, row]),
        ["more than one agreement of the council has that number in that plan year"]
    );
}

#[test]
fn progress_is_recorded_once() {
    let mut world = World::with_bench();
    let rows = [
        PROGRESS,
        "de dorpsraad Rozenburg,2026,1.1,loopt,2026-05-01,,https://example.test/bank\n",
        "rozenburg,2026,1.1,running,2026-05-01,anders,\n",
        "rozenburg,2026,1.1,vertraagd,2026-06-01,\"Vergunning\nlaat op zich wachten\",\n",
        "rozenburg,2026,1.1,delayed,2026-07-01,,\n",
        "rozenburg,2026,1.1,gereed,2026-03-31,,\n",
        "rozenburg,2026,1.1,gereed,2026-11-24,,\n",
        "rozenburg,2026,9.9,gereed,2026-05-01,,\n",
        "rozenburg,2026,1.1,loopt,2026-05-02,,ftp://example.test\n",
    ];
    let plan = world.import(Source::Progress, &rows);
    let names: Vec<&str> = plan.decisions.iter().map(|decision| name(&decision.action)).collect();
    assert_eq!(names[..3], ["recorded", "unchanged", "recorded"]);
    assert_eq!(names[3..], ["unplaced"; 5]);
    assert!(plan.decisions[1].why[0].ends_with("another reason or evidence was not taken over"));
    let reasons: Vec<&str> = plan.decisions[3..]
        .iter()
        .map(|decision| match &decision.action {
            Action::Unplaced { reason } => reason.as_str(),
            _ => "",
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "/reason 'delayed' needs a reason",
            "/on lies before the day it was agreed, 2026-04-01",
            "/on lies after today, 2026-11-23",
            "the council has no agreement with that number in that plan year; import it first",
            "evidenceUrl is no web address",
        ]
    );
    assert_eq!(plan.agreements.len(), 1, "an agreement is written once, whatever it gained");
    let progress = &world.only_agreement().progress;
    assert_eq!(progress.len(), 2);
    assert_eq!(progress[1].state, ProgressState::Delayed);
    assert_eq!(progress[1].reason.as_deref(), Some("Vergunning\nlaat op zich wachten"));
    assert!(is_nothing(&world.import(Source::Progress, &rows)));
}

#[test]
fn a_judgement_decides_where_an_agreement_stands() {
    let mut world = World::with_bench();
    let rows = [
        JUDGEMENTS,
        "Rozenburg,2026,1.1,oranje,nee,2026-06-01,Nog niet\n",
        "Rozenburg,2026,1.1,groen,ja,2026-10-01,\n",
        "Rozenburg,2026,1.1,rood,ja,2026-10-02,\n",
    ];
    assert_eq!(world.actions(Source::Judgements, &rows), ["recorded", "recorded", "unplaced"]);
    let agreement = world.only_agreement();
    assert_eq!(agreement.judgements[0].colour, Colour::Orange);
    assert_eq!(agreement.state_on(day("2026-09-30")), AgreementState::Planned);
    assert_eq!(agreement.state_on(day("2026-10-01")), AgreementState::Realised);
    assert_eq!(world.actions(Source::Judgements, &rows), ["unchanged", "unchanged", "unplaced"]);
    assert_eq!(
        world.reasons(Source::Judgements, &[JUDGEMENTS, rows[3]]),
        ["/colour what is realised is green"]
    );
}

#[test]
fn a_commitment_is_known_by_its_number_and_settled_once() {
    let mut world = World::new();
    let open = "  26bb000123 ,toezegging,Bankjes,2026-02-01,2026-12-31,Stadsbeheer,\n";
    assert_eq!(world.actions(Source::Commitments, &[COMMITMENTS, open]), ["created"]);
    assert_eq!(world.actions(Source::Commitments, &[COMMITMENTS, open]), ["unchanged"]);
    let settled = "26bb000123,undertaking,Bankjes,2026-02-01,2026-12-31,sb,2026-09-01\n";
    assert_eq!(world.actions(Source::Commitments, &[COMMITMENTS, settled]), ["recorded"]);
    assert_eq!(world.only_commitment().settled_on(), Some(day("2026-09-01")));
    assert_eq!(world.actions(Source::Commitments, &[COMMITMENTS, settled, open]), ["unchanged"; 2]);
    let otherwise = settled.replace("2026-09-01", "2026-10-01");
    assert_eq!(
        world.reasons(Source::Commitments, &[COMMITMENTS, &otherwise]),
        ["is settled already, on 2026-09-01"]
    );
    let renamed = settled.replace("Bankjes", "Banken");
    assert_eq!(world.actions(Source::Commitments, &[COMMITMENTS, &renamed]), ["changed"]);
    assert_eq!(world.only_commitment().text.title, "Banken");
    assert_eq!(world.only_commitment().state_on(day("2026-11-23")), CommitmentState::Settled);
    let early = "26bb000124,motie,Te vroeg,2026-02-01,,,2026-01-31\n";
    assert_eq!(
        world.reasons(Source::Commitments, &[COMMITMENTS, early]),
        ["/on lies before the day it was made, 2026-02-01"]
    );
    assert_eq!(world.known.commitments.len(), 1, "a commitment that cannot be settled is not made either");
}

#[test]
fn a_measurement_is_recorded_beside_others_and_never_over_one() {
    let mut world = World::new();
    let target = world.known.targets[0].clone();
    let by_statement = format!(
        "\" {}\",2024-12-31,2025-02-01T12:00:00+01:00,1,650,320,30,1500,Jaarverslag 2024\n",
        target.text.statement
    );
    let by_id = by_statement.replace(&format!("\" {}\"", target.text.statement), &target.id.to_string());
    let rows = [MEASUREMENTS, &by_statement, &by_id];
    assert_eq!(world.actions(Source::Measurements, &rows), ["recorded", "unchanged"]);
    let measured = &world.known.targets[0].measurements[1].measured;
    assert_eq!((measured.realised_permille, measured.agreements), (650, Some(1500)));
    assert_eq!(measured.known_at, Some("2025-02-01T11:00:00Z".parse().unwrap()));
    for (from, to, reason) in [
        (
            ",1,650",
            ",,650",
            "definitionVersion is empty: without the version of the definition a figure says nothing",
        ),
        (
            "650,320",
            "640,330",
            "that source gave other figures for that day already; a measurement is not overwritten",
        ),
        ("Jaarverslag", "Ander", ""),
        (",1,650", ",2,650", "/definitionVersion is no version of the metric's definition; see /v1/metrics"),
        ("2024-12-31", "2024-11-30", ""),
        ("650,320", "1001,0", "realisedPermille is no whole number from 0 to 1000"),
        ("2025-02-01T12:00:00+01:00", "2025-02-01", "knownAt is no moment like 2026-01-31T12:00:00+01:00"),
    ] {
        let row = by_id.replace(from, to);
        match reason {
            "" => {
                assert_eq!(world.actions(Source::Measurements, &[MEASUREMENTS, &row]), ["recorded"], "{to}")
            }
            reason => assert_eq!(world.reasons(Source::Measurements, &[MEASUREMENTS, &row]), [reason]),
        }
    }
    let other_day = by_id.replace("2024-12-31", "2025-12-31").replace("650,320", "650,330");
    assert_eq!(
        world.reasons(Source::Measurements, &[MEASUREMENTS, &other_day]),
        ["/realisedPermille the three buckets are 1000 together, not 1010"]
    );
    let nobodys = by_id.replace(&target.id.to_string(), "Alles is goed");
    assert_eq!(
        world.reasons(Source::Measurements, &[MEASUREMENTS, &nobodys]),
        ["target is neither the id nor the statement of a target"]
    );
    world.known.targets.push(target);
    world.known.targets[1].id.0 = Uuid::from_u128(99);
    assert_eq!(
        world.reasons(Source::Measurements, &[MEASUREMENTS, &by_statement]),
        ["more than one target has that statement; give its id"]
    );
}
