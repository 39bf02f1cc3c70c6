//! The exposition from outside: what a scrape of known accounts says, to the byte, and what no account, name or moment can make it say.

#[cfg(test)]
#[path = "exposition/contract.rs"]
mod contract;
#[cfg(test)]
#[path = "exposition/fixture.rs"]
mod fixture;
#[cfg(test)]
#[path = "exposition/golden.rs"]
mod golden;
#[cfg(test)]
#[path = "exposition/hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "exposition/presence.rs"]
mod presence;
#[cfg(test)]
#[path = "exposition/streaming.rs"]
mod streaming;
#[cfg(test)]
#[path = "exposition/strict.rs"]
mod strict;
