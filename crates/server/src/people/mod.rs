//! Who asks, and what they may do.

mod caller;
mod cookie;
mod keys;
mod pace;
mod password;
mod role;

pub(crate) use caller::Caller;
pub(crate) use cookie::{cookie_of, forget_cookie, session_cookie};
pub(crate) use keys::{Attempts, Keys};
pub(crate) use pace::Pace;
pub(crate) use password::{hash_password, password_fits};
pub(crate) use role::{Right, Role, Scope};
