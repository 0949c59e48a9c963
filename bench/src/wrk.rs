//! The same load by a program of others: what our own clients cost, and leave out, is no longer among what is measured.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::serve::Load;

/// What is said at the end, after this word.
const TOLD: &str = "told";

/// Asks deployments, each a secret and a path, in turn from `clients` connections; nothing where wrk is not installed.
///
/// # Errors
/// Answers other than 200, connections that broke.
pub(crate) fn load(
    address: &str,
    deployed: &[(String, String)],
    bodies: &[String],
    clients: usize,
    spell: Duration,
    scratch: &Path,
) -> anyhow::Result<Option<Load>> {
    let script = scratch.join("load.lua");
    std::fs::write(&script, lua(deployed, bodies))?;
    let asked = Command::new("wrk")
        .args(["--threads", "2", "--timeout", "30s"])
        .arg(format!("--connections={clients}"))
        .arg(format!("--duration={}s", spell.as_secs()))
        .arg("--script")
        .arg(&script)
        .arg(address)
        .output();
    let output = match asked {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        asked => asked.context("wrk could not be run")?,
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let Some(told) = said.lines().find_map(|line| line.strip_prefix(TOLD)) else {
        bail!("wrk ended without a word: {said}{}", String::from_utf8_lossy(&output.stderr));
    };
    let numbers: Vec<f64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [requests, microseconds, failed, p50, p95, p99] = numbers[..] else {
        bail!("wrk told {told}");
    };
    ensure!(failed == 0.0, "{failed} of {requests} requests failed");
    let quantiles = [p50, p95, p99].map(|quantile| quantile / 1000.0);
    Ok(Some(Load { per_second: requests / (microseconds / 1e6), quantiles }))
}

/// What wrk asks. Nothing in a secret, a path or a body of JSON ends a string in long brackets.
fn lua(deployed: &[(String, String)], bodies: &[String]) -> String {
    let mut script = "local deployed, bodies = {}, {}\n".to_owned();
    for (secret, path) in deployed {
        writeln!(script, "deployed[#deployed + 1] = {{ [==[{secret}]==], [==[{path}]==] }}")
            .expect("a string takes what is written");
    }
    for body in bodies {
        writeln!(script, "bodies[#bodies + 1] = [==[{body}]==]").expect("a string takes what is written");
    }
    script
        + r#"
local threads = 0
function setup(thread)
  thread:set("next", threads * 7919)
  threads = threads + 1
end

function request()
  next = next + 1
  local secret, path = unpack(deployed[next % #deployed + 1])
  local headers = { ["authorization"] = "Bearer " .. secret, ["content-type"] = "application/json" }
  return wrk.format("POST", path, headers, bodies[next % #bodies + 1])
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print("told", summary.requests, summary.duration, failed,
    latency:percentile(50), latency:percentile(95), latency:percentile(99))
end
"#
}
