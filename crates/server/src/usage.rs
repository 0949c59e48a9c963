//! How often deployments are asked, and how long they take.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::db::Tenant;

/// Latest requests whose times are kept.
const KEPT: usize = 512;

/// Since the server started.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    of: Mutex<HashMap<(Tenant, String), Asked>>,
}

#[derive(Debug, Default)]
struct Asked {
    n: u64,
    latest: VecDeque<Duration>,
}

impl Usage {
    pub(crate) fn count(&self, tenant: &Tenant, name: &str, took: Duration) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = of.entry((tenant.clone(), name.to_owned())).or_default();
        asked.n += 1;
        if asked.latest.len() == KEPT {
            asked.latest.pop_front();
        }
        asked.latest.push_back(took);
    }

    /// How often, and the median time of the latest, in milliseconds.
    pub(crate) fn of(&self, tenant: &Tenant, name: &str) -> (u64, Option<f64>) {
        let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(asked) = of.get(&(tenant.clone(), name.to_owned())) else { return (0, None) };
        let mut times: Vec<Duration> = asked.latest.iter().copied().collect();
        times.sort_unstable();
        (asked.n, times.get(times.len() / 2).map(|time| 1000.0 * time.as_secs_f64()))
    }
}
