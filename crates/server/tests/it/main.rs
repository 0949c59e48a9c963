//! The server, asked over HTTP as its users ask it.

mod fresh;
mod hostile;
mod postgres;
mod returning;
mod running;
mod story;
mod strangers;
