//! The rows, kind by kind.

pub mod accounts;
pub mod aws;
pub mod credentials;
pub mod discovery;
pub mod files;
pub mod network;
pub mod secrets;
pub mod shared_files;
pub mod time;
