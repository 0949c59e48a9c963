//! The server, asked over HTTP as its users ask it.

mod answers;
mod away;
mod book;
mod clips;
mod ending;
mod expiring;
mod fresh;
mod history;
mod hostile;
mod inspector;
mod marks;
mod oidc;
mod pieces;
mod postgres;
mod provider;
mod returning;
mod running;
mod senses;
mod shared;
mod story;
mod strangers;
mod together;
mod trail;
mod upgrade;
mod votes;
mod watching;
