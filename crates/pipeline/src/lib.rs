//! Runs the journey: files, base, curate, tune, evaluate, bundle, use. The one API that the doors share.
//!
//! | to | call |
//! |---|---|
//! | make a small model from a folder or a table | [`tune`](fn@tune) |
//! | see what looks wrong in the data | [`audit`](fn@audit), [`audit_arrays`] |
//! | say how much of what was found is right | [`Review`] |
//! | make a new revision of what is accepted | [`apply`] |
//! | choose what to label next | [`select`] |
//! | stand beside who labels: how good, what next | [`Quick`] |
//! | make one label of many votes | [`weigh_votes`] |
//! | ask it about new files | [`predict`], [`predict_senses`] |
//! | lay two senses over each other; search across | [`align`](fn@align), [`search`], [`name_by_words`] |
//! | measure it on held-out data | [`evaluate`](fn@evaluate), [`evaluate_senses`] |
//! | find, get and open bases and bundles | [`Home`] |
//! | show what was found | [`report`] |
//!
//! Everything that is slow reports [`Event`]s and stops soon after its [`Run`] is cancelled; what was computed stays in
//! the cache, so the next run goes on from there.

mod advice;
mod aligning;
mod applying;
mod assess;
mod audit;
mod auditing;
pub mod chinese_errors;
mod columns;
mod crowd;
mod error;
mod events;
mod features;
mod held_out;
mod home;
mod inspect;
mod inspecting;
mod journey;
mod juror;
mod lang;
mod naming;
pub mod pieces;
mod predicting;
mod quick;
mod reasons;
pub mod report;
mod report_data;
mod reviewing;
mod selecting;
mod senses;
mod source;
mod taken;
mod telling;
pub mod words;

pub use aligning::{AlignRequest, Aligning, Hit, Named, Query, align, name_by_words, search};
pub use applying::{
    Accepted, Answered, ApplyError, ApplyRequest, Applying, BookRequest, Change, Findings, NewLabel,
    Revision, Said, StoredFinding, record_of,
};
pub use auditing::{
    Action, Advice, Against, Answer, ArrayError, ArraysRequest, Audit, AuditFinding, AuditRequest, BookState,
    Broken, Confusion, FaultSummary, Gain, GivenArrays, Metric, Neighbour, Noise, Offered, Pair, Rulebook,
    Rules, StoredCase, View, ViewSays, audit, audit_arrays, measured,
};
pub use columns::{Columns, TableForm, Values};
pub use crowd::{
    ConsensusRequest, Crowd, CrowdAnnotator, CrowdChange, CrowdItem, CrowdQuestion, NoVoteColumn, VoteScale,
    weigh_votes,
};
pub use curate::consensus::{Evidence, Part};
pub use curate::faults::Fault;
pub use curate::select::{Half, Halves, Method};
pub use error::PipelineError;
pub use events::{Event, Run, Step};
pub use held_out::{HeldOut, evaluate};
pub use home::Home;
pub use inspect::{
    Blind, COST_FROM, CostUse, DetectorNeeds, InspectRequest, Inspecting, NamedKinds, NamedRow, OfKind,
    Orientation, Suspect, inspect,
};
pub use inspecting::{
    DRAWN, InspectedRow, InspectorMeasures, heat_picture, inspect_photos, measure_inspector, odd,
};
pub use journey::{HeldOutAnswer, TuneRequest, Tuning, tune};
pub use lang::{Lang, counted, percent};
pub use naming::Subject;
pub use predicting::{PredictedRow, predict, predict_lines};
pub use quick::{Answers, Judged, Quick, Says};
pub use reviewing::{Review, Reviewed, Share, Verdict};
pub use selecting::{Amount, Choice, ChosenExample, CostError, Outlook, SelectRequest, select};
pub use senses::{evaluate_senses, predict_senses};
pub use source::{InspectionSource, Source};
pub use taken::taken_for;
