//! The API as its callers meet it: through HTTP, on both databases.

mod support;

mod access;
mod access_dossiers;
mod advice;
mod advice_requests;
mod agreements;
mod bi;
mod collegetargets;
mod commitments;
mod concurrency;
mod contract;
mod import;
mod import_dossiers;
mod journal;
mod metrics;
mod participation;
mod reference;
mod running;
mod support_of_councils;
mod term;
mod wire;
