//! Every closed list of codes, with its Dutch and English label. `GET /v1/codes` is made from this file.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A code of a closed list, as `GET /v1/codes` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeLabel {
    /// The list, named after the field that carries it.
    #[schema(example = "outcome")]
    pub list: String,
    /// The code as it stands in JSON.
    #[schema(example = "partly_adopted")]
    pub code: String,
    /// Dutch label (Nederlands).
    #[schema(example = "deels overgenomen")]
    pub dutch: String,
    /// English label.
    #[schema(example = "partly adopted")]
    pub english: String,
}

/// A text that is not in the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not one of the codes of this list")]
pub struct UnknownCode;

macro_rules! codes {
    ($( $(#[$doc:meta])* $name:ident $list:literal { $( $(#[$vdoc:meta])* $variant:ident $code:literal $dutch:literal $english:literal )+ } )+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            pub enum $name {
                $(
                    #[doc = concat!($english, " (", $dutch, ")")]
                    $(#[$vdoc])*
                    #[serde(rename = $code)]
                    $variant,
                )+
            }

            impl $name {
                /// Every code of the list, in its natural order.
                pub const ALL: &'static [Self] = &[$(Self::$variant),+];

                /// The code as it stands in JSON.
                pub const fn as_str(self) -> &'static str {
                    match self { $(Self::$variant => $code),+ }
                }

                /// The Dutch label.
                pub const fn dutch(self) -> &'static str {
                    match self { $(Self::$variant => $dutch),+ }
                }
            }

            // By hand: utoipa's derive does not see a rename that comes out of a macro.
            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                    let meanings = [$(concat!("`", $code, "`: ", $english, " (", $dutch, ")")),+].join("; ");
                    utoipa::openapi::schema::ObjectBuilder::new()
                        .schema_type(utoipa::openapi::schema::Type::String)
                        .enum_values(Some([$($code),+]))
                        .description(Some(format!("One of {meanings}.")))
                        .into()
                }
            }

            impl ToSchema for $name {}

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(self.as_str())
                }
            }

            impl std::str::FromStr for $name {
                type Err = UnknownCode;
                fn from_str(text: &str) -> Result<Self, UnknownCode> {
                    match text { $($code => Ok(Self::$variant),)+ _ => Err(UnknownCode) }
                }
            }
        )+

        /// All lists, in one.
        pub fn all() -> Vec<CodeLabel> {
            [$( $( ($list, $code, $dutch, $english) ),+ ),+]
                .into_iter()
                .map(|(list, code, dutch, english)| CodeLabel {
                    list: list.to_owned(),
                    code: code.to_owned(),
                    dutch: dutch.to_owned(),
                    english: english.to_owned(),
                })
                .collect()
        }
    };
}

