//! Who asks while nobody knows who they are: known by their address alone.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::Caller;
use crate::App;
use crate::error::ApiError;

/// What keepers ask again and again, as nobody: whether the server lives.
const PROBES: [&str; 4] = ["/health", "/ready", "/v2/health/live", "/v2/health/ready"];
/// Groups of an IPv6 address that all of one network have in common: whoever has one address there may take any other.
const NETWORK: usize = 4;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Where a request comes from; `None` where that cannot be told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin(pub(crate) Option<IpAddr>);

impl Origin {
    /// By the other end, and what a proxy says.
    pub(crate) fn of(peer: Option<Peer>, headers: &HeaderMap) -> Self {
        Self(peer.map(|Peer(peer)| address_of(peer, headers)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(None)))
    }
}

/// A request that counts for an address until it is known who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted(pub(crate) IpAddr);

/// Counts a request for its address. Where too many came from there, only those go on who are known; to find that out asks the database.
pub(crate) async fn admit(
    app: &Arc<App>,
    route: &str,
    Origin(address): Origin,
    headers: &HeaderMap,
) -> Result<Option<Counted>, ApiError> {
    let Some(address) = address.filter(|_| !PROBES.contains(&route)) else { return Ok(None) };
    match app.strangers.take(&address) {
        Ok(()) => Ok(Some(Counted(address))),
        Err(_) if Caller::known(app, headers).await?.is_some() => Ok(None),
        Err(too_fast) => Err(too_fast),
    }
}

/// Where a request comes from: the other end, or for whom a proxy on this machine asks. It adds the address that it sees at the end of
/// `X-Forwarded-For`; all before that, and all that comes from other machines, may be made up.
fn address_of(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    let named = headers.get_all("x-forwarded-for").iter().next_back();
    let last = named.and_then(|value| value.to_str().ok()?.rsplit(',').next()).map(str::trim);
    let read =
        |text: &str| text.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    network_of(last.filter(|_| peer.is_loopback()).and_then(read).unwrap_or(peer))
}

/// What counts as one address: of IPv6 one network.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut segments = address.segments();
            segments[NETWORK..].fill(0);
            Ipv6Addr::from(segments).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], address: &str) {
        let mut headers = HeaderMap::new();
        forwarded.iter().for_each(|value| {
            headers.append("x-forwarded-for", value.parse().expect("a header"));
        });
        let peer = peer.parse().expect("an address");
        assert_eq!(address_of(peer, &headers).to_string(), address, "{peer} {forwarded:?}");
    }

    #[test]
    fn a_proxy_of_this_machine_says_for_whom_it_asks() {
        check("203.0.113.7", &[], "203.0.113.7");
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["203.0.113.7"], "203.0.113.7");
        check("::ffff:127.0.0.1", &["203.0.113.7:5050"], "203.0.113.7");
        // What the client wrote itself stands before.
        check("127.0.0.1", &["198.51.100.1, 203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["198.51.100.1", "203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["198.51.100.1, nonsense"], "127.0.0.1");
    }

    #[test]
    fn nobody_else_does_and_a_network_is_one() {
        check("192.168.0.9", &["203.0.113.7"], "192.168.0.9");
        check("2001:db8:1:2:3:4:5:6", &["203.0.113.7"], "2001:db8:1:2::");
        check("::1", &["2001:db8:1:2::9"], "2001:db8:1:2::");
    }
}
