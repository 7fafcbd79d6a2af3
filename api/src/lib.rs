//! The HTTP API of Wijk aan Zet.

#![forbid(unsafe_code)]

pub mod advice;
pub mod advice_request;
pub mod app;
pub mod auth;
pub mod bi;
pub mod changes;
pub mod clock;
pub mod config;
pub mod contract;
pub mod coverage;
pub mod csv;
pub mod demo;
pub mod discovery;
pub mod docs;
pub mod dossier;
pub mod etag;
pub mod health;
pub mod history;
pub mod html;
pub mod import;
pub mod incoming;
pub mod journal;
pub mod latest;
pub mod metrics;
pub mod news;
pub mod openapi;
pub mod paging;
pub mod problem;
pub mod registry;
pub mod seal;
pub mod server;
pub mod stopping;
pub mod telemetry;
pub mod wire;
