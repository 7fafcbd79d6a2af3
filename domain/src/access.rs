//! Who may see and do what. The one module that decides it: every exit asks here, in SQL through audience keys and in
//! memory through [`view`], which agree by construction.

use std::collections::BTreeSet;
use std::str::FromStr;

use uuid::Uuid;

use crate::advice::{
    Advice, AdviceRecord, AsCluster, AsCollege, AsCoordinator, AsCorrector, AsPublisher, AsSignatory,
    CorrectedValue, Correction, CorrectionRight, FollowUp, Forwarding, Merge, Withdrawal,
};
use crate::advice_request::AdviceRequest;
use crate::agreement::Agreement;
use crate::dossier::{Dossier, Reach};
use crate::error::RuleError;
use crate::ids::{ClusterCode, CouncilCode};
use crate::term::{Extension, Suspension};

/// A right that a token may carry (scope).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read unpublished items of its councils or clusters.
    InternalRead,
    /// Draft, adopt, submit, withdraw, co-sign, rate: own councils only.
    AdviceWrite,
    /// Receive, treat, suspend, extend, forward, merge, close, follow up: own clusters only.
    TreatmentWrite,
    /// Record final and revised responses.
    ResponsesWrite,
    /// Progress on agreements; never the judgement.
    ProgressWrite,
    /// Judgement on agreements and findings on plans; never the progress.
    JudgementsWrite,
    /// Policy tracks, participation plans, accords, agreements.
    PlansWrite,
    /// Publish and withdraw from publication.
    Publish,
    /// Councils, people, reference tables, term rules.
    RegistryWrite,
    /// Bulk import.
    Import,
    /// History and journal.
    AuditRead,
}

impl Scope {
    /// Every scope, as a token spells it, with what it allows.
    pub const ALL: &'static [(Scope, &'static str, &'static str)] = &[
        (Scope::InternalRead, "internal:read", "Read unpublished items of the token's councils or clusters."),
        (
            Scope::AdviceWrite,
            "advice:write",
            "Draft, adopt, submit, withdraw, co-sign and rate advice of the token's councils (coordinator).",
        ),
        (
            Scope::TreatmentWrite,
            "treatment:write",
            "Receive, treat, suspend, extend, forward, merge and close advice, record acknowledgements, interim responses, drafts and follow-ups, for the token's clusters.",
        ),
        (
            Scope::ResponsesWrite,
            "responses:write",
            "Record final and revised responses (the college's office).",
        ),
        (
            Scope::ProgressWrite,
            "progress:write",
            "Record progress on agreements of the token's clusters; never the judgement.",
        ),
        (
            Scope::JudgementsWrite,
            "judgements:write",
            "Record the judgement of the token's councils on agreements and plans; never the progress.",
        ),
        (
            Scope::PlansWrite,
            "plans:write",
            "Keep policy tracks, participation plans, accords and agreements.",
        ),
        (Scope::Publish, "publish", "Publish and withdraw from publication."),
        (Scope::RegistryWrite, "registry:write", "Keep councils, people, reference tables and term rules."),
        (Scope::Import, "import", "Import lists in bulk."),
        (Scope::AuditRead, "audit:read", "Read history and journal: whole items as known then."),
    ];

    /// As a token spells it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(scope, _, _)| *scope == self).map_or("", |(_, text, _)| text)
    }
}

impl FromStr for Scope {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, known, _)| *known == text).map(|(scope, _, _)| *scope).ok_or(())
    }
}

/// The councils or clusters that a token speaks for. Absent means none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant<C> {
    /// All of them, also those that come later: `["*"]`.
    All,
    /// These.
    Only(BTreeSet<C>),
}

impl<C> Default for Grant<C> {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl<C: Ord + FromStr> Grant<C> {
    /// From the claim of a token. A text that is no code grants nothing.
    pub fn from_claim(codes: &[String]) -> Self {
        if codes.iter().any(|code| code == "*") {
            return Self::All;
        }
        Self::Only(codes.iter().filter_map(|code| code.parse().ok()).collect())
    }

