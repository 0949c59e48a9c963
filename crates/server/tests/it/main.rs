//! The server, asked over HTTP as its users ask it.

mod answers;
mod fresh;
mod hostile;
mod inspector;
mod postgres;
mod returning;
mod running;
mod shared;
mod story;
mod strangers;
mod votes;
mod watching;
