//! The configuration, from outside: a corpus of bad files, each named for its one fault, with the exact errors it gives; a corpus of good files
//! with what is read from them; hostile texts; and the documents that are held equal to the code.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says by failing what is wrong"
)]

#[path = "config/corpus.rs"]
mod corpus;
#[path = "config/docs.rs"]
mod docs;
#[path = "config/hostile.rs"]
mod hostile;
#[path = "config/iam.rs"]
mod iam;