    /// Whether it covers this one.
    pub fn covers(&self, code: &C) -> bool {
        match self {
            Self::All => true,
            Self::Only(codes) => codes.contains(code),
        }
    }
}

/// Who asks. The default is an anonymous caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The token's `sub`; none for an anonymous caller.
    pub subject: Option<String>,
    /// What the token allows.
    pub scopes: BTreeSet<Scope>,
    /// For which councils.
    pub councils: Grant<CouncilCode>,
    /// For which clusters.
    pub clusters: Grant<ClusterCode>,
}

/// Why something is refused to a caller who may see the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The token lacks the scope.
    #[error("the token lacks the scope {0:?}")]
    Scope(Scope),
    /// The item belongs to another council or cluster.
    #[error("the item belongs to another council or cluster")]
    NotYours,
}

/// How much of an item a caller sees. Each sees all that the one before it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// What is public of a published item.
    Public,
    /// The item of one's own council, or for publication: without responses that were not sent.
    Own,
    /// All of it.
    Internal,
}

impl View {
    /// As an ETag and a cursor spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Own => "own",
            Self::Internal => "internal",
        }
    }
}

/// A key that an item hangs out and that a caller may hold: who holds one of its keys sees the item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudienceKey(String);

impl AudienceKey {
    /// As storage keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Everybody.
    pub fn public() -> Self {
        Self::new("public")
    }
}

/// The keys of an item: who may see it.
pub fn audience(advice: &AdviceRecord) -> BTreeSet<AudienceKey> {
    let mut keys = BTreeSet::new();
    if advice.deleted {
        return keys;
    }
    for council in advice.councils() {
        keys.insert(AudienceKey::new(format!("council:{council}")));
    }
    keys.insert(AudienceKey::new("council:*"));
    match advice.cluster() {
        Some(cluster) => {
            keys.insert(AudienceKey::new(format!("cluster:{cluster}")));
            keys.insert(AudienceKey::new("cluster:*"));
        }
        None if advice.submitted_on.is_some() || advice.may_be_published() => {
            keys.insert(AudienceKey::new("unassigned"));
            keys.insert(AudienceKey::new("cluster:*"));
        }
        None => {}
    }
    if advice.may_be_published() {
        keys.insert(AudienceKey::new("received"));
    }
    if advice.is_published() {
        keys.insert(AudienceKey::public());
    }
    keys
}

/// The keys of an advice request: the councils asked, the cluster that asks. It is not public.
pub fn request_audience(request: &AdviceRequest) -> BTreeSet<AudienceKey> {
    let councils =
        request.asked.councils.iter().map(|council| AudienceKey::new(format!("council:{council}")));
    let cluster = AudienceKey::new(format!("cluster:{}", request.asked.cluster));
    councils.chain([AudienceKey::new("council:*"), AudienceKey::new("cluster:*"), cluster]).collect()
}

/// The keys of an item that is kept whole: whom it concerns, who keeps it, and everybody when it is public.
pub fn dossier_audience<D: Dossier>(dossier: &D) -> BTreeSet<AudienceKey> {
    let Reach { is_public, is_registry, is_internal, councils, clusters } = dossier.reach();
    let of_council = if is_internal { "staff-council" } else { "plan-council" };
    let councils = councils.iter().map(|council| AudienceKey::new(format!("{of_council}:{council}")));
    let clusters = clusters.iter().map(|cluster| AudienceKey::new(format!("plan-cluster:{cluster}")));
    let all_councils = AudienceKey::new(format!("{of_council}:*"));
    // What is about people and support is of no cluster, so who speaks for all of them does not see it either.
    let all_clusters = (!is_registry).then(|| AudienceKey::new("plan-cluster:*"));
    let keeper = AudienceKey::new(match (is_internal, is_registry) {
        (true, _) => "staff",
        (false, true) => "registry",
        (false, false) => "plans",
    });
    let of_all = [all_councils, keeper].into_iter().chain(all_clusters);
    councils.chain(clusters).chain(of_all).chain(is_public.then(AudienceKey::public)).collect()
}

/// Whether the caller may see it.
pub fn sees_dossier<D: Dossier>(caller: &Caller, dossier: &D) -> bool {
    let audience = dossier_audience(dossier);
    caller.view_through(|key| audience.contains(key)).is_some()
}

/// The widest view that one of these keys of a caller opens.
pub fn view_among(keys: &[(AudienceKey, View)], hangs_out: impl Fn(&AudienceKey) -> bool) -> Option<View> {
    keys.iter().filter(|(key, _)| hangs_out(key)).map(|(_, view)| *view).max()
}

