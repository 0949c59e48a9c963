//! Runs the journey: order, caching, resume, progress events, report.
