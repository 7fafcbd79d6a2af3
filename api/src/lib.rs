//! The HTTP API of Wijk aan Zet.

pub mod advice;
pub mod advice_request;
pub mod app;
pub mod auth;
pub mod changes;
pub mod clock;
pub mod contract;
pub mod csv;
pub mod etag;
pub mod html;
pub mod incoming;
pub mod openapi;
pub mod paging;
pub mod problem;
pub mod registry;
pub mod wire;