impl Caller {
    /// Whether the token has the scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the token allows any change.
    pub fn may_write(&self) -> bool {
        self.scopes.iter().any(|scope| !matches!(scope, Scope::InternalRead | Scope::AuditRead))
    }

    /// Refuses a caller without the scope.
    pub fn require(&self, scope: Scope) -> Result<(), Refusal> {
        if self.has(scope) { Ok(()) } else { Err(Refusal::Scope(scope)) }
    }

    /// The keys that the caller holds, each with how much it opens.
    pub fn keys(&self) -> Vec<(AudienceKey, View)> {
        let mut keys = self.keys_to_advice();
        keys.extend(self.keys_to_dossiers());
        keys
    }

    /// Those among them that open advice and requests for it.
    pub fn keys_to_advice(&self) -> Vec<(AudienceKey, View)> {
        let mut keys = vec![(AudienceKey::public(), View::Public)];
        let council_view = if self.has(Scope::InternalRead) {
            Some(View::Internal)
        } else {
            self.has(Scope::AdviceWrite).then_some(View::Own)
        };
        if let Some(view) = council_view {
            keys.extend(grant_keys("council", &self.councils, view));
        }
        if self.has(Scope::InternalRead) || self.has(Scope::TreatmentWrite) {
            keys.extend(grant_keys("cluster", &self.clusters, View::Internal));
        }
        if self.has(Scope::TreatmentWrite) {
            keys.push((AudienceKey::new("unassigned"), View::Internal));
        }
        if self.has(Scope::ResponsesWrite) {
            keys.push((AudienceKey::new("received"), View::Internal));
        } else if self.has(Scope::Publish) {
            keys.push((AudienceKey::new("received"), View::Own));
        }
        keys
    }

    /// Those among them that open what is kept whole. What is public of that, everybody's key opens.
    fn keys_to_dossiers(&self) -> Vec<(AudienceKey, View)> {
        let mut keys = Vec::new();
        if self.has(Scope::InternalRead) {
            keys.extend(grant_keys("staff-council", &self.councils, View::Internal));
        }
        let any_of = |scopes: &[Scope]| scopes.iter().any(|scope| self.has(*scope));
        if any_of(&[Scope::InternalRead, Scope::AdviceWrite, Scope::JudgementsWrite]) {
            keys.extend(grant_keys("plan-council", &self.councils, View::Internal));
        }
        if any_of(&[Scope::InternalRead, Scope::TreatmentWrite, Scope::ProgressWrite]) {
            keys.extend(grant_keys("plan-cluster", &self.clusters, View::Internal));
        }
        if any_of(&[Scope::PlansWrite, Scope::Publish]) {
            keys.push((AudienceKey::new("plans"), View::Internal));
        }
        if any_of(&[Scope::RegistryWrite, Scope::Publish]) {
            keys.push((AudienceKey::new("registry"), View::Internal));
        }
        if self.has(Scope::RegistryWrite) {
            keys.push((AudienceKey::new("staff"), View::Internal));
        }
        keys
    }

    /// Whether the caller may record what this council says of agreements and plans; never what the organisation says.
    pub fn may_judge_for(&self, council: &CouncilCode) -> Result<(), Refusal> {
        self.require(Scope::JudgementsWrite)?;
        if self.councils.covers(council) { Ok(()) } else { Err(Refusal::NotYours) }
    }

    /// Whether the caller may record what the organisation says of an agreement; never what the council says. One of an outside
    /// party without a cluster is open to who speaks for all of them, and so sees it before it is public.
    pub fn may_report_on(&self, agreement: &Agreement) -> Result<(), Refusal> {
        self.require(Scope::ProgressWrite)?;
        let own = match &agreement.text.owner.cluster {
            Some(cluster) => self.clusters.covers(cluster),
            None => self.clusters == Grant::All,
        };
        if own { Ok(()) } else { Err(Refusal::NotYours) }
    }

    /// Whether the caller may reply to findings on a plan of this cluster.
    pub fn may_reply_for(&self, cluster: &ClusterCode) -> Result<(), Refusal> {
        self.require(Scope::TreatmentWrite)?;
        self.speaks_for(cluster)
    }

