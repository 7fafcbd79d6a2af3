//! The API as its callers meet it: through HTTP, on both databases.

mod support;

mod access;
mod advice;
mod advice_requests;
mod concurrency;
mod contract;
mod import;
mod import_dossiers;
mod journal;
mod reference;
mod term;
mod wire;
