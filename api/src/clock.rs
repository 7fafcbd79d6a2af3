//! The one place that asks the time and makes ids.

use std::sync::Arc;
use std::sync::Mutex;

use chrono::{DateTime, NaiveDate, Utc};
use domain::calendar::amsterdam_day;
use uuid::Uuid;

/// Tells the time: the system's, or in tests one that stands still until it is set.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands where a test put it.
    Standing(Arc<Mutex<DateTime<Utc>>>),
}

/// One moment, and the Amsterdam day it falls on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The moment.
    pub moment: DateTime<Utc>,
    /// The day in Europe/Amsterdam.
    pub today: NaiveDate,
}

impl Clock {
    /// A clock that stands still.
    pub fn standing(moment: DateTime<Utc>) -> Self {
        Self::Standing(Arc::new(Mutex::new(moment)))
    }

    /// Puts a standing clock at another moment.
    pub fn set(&self, moment: DateTime<Utc>) {
        if let Self::Standing(hand) = self {
            *hand.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = moment;
        }
    }

    /// The time.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the time")]
    pub fn now(&self) -> Now {
        let moment = match self {
            Self::System => Utc::now(),
            Self::Standing(hand) => *hand.lock().unwrap_or_else(|poisoned| poisoned.into_inner()),
        };
        // As fine as storage keeps it, so that what is answered is what is kept.
        let moment = DateTime::from_timestamp_micros(moment.timestamp_micros()).unwrap_or(moment);
        Now { moment, today: amsterdam_day(moment) }
    }
}

/// A new id.
#[allow(clippy::disallowed_methods, reason = "the one place that makes ids")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