    /// How much of the advice the caller sees; none is 404.
    pub fn view(&self, advice: &AdviceRecord) -> Option<View> {
        let audience = audience(advice);
        self.view_through(|key| audience.contains(key))
    }

    /// The same, from keys that storage kept.
    pub fn view_through(&self, hangs_out: impl Fn(&AudienceKey) -> bool) -> Option<View> {
        view_among(&self.keys(), hangs_out)
    }

    /// Whether the caller may draft an advice that this council leads.
    pub fn may_draft_for(&self, lead: &CouncilCode) -> Result<(), Refusal> {
        self.require(Scope::AdviceWrite)?;
        if self.councils.covers(lead) { Ok(()) } else { Err(Refusal::NotYours) }
    }

    /// The advice in the hands of its lead council's coordinator.
    pub fn as_coordinator(&self, advice: Advice) -> Result<AsCoordinator, Refusal> {
        self.require(Scope::AdviceWrite)?;
        if !self.councils.covers(&advice.text.councils.lead) {
            return Err(Refusal::NotYours);
        }
        Ok(AsCoordinator(advice))
    }

    /// The advice in the hands of a council that signs or rates it.
    pub fn as_signatory(&self, advice: Advice, council: CouncilCode) -> Result<AsSignatory, Refusal> {
        self.require(Scope::AdviceWrite)?;
        if !self.councils.covers(&council) {
            return Err(Refusal::NotYours);
        }
        Ok(AsSignatory { advice, council })
    }

    /// The advice in the hands of the cluster that treats it; before receipt, of any cluster.
    pub fn as_cluster(&self, advice: Advice) -> Result<AsCluster, Refusal> {
        self.require(Scope::TreatmentWrite)?;
        let own = match advice.cluster() {
            Some(cluster) => self.clusters.covers(cluster),
            None => self.clusters != Grant::default(),
        };
        if own { Ok(AsCluster(advice)) } else { Err(Refusal::NotYours) }
    }

    /// Whether the caller speaks for the cluster.
    pub fn speaks_for(&self, cluster: &ClusterCode) -> Result<(), Refusal> {
        if self.clusters.covers(cluster) { Ok(()) } else { Err(Refusal::NotYours) }
    }

    /// The advice in the hands of the college's office.
    pub fn as_college(&self, advice: Advice) -> Result<AsCollege, Refusal> {
        self.require(Scope::ResponsesWrite)?;
        Ok(AsCollege(advice))
    }

    /// The advice in the hands of who decides on publication.
    pub fn as_publisher(&self, advice: Advice) -> Result<AsPublisher, Refusal> {
        self.require(Scope::Publish)?;
        Ok(AsPublisher(advice))
    }

