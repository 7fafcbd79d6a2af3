//! Who may see what, written down from the design (section 8) and from ADR 0004, 0009 and 0018: one line for each thing that
//! they say. It knows nothing of `domain::access`, which is what the walk puts to the test.

use crate::support::TestApp;

/// How much of an item somebody sees. Each sees all that the one before it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sees {
    /// What is public of what is published.
    Public,
    /// All but responses that were not sent, and the response draft.
    Own,
    /// All of it.
    All,
}

/// What the rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Advice,
    Request,
    /// Accords, agreements, policy tracks and participation plans.
    Plan,
    Talk,
    Assignment,
    /// Commitments and collegetargets, which are made in public.
    Open,
}

/// What the rules ask of an item, as it is or as it once was.
#[derive(Debug, Clone)]
pub struct Facts {
    pub kind: Kind,
    pub councils: &'static [&'static str],
    pub cluster: Option<&'static str>,
    /// Sent in, or listed by a portal.
    pub is_sent: bool,
    /// Received, or listed by a portal: from here on it may be published.
    pub is_in_hand: bool,
    pub is_published: bool,
    pub is_deleted: bool,
}

/// To which items a scope is bound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    OwnCouncils,
    OwnClusters,
}
use Of::{All, OwnClusters, OwnCouncils};

type When = fn(&Facts) -> bool;

fn always(_: &Facts) -> bool {
    true
}

fn published(facts: &Facts) -> bool {
    facts.is_published
}

fn sent_to_no_cluster(facts: &Facts) -> bool {
    facts.is_sent && facts.cluster.is_none()
}

fn in_hand(facts: &Facts) -> bool {
    facts.is_in_hand
}

/// The scope (none: everybody), what it opens, of which, when, and how much of it. Whoever is not here sees nothing.
const RULES: &[(&str, Kind, Of, When, Sees)] = &[
    ("", Kind::Advice, All, published, Sees::Public),
    ("internal:read", Kind::Advice, OwnCouncils, always, Sees::All),
    ("internal:read", Kind::Advice, OwnClusters, always, Sees::All),
    ("advice:write", Kind::Advice, OwnCouncils, always, Sees::Own),
    ("treatment:write", Kind::Advice, OwnClusters, always, Sees::All),
    ("treatment:write", Kind::Advice, All, sent_to_no_cluster, Sees::All),
    ("responses:write", Kind::Advice, All, in_hand, Sees::All),
    ("publish", Kind::Advice, All, in_hand, Sees::Own),
    ("internal:read", Kind::Request, OwnCouncils, always, Sees::All),
    ("internal:read", Kind::Request, OwnClusters, always, Sees::All),
    ("advice:write", Kind::Request, OwnCouncils, always, Sees::All),
    ("treatment:write", Kind::Request, OwnClusters, always, Sees::All),
    ("", Kind::Plan, All, published, Sees::All),
    ("plans:write", Kind::Plan, All, always, Sees::All),
    ("publish", Kind::Plan, All, always, Sees::All),
    ("internal:read", Kind::Plan, OwnCouncils, always, Sees::All),
    ("advice:write", Kind::Plan, OwnCouncils, always, Sees::All),
    ("judgements:write", Kind::Plan, OwnCouncils, always, Sees::All),
    ("internal:read", Kind::Plan, OwnClusters, always, Sees::All),
    ("treatment:write", Kind::Plan, OwnClusters, always, Sees::All),
    ("progress:write", Kind::Plan, OwnClusters, always, Sees::All),
    ("", Kind::Talk, All, published, Sees::All),
    ("registry:write", Kind::Talk, All, always, Sees::All),
    ("publish", Kind::Talk, All, always, Sees::All),
    ("internal:read", Kind::Talk, OwnCouncils, always, Sees::All),
    ("advice:write", Kind::Talk, OwnCouncils, always, Sees::All),
    ("judgements:write", Kind::Talk, OwnCouncils, always, Sees::All),
    ("registry:write", Kind::Assignment, All, always, Sees::All),
    ("internal:read", Kind::Assignment, OwnCouncils, always, Sees::All),
    ("", Kind::Open, All, always, Sees::All),
];

