//! The parts of an advice, as they are sent, kept and shown. Their doc comments are the contract's text.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{
    AdviceKind, FollowUpState, InterestDirection, Level, PointOutcome, PublicationState, ResponseBy,
    ResponseKind,
};
use crate::ids::{AdviceId, AdviceRequestId, ClusterCode, CouncilCode, OfficeHolderId, PartId, ThemeCode};
use crate::term::TermRule;

/// A number or name by which another system knows the same thing (kenmerk), such as a bb number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reference {
    /// The system that gave the number, such as `ibabs-raad` or `ibabs-wijkraad`.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "ibabs-raad")]
    pub system: String,
    /// The number or name there (kenmerk). A bb number restarts each year, so the whole of it counts.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "26bb000123")]
    pub value: String,
    /// Where it can be opened; `http` or `https`.
    #[serde(default)]
    #[schema(
        max_length = 500,
        pattern = r"^https?://[^\s]+$",
        example = "https://gemeenteraad.rotterdam.nl/Reports/Item/0f1e2d3c"
    )]
    pub url: Option<String>,
}

/// The councils behind an advice: one lead (indiener) and any number of co-signers (medeondertekenaars).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Councils {
    /// The council that leads (indiener).
    pub lead: CouncilCode,
    /// Councils invited to sign as well (medeondertekenaars).
    #[serde(default)]
    #[schema(max_items = 39)]
    pub cosigners: Vec<Cosigner>,
}

/// A council that is invited to sign, or that signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cosigner {
    /// The council.
    pub council: CouncilCode,
    /// The day it signed (medeondertekening); null while it is invited, or where the day is not known.
    #[serde(default)]
    pub signed_on: Option<NaiveDate>,
}

/// One numbered recommendation (adviespunt).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Point {
    /// Its number in the advice, from 1.
    #[schema(minimum = 1, maximum = 999, example = 1)]
    pub number: u16,
    /// The recommendation itself.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"\S",
        example = "Maak een zebrapad bij de school"
    )]
    pub text: String,
}

/// The text of an advice (advies), as its council writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdviceText {
    /// Kind of advice (soort advies).
    pub kind: AdviceKind,
    /// What it is about (onderwerp).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "Oversteek bij de school")]
    pub subject: String,
    /// Summary (samenvatting).
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub summary: Option<String>,
    /// How far it reaches (reikwijdte).
    pub level: Level,
    /// Themes (thema's), by code.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub themes: Vec<ThemeCode>,
    /// The councils behind it.
    pub councils: Councils,
    /// Its numbered recommendations (adviespunten).
    #[serde(default)]
    #[schema(max_items = 100)]
    pub points: Vec<Point>,
    /// The date on the letter (briefdatum).
    #[serde(default)]
    pub letter_on: Option<NaiveDate>,
    /// The day a portal listed it (registratiedatum).
    #[serde(default)]
    pub listed_on: Option<NaiveDate>,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
    /// The earlier advice to whose answer this one reacts (tweede ronde).
    #[serde(default)]
    pub second_round_of: Option<AdviceId>,
    /// The advice request that it answers (adviesaanvraag).
    #[serde(default)]
    pub request: Option<AdviceRequestId>,
}

/// The council adopts its advice in a meeting (vaststelling).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Adoption {
    /// The day of the meeting (vergaderdatum).
    pub meeting_on: NaiveDate,
    /// Whether enough members were there (quorum).
    pub quorum: bool,
    /// Votes in favour (stemmen voor).
    #[schema(maximum = 100)]
    pub votes_for: u16,
    /// Votes against (stemmen tegen).
    #[schema(maximum = 100)]
    pub votes_against: u16,
    /// The day a public meeting ratified it (bekrachtiging); it may come after submission.
    #[serde(default)]
    pub ratified_on: Option<NaiveDate>,
}

/// A public meeting ratifies what was adopted before (bekrachtiging).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ratification {
    /// The day of the public meeting.
    pub ratified_on: NaiveDate,
}

