//! Arguments of the verbs that open a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct StudioArguments {
    /// Keep data, labels and models in this folder (default: dianjing in the user's data folder)
    #[arg(long, value_name = "DIR", env = "DIANJING_DATA")]
    pub(crate) dir: Option<PathBuf>,
    /// Listen on this port of this machine; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 7878)]
    pub(crate) port: u16,
    /// Print the address and leave the browser alone
    #[arg(long)]
    pub(crate) no_open: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Keep blobs, models and, without --database, everything else in this folder (default: dianjing in the user's data folder)
    #[arg(long, value_name = "DIR", env = "DIANJING_DATA")]
    pub(crate) dir: Option<PathBuf>,
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7878")]
    pub(crate) listen: SocketAddr,
    /// Use this PostgreSQL database, such as postgres://user@host/name
    #[arg(long, value_name = "URL", env = "DIANJING_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Keep files in this object store, such as s3://bucket/folder; keys come from the environment, as AWS_ACCESS_KEY_ID
    #[arg(long, value_name = "URL", env = "DIANJING_STORE", hide_env_values = true, requires = "database")]
    pub(crate) store: Option<String>,
    /// Do this many long jobs at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: u16,
    /// Answer at most this many requests a second of one person and their programs, five seconds' worth at once; 0 sets no limit
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) max_rate: u32,
    /// Let each tenant have at most this many examples (default: no limit)
    #[arg(long, value_name = "N")]
    pub(crate) max_examples: Option<u32>,
    /// Print the OpenAPI document of the interface instead
    #[arg(long)]
    pub(crate) openapi: bool,
}
