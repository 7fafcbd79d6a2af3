//! What accords, agreements, policy tracks, participation plans, commitments, talks, assignments and collegetargets have in
//! common: each is kept whole, has an audience, and can be found by a few of its fields.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::advice::{Publication, UnpublicationBody};
use crate::codes::PublicationState;
use crate::error::RuleError;
use crate::ids::{ClusterCode, CouncilCode};

/// Something that is kept whole.
pub trait Dossier: Clone + PartialEq + Send + Serialize + DeserializeOwned + 'static {
    /// The name of the resource in the journal, the feed and the path.
    const RESOURCE: &'static str;

    /// Its id.
    fn id(&self) -> Uuid;

    /// Whom it concerns; who may see it follows from this, in [`crate::access`].
    fn reach(&self) -> Reach;

    /// By what it can be found: a name and a value each. A name may stand there more than once.
    fn facets(&self) -> Vec<(&'static str, String)>;

    /// Whether the public may see it, where somebody decides that.
    fn publication(&self) -> Option<&Publication> {
        None
    }

    /// The ids of other items that it names. A reader who may not see one of them does not see the id either.
    fn links(&self) -> Vec<Uuid> {
        Vec::new()
    }

    /// The same without the ids that its reader may not see.
    fn without_links(self, _hidden: &BTreeSet<Uuid>) -> Self {
        self
    }
}

/// Whom an item concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether everybody may see it.
    pub is_public: bool,
    /// Whether it is about people and support, kept by who keeps the registry; else it is a plan.
    pub is_registry: bool,
    /// Whether it names positions of the organisation: then the councils that it concerns read it with `internal:read` only.
    pub is_internal: bool,
    /// Councils that it concerns.
    pub councils: Vec<CouncilCode>,
    /// Clusters that it concerns.
    pub clusters: Vec<ClusterCode>,
}

impl Publication {
    /// Whether everybody may see it.
    pub fn is_public(&self) -> bool {
        self.state == PublicationState::Published
    }

    /// Publishes.
    pub fn publish(&mut self, moment: DateTime<Utc>) -> Result<(), RuleError> {
        if self.is_public() {
            return Err(RuleError::conflict("already-recorded", "It is published already."));
        }
        *self = self.clone().published(moment);
        Ok(())
    }

    /// The same, public from this moment on.
    pub fn published(self, moment: DateTime<Utc>) -> Self {
        Self {
            state: PublicationState::Published,
            published_at: Some(moment),
            first_published_at: self.first_published_at.or(self.published_at),
            withdrawn_at: None,
            reason: None,
        }
    }

    /// Withdraws from publication, with a reason that the public reads; leaves a tombstone (rule 6).
    pub fn unpublish(&mut self, body: UnpublicationBody, moment: DateTime<Utc>) -> Result<(), RuleError> {
        if !self.is_public() {
            return Err(RuleError::conflict("not-published", "It is not published."));
        }
        self.state = PublicationState::Withdrawn;
        self.withdrawn_at = Some(moment);
        self.reason = Some(body.reason);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_withdrawn_with_a_reason_and_may_come_back() {
        let moment: DateTime<Utc> = "2026-11-23T11:00:00Z".parse().unwrap();
        let body = || UnpublicationBody { reason: "bevat een naam".to_owned() };
        let mut publication = Publication::NONE;
        assert!(publication.unpublish(body(), moment).is_err());
        publication.publish(moment).unwrap();
        assert!(publication.is_public() && publication.publish(moment).is_err());
        publication.unpublish(body(), moment).unwrap();
        assert_eq!(publication.reason.as_deref(), Some("bevat een naam"));
        assert_eq!(
            (publication.state, publication.withdrawn_at),
            (PublicationState::Withdrawn, Some(moment))
        );
        assert!(publication.unpublish(body(), moment).is_err());
        publication.publish(moment).unwrap();
        assert_eq!(
            (publication.is_public(), publication.reason, publication.withdrawn_at),
            (true, None, None)
        );
    }
}
