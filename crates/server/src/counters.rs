//! What is counted, in the text format that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of latencies, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Requests by route and status.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    routes: Mutex<BTreeMap<(String, u16), Latencies>>,
    wrong_passwords: AtomicU64,
}

#[derive(Debug, Default, Clone)]
struct Latencies {
    /// Requests that took no longer than each bucket's end, not cumulated; the last one is for slower ones.
    buckets: [u64; BUCKETS.len() + 1],
    sum: f64,
}

impl Counters {
    pub(crate) fn count(&self, route: &str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|end| seconds <= *end).unwrap_or(BUCKETS.len());
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let latencies = routes.entry((route.to_owned(), status)).or_default();
        latencies.buckets[bucket] += 1;
        latencies.sum += seconds;
    }

    pub(crate) fn wrong_password(&self) {
        self.wrong_passwords.fetch_add(1, Ordering::Relaxed);
    }

    /// The page that is scraped. Patterns of routes only, never a name that somebody gave.
    pub(crate) fn page(&self, (n_inputs, n_batches): (u64, u64), (n_open, n_refused): (u64, u64)) -> String {
        let mut page = String::from(
            "# HELP dianjing_request_seconds How long requests took.\n# TYPE dianjing_request_seconds histogram\n",
        );
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((route, status), latencies) in routes {
            let labels = format!("route=\"{route}\",status=\"{status}\"");
            let mut n = 0;
            for (end, count) in BUCKETS.iter().zip(latencies.buckets) {
                n += count;
                let _ = writeln!(page, "dianjing_request_seconds_bucket{{{labels},le=\"{end}\"}} {n}");
            }
            n += latencies.buckets[BUCKETS.len()];
            let _ = writeln!(page, "dianjing_request_seconds_bucket{{{labels},le=\"+Inf\"}} {n}");
            let _ = writeln!(page, "dianjing_request_seconds_sum{{{labels}}} {}", latencies.sum);
            let _ = writeln!(page, "dianjing_request_seconds_count{{{labels}}} {n}");
        }
        let n_wrong = self.wrong_passwords.load(Ordering::Relaxed);
        for (name, kind, help, n) in [
            (
                "dianjing_wrong_passwords_total",
                "counter",
                "Passwords that were tried and were wrong.",
                n_wrong,
            ),
            ("dianjing_inputs_total", "counter", "Inputs that went through bases.", n_inputs),
            (
                "dianjing_batches_total",
                "counter",
                "Batches in which they did, of all models and tenants together.",
                n_batches,
            ),
            ("dianjing_connections", "gauge", "Connections that are open.", n_open),
            (
                "dianjing_connections_refused_total",
                "counter",
                "Connections of addresses that held too many.",
                n_refused,
            ),
        ] {
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {n}");
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulated() {
        let counters = Counters::default();
        counters.count("/v1/status", 200, Duration::from_millis(2));
        counters.count("/v1/status", 200, Duration::from_secs(9));
        let page = counters.page((3, 2), (5, 4));
        assert!(page.contains("{route=\"/v1/status\",status=\"200\",le=\"0.001\"} 0\n"));
        assert!(page.contains("{route=\"/v1/status\",status=\"200\",le=\"0.0025\"} 1\n"));
        assert!(page.contains("{route=\"/v1/status\",status=\"200\",le=\"+Inf\"} 2\n"));
        assert!(page.contains("dianjing_inputs_total 3\n") && page.contains("dianjing_batches_total 2\n"));
        let open = "# TYPE dianjing_connections gauge\ndianjing_connections 5\n";
        assert!(page.contains(open) && page.contains("dianjing_connections_refused_total 4\n"));
    }
}
