//! Arguments of the verbs that open a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::logging::LogFormat;

#[derive(Debug, Args)]
pub(crate) struct StudioArguments {
    /// Keep data, labels and models in this folder (default: dianjing in the user's data folder)
    #[arg(long, value_name = "DIR", env = "DIANJING_DATA")]
    pub(crate) dir: Option<PathBuf>,
    /// Listen on this port of this machine; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 7878)]
    pub(crate) port: u16,
    /// Let phones and other devices of the same network in as well, each with a code that the studio shows; over plain HTTP, for networks that you trust
    #[arg(long)]
    pub(crate) phone: bool,
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
    /// Let copies of what the store keeps take at most this many bytes of the folder, such as 50G (default: no limit)
    #[arg(long, value_name = "BYTES", value_parser = bytes, requires = "store")]
    pub(crate) max_copies: Option<u64>,
    /// Do this many long jobs at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: u16,
    /// Answer at most this many requests a second of one person and their programs, and of one address before log-in, five seconds' worth at once; 0 sets no limit
    #[arg(long, value_name = "N", default_value_t = Self::MAX_RATE)]
    pub(crate) max_rate: u32,
    /// Let one address (of IPv6 one network) hold at most this many connections open, those of this machine and of a proxy on it aside; 0 sets no limit
    #[arg(long, value_name = "N", default_value_t = Self::MAX_CONNECTIONS)]
    pub(crate) max_connections: u32,
    /// Let each tenant have at most this many examples (default: no limit)
    #[arg(long, value_name = "N")]
    pub(crate) max_examples: Option<u32>,
    /// Let each tenant keep files and texts of at most this many bytes, such as 50G (default: no limit)
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) max_bytes: Option<u64>,
    /// Let people log in with this provider of OpenID Connect, such as https://accounts.example.com; its secret comes from DIANJING_OIDC_SECRET
    #[arg(long, value_name = "URL", requires = "oidc_client_id")]
    pub(crate) oidc_issuer: Option<String>,
    /// Go by this client id at the provider
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    pub(crate) oidc_client_id: Option<String>,
    /// Call the provider this on the button (default: the host of its address)
    #[arg(long, value_name = "NAME", requires = "oidc_issuer")]
    pub(crate) oidc_name: Option<String>,
    /// Let everybody in, as viewers of the first team, who has a verified e-mail of this domain at the provider
    #[arg(long, value_name = "DOMAIN", requires = "oidc_issuer")]
    pub(crate) oidc_domain: Option<String>,
    /// Write the log, on stderr, for people or for programs
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Print the OpenAPI document of the interface instead
    #[arg(long)]
    pub(crate) openapi: bool,
}

impl ServeArguments {
    /// Requests a second, unless said otherwise.
    pub(crate) const MAX_RATE: u32 = 1000;
    /// Connections of one address, unless said otherwise.
    pub(crate) const MAX_CONNECTIONS: u32 = 256;
}

/// `50G`, `512M`, `4096`; units count by the thousand, as the studio shows them.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [('K', 1), ('M', 2), ('G', 3), ('T', 4)];
    let unit = units.into_iter().find(|(unit, _)| text.to_ascii_uppercase().ends_with(*unit));
    let number = if unit.is_some() { &text[..text.len() - 1] } else { text };
    let number: u64 = number.parse().map_err(|_| "a number, perhaps with K, M, G or T".to_owned())?;
    number
        .checked_mul(1000_u64.pow(unit.map_or(0, |(_, power)| power)))
        .ok_or_else(|| "too many bytes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_may_have_a_unit() {
        assert_eq!(
            ["4096", "2k", "512M", "50G", "1T"].map(bytes),
            [4096, 2000, 512_000_000, 50_000_000_000, 1_000_000_000_000].map(Ok)
        );
        for odd in ["", "G", "1.5G", "-1", "1X", "九G", "99999999T"] {
            assert!(bytes(odd).is_err(), "{odd}");
        }
    }
}