    /// The advice in the hands of who may correct the field: who may record it may correct it.
    pub fn as_corrector(
        &self,
        advice: Advice,
        field: &str,
    ) -> Result<Result<AsCorrector, RuleError>, Refusal> {
        let right = match advice.correction_right(field) {
            Ok(right) => right,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let advice = match right {
            CorrectionRight::Coordinator => self.as_coordinator(advice)?.0,
            CorrectionRight::Cluster => self.as_cluster(advice)?.0,
            CorrectionRight::College => self.as_college(advice)?.0,
        };
        Ok(Ok(AsCorrector(advice)))
    }
}

fn grant_keys<C: std::fmt::Display>(kind: &str, grant: &Grant<C>, view: View) -> Vec<(AudienceKey, View)> {
    match grant {
        Grant::All => vec![(AudienceKey::new(format!("{kind}:*")), view)],
        Grant::Only(codes) => {
            codes.iter().map(|code| (AudienceKey::new(format!("{kind}:{code}")), view)).collect()
        }
    }
}

/// What of an advice stands in a view. An allow-list: each field is named, and a new one stops the build here until
/// somebody decides who may see it.
pub fn project(advice: &AdviceRecord, view: View) -> AdviceRecord {
    if view == View::Internal {
        return advice.clone();
    }
    let AdviceRecord {
        id,
        origin,
        text,
        listed,
        shown_to_cosigner,
        deleted,
        adoption,
        submitted_on,
        received,
        treated_on,
        suspensions,
        extensions,
        responses,
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        ratings,
        closure,
        corrections,
        publication,
    } = advice.clone();
    let (sent, unsent): (Vec<_>, Vec<_>) =
        responses.into_iter().partition(|response| response.sent_on.is_some());
    let of_unsent = |field: &str| unsent.iter().any(|response| field.contains(&response.id.to_string()));
    let corrections = corrections.into_iter().filter(|correction| !of_unsent(&correction.field)).collect();
    let record = AdviceRecord {
        id,
        origin,
        text,
        listed,
        shown_to_cosigner,
        deleted,
        adoption,
        submitted_on,
        received,
        treated_on,
        suspensions,
        extensions,
        responses: sent,
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        ratings,
        closure,
        corrections,
        publication,
    };
    match view {
        View::Internal | View::Own => record,
        View::Public => without_internal_reasons(record),
    }
}

/// The ids of other items that an advice names. A reader who may not see one of them does not read the id either.
pub fn links(advice: &AdviceRecord) -> Vec<Uuid> {
    let first = advice.text.second_round_of.map(|first| first.0);
    let request = advice.text.request.map(|request| request.0);
    let merged_into = advice.merge.as_ref().map(|merge| merge.into.0);
    let agreements = advice.follow_ups.iter().filter_map(linked_agreement);
    [first, request, merged_into].into_iter().flatten().chain(agreements).collect()
}

/// The record without the ids that its reader may not see. Of a merge the day stays: whoever shows it leaves the id out.
pub fn without_links(mut record: AdviceRecord, visible: &BTreeSet<Uuid>) -> AdviceRecord {
    record.text.second_round_of = record.text.second_round_of.filter(|first| visible.contains(&first.0));
    record.text.request = record.text.request.filter(|request| visible.contains(&request.0));
    for follow_up in &mut record.follow_ups {
        if linked_agreement(follow_up).is_some_and(|agreement| !visible.contains(&agreement)) {
            follow_up.agreement = None;
        }
    }
    record
}

/// The id of the agreement that a follow-up names; none where it gives a number.
pub fn linked_agreement(follow_up: &FollowUp) -> Option<Uuid> {
    follow_up.agreement.as_deref().and_then(|agreement| agreement.trim().parse().ok())
}

/// Ratings, reasons meant for the organisation, and who was merely invited stay inside.
fn without_internal_reasons(mut record: AdviceRecord) -> AdviceRecord {
    record.shown_to_cosigner = false;
    record.ratings.clear();
    record.text.request = None;
    // Before it is answered an invitation that was not taken up is nobody's business; a list's co-signer has no day.
    let imported = record.origin == crate::codes::Origin::Import;
    record.text.councils.cosigners.retain(|cosigner| imported || cosigner.signed_on.is_some());
    record.suspensions = record
        .suspensions
        .into_iter()
        .map(|suspension| Suspension { reason: String::new(), ..suspension })
        .collect();
    record.extensions = record
        .extensions
        .into_iter()
        .map(|extension| Extension { reason: String::new(), ..extension })
        .collect();
    // What a portal's list said was public there already: it gives a reason and no day.
    record.withdrawal = record.withdrawal.map(|Withdrawal { on, reason }| Withdrawal {
        on,
        reason: reason.filter(|_| imported && on.is_none()),
    });
    record.merge = record.merge.map(|Merge { into, on, reason: _ }| Merge { into, on, reason: None });
    record.forwardings = record
        .forwardings
        .into_iter()
        .map(|Forwarding { on, cluster, body, reason: _ }| Forwarding { on, cluster, body, reason: None })
        .collect();
    record.follow_ups = record
        .follow_ups
        .into_iter()
        .map(|FollowUp { point, state, on, due_on, agreement, note: _ }| FollowUp {
            point,
            state,
            on,
            due_on,
            agreement,
            note: None,
        })
        .collect();
    record.corrections = record
        .corrections
        .into_iter()
        .map(|Correction { on, field, was, is, reason: _, rule_changed }| {
            // A text may have been corrected because it should never have been read; what came in its place may have
            // been corrected since. The text that holds stands in the advice.
            let (was, is) = if matches!(field.as_str(), "subject" | "summary") {
                (CorrectedValue::Nothing(None), CorrectedValue::Nothing(None))
            } else {
                (was, is)
            };
            Correction { on, field, was, is, reason: None, rule_changed }
        })
        .collect();
    record
}
