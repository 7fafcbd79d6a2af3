//! Advice over HTTP: reading it, and recording what happens to it.

mod events;
mod reading;
mod shelf;
mod view;

pub use events::*;
pub use reading::*;
pub use shelf::Shelf;
pub use view::{AdviceList, AdviceListItem, AdviceView, Showing, Timeline};
