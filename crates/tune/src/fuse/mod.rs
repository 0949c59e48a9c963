//! Makes one answer of several senses of an example, any of which may be missing (methods 7.1 to 7.4).
//!
//! [`choose`] compares the best single sense, a log-linear pool of the senses' heads ([`LatePool`]), a joint Gaussian model of
//! their features ([`JointGda`]) and a pool whose weights depend on the example ([`GatedPool`]), and ships a fused model only where it
//! earns its place. [`Fused::answer`] answers for whatever
//! senses are there, listens less to those that look unlike anything seen, and says which it relied on. [`masked_losses`] tells what
//! each sense is worth, [`conflicts`] where senses contradict each other.

mod answer;
mod block;
mod choice;
mod conflict;
mod coupling;
mod gated;
mod input;
mod joint;
mod masked;
mod pool;
mod subset;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Basis, Fused, Seen, Single, UNFAMILIAR, trust};
pub use choice::{Choice, Difference, Kind, Tried, choose};
pub use conflict::{Conflicts, conflicts, disagreement};
pub use gated::GatedPool;
pub use input::{FuseInput, Sense};
pub use joint::JointGda;
pub use masked::{MaskedLoss, masked_losses};
pub use pool::LatePool;
pub use subset::Subset;