codes! {
    /// Kind of an advice (soort advies).
    AdviceKind "kind" {
        Solicited "solicited" "gevraagd advies" "solicited advice"
        Unsolicited "unsolicited" "ongevraagd advies" "unsolicited advice"
        Consultation "consultation" "consultatie" "consultation"
        Viewpoint "viewpoint" "zienswijze" "viewpoint"
        UrgentLetter "urgent_letter" "brandbrief" "urgent letter"
        Letter "letter" "brief" "letter"
    }

    /// How far the subject of an advice reaches (reikwijdte).
    Level "level" {
        Neighbourhood "neighbourhood" "wijk" "neighbourhood"
        CrossNeighbourhood "cross_neighbourhood" "wijkoverstijgend" "cross-neighbourhood"
        City "city" "stedelijk" "city"
    }

    /// Where an advice stands in the process; derived from what happened, never typed in (status).
    AdviceStatus "status" {
        Draft "draft" "concept" "draft"
        Adopted "adopted" "vastgesteld" "adopted by the council"
        Submitted "submitted" "ingediend" "submitted"
        Received "received" "ontvangen" "received"
        InTreatment "in_treatment" "in behandeling" "in treatment"
        Answered "answered" "beantwoord" "answered"
        InFollowUp "in_follow_up" "in opvolging" "in follow-up"
        Closed "closed" "afgesloten" "closed"
        Withdrawn "withdrawn" "ingetrokken" "withdrawn"
        Merged "merged" "samengevoegd" "merged into another advice"
        Forwarded "forwarded" "doorgezonden" "forwarded to whom it concerns"
        Registered "registered" "geregistreerd" "registered from a portal's list"
    }

    /// What the college did with one point of an advice (uitkomst van een adviespunt).
    PointOutcome "points.outcome" {
        Adopted "adopted" "overgenomen" "adopted"
        PartlyAdopted "partly_adopted" "deels overgenomen" "partly adopted"
        NotAdopted "not_adopted" "niet overgenomen" "not adopted"
        AlreadyPolicy "already_policy" "al staand beleid" "already policy"
        AlreadyDone "already_done" "al uitgevoerd" "already done"
        NeedsStudy "needs_study" "nader onderzoek" "needs study"
        OtherProcess "other_process" "ander proces" "belongs to another process"
        NotCompetent "not_competent" "niet bevoegd" "not competent"
    }

    /// What the college did with an advice as a whole; derived from its points (uitkomst).
    Outcome "outcome" {
        Adopted "adopted" "overgenomen" "adopted"
        PartlyAdopted "partly_adopted" "deels overgenomen" "partly adopted"
        NotAdopted "not_adopted" "niet overgenomen" "not adopted"
        AlreadyPolicy "already_policy" "al staand beleid" "already policy"
        AlreadyDone "already_done" "al uitgevoerd" "already done"
        NeedsStudy "needs_study" "nader onderzoek" "needs study"
        OtherProcess "other_process" "ander proces" "belongs to another process"
        NotCompetent "not_competent" "niet bevoegd" "not competent"
        /// Only of an advice as a whole: its points differ and none was adopted, not even partly.
        Mixed "mixed" "wisselend" "mixed"
    }

    /// Where the answer term of an advice stands on a given day (stand van de termijn).
    TermState "term.state" {
        NotReceived "not_received" "nog niet ontvangen" "not yet received"
        Running "running" "loopt" "running"
        DueSoon "due_soon" "bijna verlopen" "due soon"
        Late "late" "te laat" "late"
        VeryLate "very_late" "veel te laat" "very late"
        Suspended "suspended" "opgeschort" "suspended"
        AnsweredInTime "answered_in_time" "op tijd beantwoord" "answered in time"
        AnsweredLate "answered_late" "te laat beantwoord" "answered late"
        Ended "ended" "geëindigd zonder antwoord" "ended without an answer"
        NoNorm "no_norm" "geen termijn" "no norm applies"
        Unknown "unknown" "onbekend" "unknown"
    }

    /// On what a term rule rests (status van de termijnregel).
    RuleStatus "ruleStatus" {
        Adopted "adopted" "vastgesteld" "adopted"
        Assumption "assumption" "aanname" "assumption"
    }

    /// What the days of a term rule count (eenheid).
    DayUnit "unit" {
        CalendarDays "calendar_days" "kalenderdagen" "calendar days"
        WorkingDays "working_days" "werkdagen" "working days"
    }

    /// Kind of a response of the college (soort collegereactie).
    ResponseKind "responses.kind" {
        Acknowledgement "acknowledgement" "ontvangstbevestiging" "acknowledgement"
        Interim "interim" "tussenbericht" "interim message"
        Final "final" "reactie" "final response"
        Revised "revised" "herziene reactie" "revised response"
    }

    /// Who gives a response (afzender van de reactie).
    ResponseBy "responses.by" {
        College "college" "college van burgemeester en wethouders" "college of mayor and aldermen"
        Alderman "alderman" "wethouder" "alderman"
        Mayor "mayor" "burgemeester" "mayor"
        Official "official" "ambtenaar namens het college" "official on behalf of the college"
    }

    /// Which way an interest weighs (richting van een belang).
    InterestDirection "considerations.interests.direction" {
        For "for" "voor het advies" "in favour of the advice"
        Against "against" "tegen het advies" "against the advice"
        Neutral "neutral" "neutraal" "neutral"
    }

    /// Whether the public may see an advice (openbaarheid).
    PublicationState "publication.state" {
        Unpublished "unpublished" "niet gepubliceerd" "not published"
        Published "published" "gepubliceerd" "published"
        Withdrawn "withdrawn" "publicatie ingetrokken" "withdrawn from publication"
    }

    /// Where an advice came from (herkomst).
    Origin "origin" {
        Entered "entered" "ingevoerd" "entered through the API"
        Import "import" "geïmporteerd" "imported from a portal's list"
        Demonstration "demonstration" "verzonnen voorbeeld" "made-up example"
    }

    /// What happened to an adopted point (stand van de opvolging).
    FollowUpState "followUp.state" {
        Planned "planned" "gepland" "planned"
        Running "running" "in uitvoering" "running"
        Completed "completed" "afgerond" "completed"
        Stopped "stopped" "gestopt" "stopped"
    }

    /// Wijkraad or dorpsraad: a label. No rule, term or right depends on it.
    CouncilKind "councils.kind" {
        Wijkraad "wijkraad" "wijkraad" "neighbourhood council"
        Dorpsraad "dorpsraad" "dorpsraad" "village council"
    }

    /// What a council did with a request for advice (reactie op de adviesaanvraag).
    RequestReply "adviceRequests.reply" {
        Open "open" "nog open" "still open"
        Advised "advised" "advies uitgebracht" "gave advice"
        NoAdvice "no_advice" "geen advies" "says: no advice"
    }

    /// On what a term rule puts a term (waarop de termijnregel ziet).
    TermSubject "termRules.appliesTo" {
        Advice "advice" "antwoord op een advies" "the answer to an advice"
        Finding "finding" "reactie op een bevinding" "the reply to a finding"
    }

    /// Whether an agreement is a large or a small one (groot of klein).
    AgreementSize "agreements.size" {
        Large "large" "groot" "large"
        Small "small" "klein" "small"
    }

    /// What the organisation says of an agreement (voortgang).
    ProgressState "progress.state" {
        Planned "planned" "gepland" "planned"
        Running "running" "in uitvoering" "running"
        Delayed "delayed" "vertraagd" "delayed"
        ReportedDone "reported_done" "gereed gemeld" "reported done"
        Stopped "stopped" "gestopt" "stopped"
    }

    /// The colour of a council's judgement (kleur van het oordeel).
    Colour "judgements.colour" {
        Green "green" "groen: het gaat goed" "green: going well"
        Orange "orange" "oranje: aandacht nodig" "orange: needs attention"
        Red "red" "rood: niet gerealiseerd en dat komt er ook niet van" "red: not realised and will not be"
    }

    /// Where an agreement stands; derived from what the organisation and the council say, never typed in (stand van de afspraak).
    AgreementState "agreements.state" {
        Planned "planned" "gepland" "planned"
        Running "running" "in uitvoering" "running"
        Delayed "delayed" "vertraagd" "delayed"
        ReportedDone "reported_done" "gereed gemeld, nog niet beoordeeld" "reported done, not yet judged"
        Disputed "disputed" "omstreden: de organisatie zegt gereed, de raad niet" "disputed: the organisation says done, the council does not"
        Realised "realised" "gerealiseerd volgens de raad" "realised in the judgement of the council"
        NotRealised "not_realised" "niet gerealiseerd en komt er niet van, volgens de raad" "not realised and will not be, in the judgement of the council"
        Stopped "stopped" "gestopt door de organisatie" "stopped by the organisation"
    }

    /// A phase of a policy track (fase van een beleidstraject).
    Phase "phase" {
        PrePhase "pre_phase" "voorfase" "pre-phase"
        Exploration "exploration" "verkenning" "exploration"
        Design "design" "ontwerp" "design"
        Decision "decision" "besluitvorming" "decision"
        Execution "execution" "uitvoering" "execution"
    }

    /// In which role a council takes part in a policy track (rol van de raad).
    TrackRole "policyTracks.councils.role" {
        Informed "informed" "geïnformeerd" "informed"
        Advisor "advisor" "adviseur" "advisor"
        Supervisor "supervisor" "toezichthouder op de participatie" "supervisor of the participation"
        Partner "partner" "partner in de uitwerking" "partner"
    }

    /// How much influence is promised (niveau van invloed, participatieladder).
    Influence "participationPlans.promises.influence" {
        Inform "inform" "informeren" "inform"
        Consult "consult" "raadplegen" "consult"
        Advise "advise" "adviseren" "advise"
        CoCreate "co_create" "coproduceren" "co-create"
        CoDecide "co_decide" "meebeslissen" "co-decide"
    }

    /// What a council finds of one promise (bevinding).
    Verdict "findings.verdict" {
        Kept "kept" "nagekomen" "kept"
        Partly "partly" "deels nagekomen" "partly kept"
        NotKept "not_kept" "niet nagekomen" "not kept"
        TooEarly "too_early" "te vroeg om te zeggen" "too early to say"
    }

    /// Kind of a commitment to the municipal council (soort).
    CommitmentKind "commitments.kind" {
        Motion "motion" "motie" "motion"
        Undertaking "undertaking" "toezegging" "undertaking"
    }

    /// A step in the settlement of a commitment (stap in de afdoening).
    SettlementStep "commitments.steps.step" {
        Interim "interim" "tussenbericht" "interim message"
        Proposed "proposed" "voorgesteld als afgedaan" "proposed for settlement"
        Settled "settled" "afgedaan" "settled"
        SentBack "sent_back" "teruggezonden" "sent back"
    }

    /// Where a commitment stands; proposed is not settled (stand van de afdoening).
    CommitmentState "commitments.state" {
        Open "open" "open" "open"
        Proposed "proposed" "voorgesteld als afgedaan" "proposed for settlement"
        Settled "settled" "afgedaan" "settled"
    }

    /// Whether the college has adopted a target (status van de target).
    TargetStatus "collegetargets.status" {
        Proposed "proposed" "voorgesteld" "proposed"
        Adopted "adopted" "vastgesteld" "adopted"
    }

    /// What somebody does for a council (rol in de ondersteuning).
    AssignmentRole "assignments.role" {
        Wijkwethouder "wijkwethouder" "wijkwethouder" "alderman who adopts the council"
        Coordinator "coordinator" "wijkraadscoördinator" "council coordinator"
        Manager "manager" "wijkmanager" "neighbourhood manager"
        Networker "networker" "wijknetwerker" "neighbourhood networker"
        Assistant "assistant" "wijkondersteuner" "neighbourhood assistant"
    }

    /// Where a lesson from a talk stands (stand van een les).
    LessonState "talks.lessons.state" {
        Open "open" "open" "open"
        Closed "closed" "afgerond" "closed"
    }

    /// Which items a share in time is taken over (cohort).
    Cohort "metrics.cohort" {
        Due "due" "uiterste datum in de periode" "deadline in the period"
        Received "received" "ontvangen in de periode" "received in the period"
        Answered "answered" "beantwoord in de periode" "answered in the period"
    }

    /// By what a figure is broken down (uitsplitsing).
    Dimension "metrics.groupBy" {
        Council "council" "wijkraad" "council"
        Area "area" "gebied" "area"
        Cluster "cluster" "cluster" "cluster"
        Theme "theme" "thema" "theme"
        PortfolioHolder "portfolioHolder" "portefeuillehouder" "portfolio holder"
        Kind "kind" "soort" "kind"
        Level "level" "reikwijdte" "level"
        Month "month" "maand" "month"
        Quarter "quarter" "kwartaal" "quarter"
        Year "year" "jaar" "year"
        Term "term" "zittingsperiode" "term of office"
    }

    /// Why an item of the population is not in the cohort (reden van uitsluiting).
    Exclusion "metrics.excluded" {
        NotDue "not_due" "nog niet aan de orde" "not yet due"
        DueEarlier "due_earlier" "uiterste datum vóór de periode" "due before the period"
        Suspended "suspended" "opgeschort" "suspended"
        Withdrawn "withdrawn" "ingetrokken" "withdrawn"
        Merged "merged" "samengevoegd" "merged"
        NoNorm "no_norm" "geen termijn" "no norm applies"
        UnknownDates "unknown_dates" "datums onbekend" "dates unknown"
        Ongoing "ongoing" "doorlopend" "ongoing, without a due date"
        NotObliged "not_obliged" "vóór de verplichting" "before the obligation began"
        NotEnded "not_ended" "nog niet zo ver" "has not come that far"
    }
}

/// A rule that does not say is about advice: so were all before findings had a term.
#[allow(clippy::derivable_impls, reason = "the macro makes the list")]
impl Default for TermSubject {
    fn default() -> Self {
        Self::Advice
    }
}
