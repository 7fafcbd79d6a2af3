//! The API as its callers meet it: through HTTP, on both databases.

mod support;

mod access;
mod advice;
mod advice_requests;
mod bi;
mod concurrency;
mod contract;
mod import;
mod journal;
mod reference;
mod term;
mod wire;
