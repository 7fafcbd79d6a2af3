//! The API as its callers meet it: through HTTP, on both databases.

#![forbid(unsafe_code)]

mod support;

mod access;
mod access_dossiers;
mod advice;
mod advice_requests;
mod agreements;
mod backup;
mod bi;
mod caching;
mod collegetargets;
mod commitments;
mod concurrency;
mod contract;
mod history;
mod hostile;
mod import;
mod import_dossiers;
mod journal;
mod metrics;
mod oauth;
mod participation;
mod reference;
mod replica;
mod running;
mod support_of_councils;
mod term;
mod visibility;
mod wire;