/// The scopes of which one is needed to ask at all; where none is named everybody may.
pub fn scopes_to_ask(route: &str) -> &'static [&'static str] {
    match route {
        "/advice/{id}/history" => &["audit:read"],
        "/advice/{id}/response-draft" => &["internal:read", "treatment:write", "responses:write"],
        "/advice-requests" | "/advice-requests/{id}" => &["internal:read", "treatment:write", "advice:write"],
        "/assignments" | "/assignments/{id}" => &["internal:read", "registry:write"],
        "/unplaced-rows" => &["import"],
        _ => &[],
    }
}

/// A kind of caller.
#[derive(Debug, Clone)]
pub struct Role {
    pub name: String,
    scope: String,
    councils: Vec<&'static str>,
    clusters: Vec<&'static str>,
}

/// What a token speaks for: Rozenburg and cluster so own what the walk looks at, Pernis and sb are others.
const GRANTS: &[(&str, &[&str], &[&str])] = &[
    ("its own council", &["rozenburg"], &[]),
    ("another council", &["pernis"], &[]),
    ("its own cluster", &[], &["so"]),
    ("another cluster", &[], &["sb"]),
    ("all", &["*"], &["*"]),
    ("nothing", &[], &[]),
];

/// Scopes that go together in practice, and a token that means nothing to us.
const BUNDLES: &[(&str, &str, &[&str], &[&str])] = &[
    ("reader of the invited council", "internal:read", &["hoogvliet"], &[]),
    ("coordinator of the invited council", "advice:write", &["hoogvliet"], &[]),
    ("reader of all clusters and no council", "internal:read", &[], &["*"]),
    ("coordinator", "internal:read advice:write judgements:write", &["rozenburg", "hoogvliet"], &[]),
    ("cluster's desk", "internal:read treatment:write progress:write", &[], &["so"]),
    ("college's office", "internal:read responses:write publish", &[], &["*"]),
    ("registry", "registry:write plans:write import", &[], &[]),
    ("auditor of a council", "internal:read audit:read", &["pernis"], &["sb"]),
    ("unknown scopes", "internal:write admin * advice:read", &["*"], &["*"]),
];

impl Role {
    /// Nobody, each scope alone with each grant, and the bundles.
    pub fn all() -> Vec<Self> {
        let role = |name: String, scope: &str, councils: &[&'static str], clusters: &[&'static str]| Self {
            name,
            scope: scope.to_owned(),
            councils: councils.to_vec(),
            clusters: clusters.to_vec(),
        };
        let mut all = vec![role("anonymous".to_owned(), "", &[], &[])];
        for (_, scope, _) in domain::access::Scope::ALL {
            for (of, councils, clusters) in GRANTS {
                all.push(role(format!("{scope} for {of}"), scope, councils, clusters));
            }
        }
        all.extend(
            BUNDLES
                .iter()
                .map(|(name, scope, councils, clusters)| role((*name).to_owned(), scope, councils, clusters)),
        );
        all
    }

    pub fn is_anonymous(&self) -> bool {
        self.scope.is_empty()
    }

    /// Each role is another person: the scope alone is not.
    pub fn token(&self, app: &TestApp) -> Option<String> {
        (!self.is_anonymous()).then(|| app.token(&self.scope, &self.councils, &self.clusters))
    }

    pub fn has(&self, scope: &str) -> bool {
        scope.is_empty() || self.scope.split(' ').any(|own| own == scope)
    }

    pub fn may_ask(&self, route: &str) -> bool {
        let scopes = scopes_to_ask(route);
        scopes.is_empty() || scopes.iter().any(|scope| self.has(scope))
    }

    fn is_of(&self, of: Of, facts: &Facts) -> bool {
        let speaks_for = |own: &[&str], code: &str| own.contains(&code) || own.contains(&"*");
        match of {
            All => true,
            OwnCouncils => facts.councils.iter().any(|council| speaks_for(&self.councils, council)),
            // Who speaks for all clusters speaks for what has none yet, but for an advice that was not sent in.
            OwnClusters => match facts.cluster {
                Some(cluster) => speaks_for(&self.clusters, cluster),
                None => self.clusters.contains(&"*") && (facts.kind != Kind::Advice || facts.is_sent),
            },
        }
    }

    /// What the rules say that it sees.
    pub fn sees(&self, facts: &Facts) -> Option<Sees> {
        if facts.is_deleted {
            return None;
        }
        RULES
            .iter()
            .filter(|(scope, kind, of, when, _)| {
                self.has(scope) && *kind == facts.kind && when(facts) && self.is_of(*of, facts)
            })
            .map(|(.., sees)| *sees)
            .max()
    }
}