/// A council signs the advice of another (medeondertekening).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cosignature {
    /// The council that signs; one of the token's.
    pub council: CouncilCode,
    /// The day it signed.
    pub signed_on: NaiveDate,
}

/// The coordinator sends the advice in (indiening).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Submission {
    /// The day it was sent in (indieningsdatum).
    pub submitted_on: NaiveDate,
    /// The date on the letter (briefdatum), if it was not known before.
    #[serde(default)]
    pub letter_on: Option<NaiveDate>,
}

/// A cluster receives the advice (ontvangst). This day is day 0 of the answer term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The day of receipt (ontvangstdatum): day 0.
    pub received_on: NaiveDate,
    /// The cluster that treats it; one of the token's.
    pub cluster: ClusterCode,
    /// The office holder who will answer (portefeuillehouder); frozen here.
    #[serde(default)]
    pub portfolio_holder: Option<OfficeHolderId>,
    /// The term rule (termijnregel), where more than one is valid that day.
    #[serde(default)]
    pub rule: Option<crate::ids::TermRuleId>,
    /// Why that rule (reden), for the journal; mandatory where a rule is named.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// The day a portal listed it (registratiedatum), if it was not known before.
    #[serde(default)]
    pub listed_on: Option<NaiveDate>,
}

/// What was frozen at receipt. Kept; on the wire its parts stand in the advice itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// Day 0.
    pub received_on: NaiveDate,
    /// The cluster that treats it now; forwarding moves it.
    pub cluster: ClusterCode,
    /// The cluster that took it in, once it was moved from there.
    #[serde(default)]
    pub first_cluster: Option<ClusterCode>,
    /// The office holder who will answer.
    pub portfolio_holder: Option<OfficeHolderId>,
    /// The term rule as it read that day.
    pub rule: TermRule,
}

/// The cluster starts to treat the advice (in behandeling nemen).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Treatment {
    /// The day treatment began.
    pub on: NaiveDate,
}

/// The term is suspended (opschorting): a half-open interval, `to` is the day the clock runs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuspensionBody {
    /// First day on which the clock stands still.
    pub from: NaiveDate,
    /// The day it was decided; after the deadline it is void (zonder gevolg).
    pub decided_on: NaiveDate,
    /// Why; for the organisation, not for the public.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// The clock runs again (einde opschorting).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuspensionEnd {
    /// The day the clock runs again; after `from`.
    pub to: NaiveDate,
}

/// The term is extended (verdaging).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtensionBody {
    /// Calendar days added.
    #[schema(minimum = 1, maximum = 366)]
    pub days: u16,
    /// The day it was decided; after the deadline it is void (zonder gevolg).
    pub decided_on: NaiveDate,
    /// Why; for the organisation, not for the public.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// What a response says of one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PointResponse {
    /// The number of the point in the advice.
    #[schema(minimum = 1, maximum = 999)]
    pub number: u16,
    /// What the college does with it (uitkomst).
    pub outcome: PointOutcome,
    /// Why (motivering); mandatory unless the point is fully adopted.
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub reasons: Option<String>,
}

/// One interest that was weighed (belang).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Interest {
    /// The interest.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub text: String,
    /// Which way it weighs.
    pub direction: InterestDirection,
}

/// The city-level weighing (stedelijke afweging), shared with the council. Letter M2404-1809, page 8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Considerations {
    /// The interests that were weighed (belangen).
    #[serde(default)]
    #[schema(max_items = 50)]
    pub interests: Vec<Interest>,
    /// How they were weighed (afweging).
    #[schema(min_length = 1, max_length = 20000, pattern = r"\S")]
    pub weighing: String,
    /// The day they were shared with the council (gedeeld met de wijkraad).
    #[serde(default)]
    pub shared_on: Option<NaiveDate>,
}

