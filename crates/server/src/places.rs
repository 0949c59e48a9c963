//! Places for connections: so many for everybody, and so many of them for one address, which are counted before anything is read. Who says
//! nothing on all of theirs keeps no stranger out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::people::network_of;

/// Connections that are open at once; more wait for one to end.
const MOST_CONNECTIONS: usize = 4096;
/// What is told to whoever holds too many, before it is known what they ask or read: in both languages.
const TOO_MANY: &str = "{\"code\":\"too_many_connections\",\"message\":\"this address holds too many connections open at once \
     · 此地址同时打开的连接过多\",\"hint\":\"close some, or send several requests over one · 请关闭部分连接，或在同一连接中发送多个请求\",\
     \"request_id\":\"\"}";

/// Who holds how many connections.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    /// Of one address, of IPv6 one network; `None` sets no limit.
    of_each: Option<usize>,
    /// Whether an address may hold as many as it likes.
    is_free: fn(&IpAddr) -> bool,
    held: Mutex<HashMap<IpAddr, usize>>,
    n_refused: AtomicU64,
}

/// A place that is kept until a connection ends.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    holder: IpAddr,
    _one_of_all: OwnedSemaphorePermit,
}

impl Places {
    /// This machine itself is free: its proxy comes for everybody, and says only in what is read for whom.
    pub(crate) fn new(of_each: Option<u32>) -> Self {
        let of_each = of_each.map(|most| most as usize);
        Self::with(MOST_CONNECTIONS, of_each, |holder| holder.is_loopback())
    }

    fn with(all: usize, of_each: Option<usize>, is_free: fn(&IpAddr) -> bool) -> Self {
        let (all, held) = (Arc::new(Semaphore::new(all)), Mutex::default());
        Self { all, of_each, is_free, held, n_refused: AtomicU64::new(0) }
    }

    /// One for whoever comes next, once there is one.
    pub(crate) async fn next(&self) -> OwnedSemaphorePermit {
        self.all.clone().acquire_owned().await.expect("it is never closed")
    }

    /// Gives it to whoever came, unless they hold too many.
    pub(crate) fn give(self: &Arc<Self>, place: OwnedSemaphorePermit, peer: IpAddr) -> Option<Place> {
        let holder = network_of(peer);
        // The network is not asked: that of `::1` is no loopback.
        let most = self.of_each.filter(|_| !(self.is_free)(&peer.to_canonical())).unwrap_or(usize::MAX);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let n_held = held.entry(holder).or_default();
        if *n_held >= most {
            self.n_refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        *n_held += 1;
        Some(Place { places: self.clone(), holder, _one_of_all: place })
    }

    /// Connections that are open, and those that were refused so far.
    pub(crate) fn n_open_and_refused(&self) -> (u64, u64) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        (held.values().sum::<usize>() as u64, self.n_refused.load(Ordering::Relaxed))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n_held) = held.get_mut(&self.holder) {
            *n_held -= 1;
            if *n_held == 0 {
                held.remove(&self.holder);
            }
        }
    }
}

/// Closes a connection, and says why where that can be done without waiting.
pub(crate) fn refuse(socket: &TcpStream) {
    let length = TOO_MANY.len();
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nretry-after: 1\r\n\
         connection: close\r\n\r\n{TOO_MANY}"
    );
    // Who does not take it in is gone anyway.
    let _ = socket.try_write(answer.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::timeout;

    use super::*;
    use crate::listening::{PATIENCE, listen};

    const SOON: Duration = Duration::from_secs(5);
    const FLOOD: &str = "127.0.0.2";
    const STRANGER: &str = "127.0.0.3";

    /// A connection from one of this machine's addresses.
    async fn connect(from: &str, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(from.parse().expect("an address"), 0)).expect("bound");
        socket.connect(to).await.expect("a connection")
    }

    /// What is answered over a new connection; nothing where nobody answers soon.
    async fn asked(from: &str, to: SocketAddr) -> String {
        let mut stream = connect(from, to).await;
        let request = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.expect("somebody listens");
        heard(&mut stream).await
    }

    async fn heard(stream: &mut TcpStream) -> String {
        let mut told = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut told)).await;
        String::from_utf8_lossy(&told).into_owned()
    }

    #[tokio::test]
    async fn who_fills_all_their_places_keeps_no_stranger_out() {
        let places = Arc::new(Places::with(6, Some(3), |holder| *holder == IpAddr::from([127, 0, 0, 1])));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", get(|| async { "here" }));
        let listening =
            tokio::spawn(listen(listener, router, PATIENCE, places.clone(), std::future::pending()));
        // As many as there are places at all, and not a word is said on any.
        let mut flood = Vec::new();
        for _ in 0..6 {
            flood.push(connect(FLOOD, address).await);
        }
        let stranger = asked(STRANGER, address).await;
        assert!(stranger.starts_with("HTTP/1.1 200") && stranger.ends_with("here"), "{stranger}");
        for refused in &mut flood[3..] {
            let told = heard(refused).await;
            let body = told.strip_prefix("HTTP/1.1 429 ").and_then(|rest| rest.split("\r\n\r\n").nth(1));
            let body: serde_json::Value = serde_json::from_str(body.expect("a body")).expect("json");
            assert_eq!(body["code"], "too_many_connections");
        }
        assert_eq!(places.n_open_and_refused(), (3, 3));
        assert!(asked(FLOOD, address).await.starts_with("HTTP/1.1 429"));
        // One that is free, as a proxy of this machine, takes what is left.
        let _proxy = (connect("127.0.0.1", address).await, connect("127.0.0.1", address).await);
        assert!(asked("127.0.0.1", address).await.starts_with("HTTP/1.1 200"));
        // Who lets go of one has it again.
        flood.clear();
        let back = async {
            while places.n_open_and_refused().0 > 2 {
                tokio::task::yield_now().await;
            }
            asked(FLOOD, address).await
        };
        assert!(timeout(SOON, back).await.expect("soon").starts_with("HTTP/1.1 200"));
        listening.abort();
    }

    #[tokio::test]
    async fn a_network_is_one_and_this_machine_is_free() {
        let places = Arc::new(Places::new(Some(1)));
        let give = async |peer: &str| places.give(places.next().await, peer.parse().expect("an address"));
        let first = give("2001:db8:1:2::5").await;
        assert!(first.is_some() && give("2001:db8:1:2:9::6").await.is_none());
        assert!(give("2001:db8:1:3::5").await.is_some());
        let mapped = give("::ffff:203.0.113.7").await;
        assert!(mapped.is_some() && give("203.0.113.7").await.is_none());
        let mut local = Vec::new();
        for peer in ["127.0.0.1", "::ffff:127.0.0.1", "::1", "::1"] {
            local.extend(give(peer).await);
        }
        assert_eq!(local.len(), 4);
        drop((first, mapped, local));
        assert_eq!(places.n_open_and_refused(), (0, 2));
        assert!(places.held.lock().expect("nobody panicked").is_empty(), "who left is forgotten");
        let unlimited = Arc::new(Places::new(None));
        let peer = "203.0.113.7".parse().expect("an address");
        let mut held = Vec::new();
        for _ in 0..1000 {
            held.extend(unlimited.give(unlimited.next().await, peer));
        }
        assert_eq!(held.len(), 1000);
    }
}
