//! The API as its callers meet it: through HTTP, on both databases.

mod support;

mod advice;
mod contract;
mod reference;
mod term;
mod wire;