/// A response of the college (collegereactie).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponseBody {
    /// Kind of response. Only a final one stops the clock.
    pub kind: ResponseKind,
    /// The day it was decided; mandatory on a final and a revised response.
    #[serde(default)]
    pub decided_on: Option<NaiveDate>,
    /// The day it was sent: the answered day. Mandatory on a final and a revised response; another response stays internal until it is sent.
    #[serde(default)]
    pub sent_on: Option<NaiveDate>,
    /// Who gives it.
    pub by: ResponseBy,
    /// What it says point by point; a final response speaks of every point.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub points: Vec<PointResponse>,
    /// The city-level weighing; mandatory where the level is `city` or `cross_neighbourhood`.
    #[serde(default)]
    pub considerations: Option<Considerations>,
    /// The text of the response.
    #[serde(default)]
    #[schema(max_length = 50000)]
    pub text: Option<String>,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// A response as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// Its id.
    pub id: PartId,
    /// Kind of response.
    pub kind: ResponseKind,
    /// The day it was decided.
    pub decided_on: Option<NaiveDate>,
    /// The day it was sent: the answered day.
    pub sent_on: Option<NaiveDate>,
    /// Who gives it; null where a list did not say.
    pub by: Option<ResponseBy>,
    /// What it says point by point.
    pub points: Vec<PointResponse>,
    /// The city-level weighing.
    pub considerations: Option<Considerations>,
    /// The text of the response.
    pub text: Option<String>,
    /// Numbers by which other systems know it.
    pub references: Vec<Reference>,
    /// The moment at which it was recorded here; null of a list's answer, whose moment nobody wrote down.
    #[serde(default)]
    pub recorded_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A response being written (conceptreactie); never public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponseDraft {
    /// What it would say point by point.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub points: Vec<PointResponse>,
    /// The city-level weighing so far.
    #[serde(default)]
    pub considerations: Option<Considerations>,
    /// The text so far.
    #[serde(default)]
    #[schema(max_length = 50000)]
    pub text: Option<String>,
}

/// The council withdraws its advice (intrekking).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithdrawalBody {
    /// The day it was withdrawn.
    pub on: NaiveDate,
    /// Why; not for the public.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// The withdrawal as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Withdrawal {
    /// The day it was withdrawn; null where a list only says that it lapsed (vervallen).
    pub on: Option<NaiveDate>,
    /// Why; not for the public.
    pub reason: Option<String>,
}

/// The advice is treated as part of another (samenvoeging).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Merge {
    /// The advice it goes on in.
    pub into: AdviceId,
    /// The day it was merged.
    pub on: NaiveDate,
    /// Why; not for the public.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
}

/// The advice goes to another cluster, or to another body that is competent (doorzending).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forwarding {
    /// The day it was forwarded.
    pub on: NaiveDate,
    /// The cluster that treats it from now on; the status stays. Either this or `body`.
    #[serde(default)]
    pub cluster: Option<ClusterCode>,
    /// The body outside the city's organisation that is competent (bevoegde instantie); ends the process. Either this or `cluster`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub body: Option<String>,
    /// Why; not for the public.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
}

/// What happened to a point that was adopted, fully or partly (opvolging).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FollowUp {
    /// The number of the point.
    #[schema(minimum = 1, maximum = 999)]
    pub point: u16,
    /// How it stands.
    pub state: FollowUpState,
    /// The day this was so.
    pub on: NaiveDate,
    /// The day it should be done (planned, may be in the future).
    #[serde(default)]
    pub due_on: Option<NaiveDate>,
    /// The agreement that carries it out (afspraak), by number or id; an id that its reader may not see is null.
    #[serde(default)]
    #[schema(
        max_length = 100,
        pattern = r"^([0-9]{1,3}(\.[0-9]{1,3}){0,3}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        example = "1.1.2"
    )]
    pub agreement: Option<String>,
    /// In a sentence.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub note: Option<String>,
}

