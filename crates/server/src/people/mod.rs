//! Who asks, and what they may do.

mod caller;
mod cookie;
mod email;
mod keys;
mod pace;
mod password;
mod role;
mod stranger;

pub(crate) use caller::Caller;
pub(crate) use cookie::{
    came_over_tls, cookie_of, entrance_cookie, entrance_of, forget_cookie, forget_entrance, session_cookie,
};
pub(crate) use email::email_of;
pub(crate) use keys::{Attempts, Keys};
pub(crate) use pace::Pace;
pub(crate) use password::{hash_password, password_fits};
pub(crate) use role::{Right, Role, Scope};
pub(crate) use stranger::{Counted, Origin, Peer, admit, network_of};
