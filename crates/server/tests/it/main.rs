//! The server, asked over HTTP as its users ask it.

mod client;
mod hostile;
mod story;
mod strangers;