/// What a council thinks of the answer (waardering); never public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rating {
    /// The council that rates: the lead or a co-signer.
    pub council: CouncilCode,
    /// The day it did.
    pub on: NaiveDate,
    /// From 1 (poor) to 5 (good).
    #[schema(minimum = 1, maximum = 5)]
    pub score: u8,
    /// In a sentence.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub note: Option<String>,
}

/// The process is closed (afsluiting).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Closure {
    /// The day it was closed.
    pub on: NaiveDate,
}

/// A value that was recorded wrongly, and what it should have been (correctie). Both stay in the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CorrectionBody {
    /// The field, by its name in the advice: `subject`, `summary`, `letterOn`, `listedOn`, `adoption.meetingOn`, `adoption.ratifiedOn`,
    /// `adoption.quorum`, `adoption.votesFor`, `adoption.votesAgainst`, `submittedOn`, `withdrawal.on` (scope `advice:write`); `receivedOn`,
    /// `portfolioHolder`, `treatment.on`, `closure.on`, `suspensions.{id}.from|to|decidedOn`, `extensions.{id}.days|decidedOn`
    /// (`treatment:write`); `responses.{id}.decidedOn|sentOn` (`treatment:write` or `responses:write`, after the kind).
    #[schema(min_length = 1, max_length = 100, example = "receivedOn")]
    pub field: String,
    /// The right value: a text, a date, a number, true or false, or null where the field may be empty.
    pub value: CorrectedValue,
    /// Why; not for the public.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// A text, a date, a whole number, true or false, or null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CorrectedValue {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text or a date.
    Text(String),
    /// Empty.
    Nothing(Option<()>),
}

impl utoipa::PartialSchema for CorrectedValue {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
        ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::String, Type::Integer, Type::Boolean, Type::Null]))
            .minimum(Some(-1_000_000))
            .maximum(Some(1_000_000))
            .max_length(Some(10_000))
            .description(Some("A text, a date, a whole number, true or false, or null."))
            .into()
    }
}

impl ToSchema for CorrectedValue {}

/// A correction as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Correction {
    /// The day it was corrected.
    pub on: NaiveDate,
    /// The field.
    pub field: String,
    /// What stood there.
    pub was: CorrectedValue,
    /// What stands there now.
    pub is: CorrectedValue,
    /// Why; not for the public.
    pub reason: Option<String>,
    /// Whether another term rule was frozen because the new day of receipt lies outside the old one's validity.
    pub rule_changed: bool,
}

/// The decision to publish (publicatie).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicationBody {}

/// The decision to withdraw from publication (depublicatie).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnpublicationBody {
    /// Why; the public reads this at the address of the advice.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reason: String,
}

/// Whether and since when the public may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Publication {
    /// Whether the public may see it.
    pub state: PublicationState,
    /// When it was published, last.
    pub published_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When it was first published, where that was before.
    #[serde(default)]
    pub first_published_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When publication was withdrawn.
    pub withdrawn_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Why it was withdrawn; public.
    pub reason: Option<String>,
}

impl Publication {
    /// Not published so far.
    pub const NONE: Self = Self {
        state: PublicationState::Unpublished,
        published_at: None,
        first_published_at: None,
        withdrawn_at: None,
        reason: None,
    };
}

/// What the portals' lists say of an item, beside what an advice has anyway. Kept, not shown as such.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The office holder whom a list names.
    pub portfolio_holder: Option<OfficeHolderId>,
    /// The titles under which it stands in the lists.
    pub titles: Vec<String>,
    /// Whether a title says that others signed too, without naming them.
    pub unnamed_cosigners: bool,
    /// The proposal to which it is an annex.
    pub annex_to: Option<String>,
    /// Whose row each reference came from, by the value of the reference.
    pub reference_councils: Vec<(String, CouncilCode)>,
}

/// What is not as the rules ask, on an item whose history was imported (gegevenskwaliteit).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataIssue {
    /// Stable code, such as `receipt-unknown`.
    #[schema(example = "receipt-unknown")]
    pub code: String,
    /// In a sentence.
    pub detail: String,
}
