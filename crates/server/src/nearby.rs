//! How other devices of the same network find this server, and come in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use qrcode::{Color, EcLevel, QrCode};
use url::form_urlencoded::byte_serialize;

/// How long a key for another device fits.
pub(crate) const SPELL: Duration = Duration::from_secs(600);
/// A place that no packet is sent to: the system only says from which of its addresses one would go.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// An address that lets another device in once, and the same as a QR code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// With the key.
    pub address: String,
    /// Rows of equal length, `true` where it is dark; the quiet zone around it is not part of it.
    pub code: Vec<Vec<bool>>,
}

/// A door for each address at which other devices may find this server, the likeliest first, that leads to a page of the studio; none where it
/// listens on this machine alone.
pub(crate) fn doors(listening: SocketAddr, key: &str, page: Option<&str>) -> Vec<Door> {
    let page = page.map(|page| byte_serialize(page.as_bytes()).collect::<String>());
    let page = page.map_or_else(String::new, |page| format!("?to={page}"));
    let door = |ip| {
        let address = format!("http://{}/#/enter/{key}{page}", SocketAddr::new(ip, listening.port()));
        Door { code: code(&address), address }
    };
    addresses(listening.ip()).into_iter().map(door).collect()
}

/// Whether anybody but this machine can come.
pub(crate) fn is_open(listening: SocketAddr) -> bool {
    !listening.ip().is_loopback()
}

fn addresses(listening: IpAddr) -> Vec<IpAddr> {
    if listening.is_loopback() {
        return Vec::new();
    }
    if !listening.is_unspecified() {
        return vec![listening];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this machine cannot be listed");
        Vec::new()
    });
    let others = interfaces.iter().filter(|interface| !interface.is_loopback()).map(if_addrs::Interface::ip);
    // Phones have every one of them; addresses of IPv6 that are only good on one link do not fit into a browser.
    let mut addresses: Vec<IpAddr> = others.filter(IpAddr::is_ipv4).collect();
    let usual = usual();
    addresses.sort_by_key(|address| (Some(*address) != usual, *address));
    addresses.dedup();
    addresses
}

/// The address that packets to other networks go from: that of the network which people mean, rather than of a virtual machine's.
fn usual() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn code(address: &str) -> Vec<Vec<bool>> {
    let code = QrCode::with_error_correction_level(address, EcLevel::L).expect("an address is short");
    let colours = code.to_colors();
    colours
        .chunks(code.width())
        .map(|row| row.iter().map(|colour| *colour == Color::Dark).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_this_machine_alone_has_no_doors() {
        for listening in ["127.0.0.1:7878", "[::1]:7878"] {
            let listening = listening.parse().expect("an address");
            assert!(doors(listening, "key", None).is_empty() && !is_open(listening));
        }
    }

    #[test]
    fn a_door_leads_to_the_address_with_its_key_and_its_code_says_so() {
        let listening = "192.0.2.7:7878".parse().expect("an address");
        let doors = doors(listening, "k-1_", Some("/d/x y"));
        assert_eq!(doors.len(), 1);
        assert_eq!(doors[0].address, "http://192.0.2.7:7878/#/enter/k-1_?to=%2Fd%2Fx+y");
        let code = &doors[0].code;
        assert!(code.iter().all(|row| row.len() == code.len()));
        // The finder in three of four corners: a dark square of seven with a ring of light.
        let finder = |row: usize, column: usize| {
            (0..7).all(|place| code[row][column + place] && code[row + place][column])
        };
        let far = code.len() - 7;
        assert!(finder(0, 0) && finder(0, far) && finder(far, 0) && !finder(far, far));
    }

    #[test]
    fn a_server_of_all_addresses_has_none_of_its_own_machine() {
        let listening = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7878));
        assert!(is_open(listening));
        for door in doors(listening, "key", None) {
            assert!(
                !door.address.contains("127.0.0.1") && !door.address.contains("0.0.0.0"),
                "{}",
                door.address
            );
        }
    }
}
