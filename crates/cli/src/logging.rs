//! The log on stderr: only when asked for, but of a server, whose log is all that is seen of it.

use std::fmt;

use clap::ValueEnum;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// How a server writes its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For programs, an object a line
    Json,
}

/// Begins the log of a verb that ends by itself; what a person should read is printed by the verbs.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => "error",
        1 => "info",
        _ => "debug",
    };
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(level));
    log.with_writer(std::io::stderr).without_time().init();
}

/// Begins the log of a server: when it starts and stops, jobs, and requests that had no good answer.
pub(crate) fn start_serving(quiet: bool, verbose: u8, format: LogFormat) {
    let level = match verbose {
        _ if quiet => "error",
        // The database notices at each start that its tables are there already.
        0 => "info,sqlx::postgres::notice=warn",
        // With every request.
        1 => "info,server=debug",
        _ => "debug",
    };
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(level)).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.fmt_fields(Fields).event_format(Lines).init(),
    }
}

/// Fields as an object.
struct Fields;

/// Events as an object a line: when, how bad, who says it, and what, with what was being done by its name.
struct Lines;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, mut out: Writer<'w>, fields: R) -> fmt::Result {
        let mut told = Told::default();
        fields.record(&mut told);
        write!(out, "{}", Value::Object(told.0))
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let about = event.metadata();
        let mut told = Told::default();
        told.add("time", time);
        told.add("level", about.level().as_str());
        told.add("target", about.target());
        event.record(&mut told);
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>();
            let fields = fields.and_then(|fields| serde_json::from_str::<Value>(&fields.fields).ok());
            told.add(span.name(), fields.unwrap_or_default());
        }
        writeln!(out, "{}", Value::Object(told.0))
    }
}

/// Fields in their order.
#[derive(Default)]
struct Told(Map<String, Value>);

impl Told {
    fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), format!("{value:?}"));
    }
}
