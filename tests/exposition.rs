//! The exposition from outside: what a scrape of known accounts says, to the byte, and what no account, name or moment can make it say.

#[path = "exposition/contract.rs"]
mod contract;
#[path = "exposition/fixture.rs"]
mod fixture;
#[path = "exposition/golden.rs"]
mod golden;
#[path = "exposition/hostile.rs"]
mod hostile;
#[path = "exposition/presence.rs"]
mod presence;
#[path = "exposition/streaming.rs"]
mod streaming;
#[path = "exposition/strict.rs"]
mod strict;
