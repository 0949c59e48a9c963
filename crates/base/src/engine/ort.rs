//! Runs ONNX with ONNX Runtime, when its library is found at run time.
//!
//! The library is loaded from a path that the caller gives (there is none inside the program) and stays loaded: a process has one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use ::ort::{
    environment::Environment,
    session::{Session as OrtSession, SessionInputValue},
    value::{Tensor, TensorElementType, TensorRef, ValueType},
};

use super::{
    Engine, EngineError, NetInput, NetOutput, OnnxSpec, OutputSpec,
    frozen::{Feed, FeedValues, Fetched, OnnxEngine, Session},
};
use crate::{
    emit,
    graph::{Graph, GraphInput},
    weights::Weights,
};

const NAME: &str = "onnxruntime";

/// The library that this process has loaded.
#[derive(Debug, Clone)]
struct Library(&'static Loaded);

#[derive(Debug)]
struct Loaded {
    path: PathBuf,
    environment: Result<Environment, String>,
}

static LOADED: OnceLock<Loaded> = OnceLock::new();

impl Library {
    /// Loads the library (`libonnxruntime.so`, `onnxruntime.dll`, ...) at `path`. A process can load one; asking for another is an error.
    fn load(path: &Path) -> Result<Self, EngineError> {
        let loaded = LOADED.get_or_init(|| Loaded { path: path.to_owned(), environment: open(path) });
        match &loaded.environment {
            Err(message) => Err(EngineError::backend(NAME, message.clone())),
            Ok(_) if loaded.path == path => Ok(Self(loaded)),
            Ok(_) => {
                Err(EngineError::backend(NAME, format!("`{}` is already loaded", loaded.path.display())))
            }
        }
    }

    fn session(&self, onnx: &[u8]) -> Result<OrtSession, EngineError> {
        let environment =
            self.0.environment.as_ref().map_err(|message| EngineError::backend(NAME, message.clone()))?;
        build(environment, onnx).map_err(|error| EngineError::backend(NAME, error))
    }
}

fn open(path: &Path) -> Result<Environment, String> {
    let builder =
        ::ort::init_from(path).map_err(|error| format!("cannot load `{}`: {error}", path.display()))?;
    builder.with_name("dianjing").with_telemetry(false).build().map_err(|error| error.to_string())
}

/// A session of one thread: callers run examples in parallel, and a sum split over threads would depend on their number.
fn build(environment: &Environment, onnx: &[u8]) -> ::ort::Result<OrtSession> {
    OrtSession::builder(environment)?.with_intra_threads(1)?.with_inter_threads(1)?.commit_from_memory(onnx)
}

/// A network loaded into ONNX Runtime.
pub struct OrtEngine(OnnxEngine<Sessions>);

impl OrtEngine {
    /// Loads the runtime at `library` and in it an ONNX file; `spec` says how it is fed and read.
    pub fn from_file(library: &Path, path: &Path, spec: &OnnxSpec) -> Result<Self, EngineError> {
        let onnx = fs::read(path).map_err(|error| EngineError::backend(NAME, error))?;
        Self::from_onnx(library, onnx, spec.clone())
    }

    /// Loads the runtime at `library` and in it an ONNX file that is already in memory; `spec` says how it is fed and read.
    pub fn from_onnx(library: &Path, onnx: Vec<u8>, spec: OnnxSpec) -> Result<Self, EngineError> {
        let library = Library::load(library)?;
        let first = library.session(&onnx)?;
        let sessions = Sessions { library, onnx, idle: Mutex::new(vec![first]) };
        Ok(Self(OnnxEngine::new(sessions, spec, NAME)))
    }

    /// Loads the runtime at `library` and in it a graph, written as ONNX.
    pub fn new(library: &Path, graph: &Graph, weights: &Weights) -> Result<Self, EngineError> {
        let onnx = emit::to_onnx(graph, weights).map_err(|error| EngineError::backend(NAME, error))?;
        Self::from_onnx(library, onnx, OnnxSpec::of_graph(graph))
    }
}

impl Engine for OrtEngine {
    fn run(&self, input: NetInput<'_>) -> Result<Vec<NetOutput>, EngineError> {
        self.0.run(input)
    }

    fn input(&self) -> GraphInput {
        self.0.input()
    }

    fn outputs(&self) -> &[OutputSpec] {
        self.0.outputs()
    }

    fn name(&self) -> &str {
        self.0.name()
    }
}

/// One session per thread that runs at once, made when first needed: the binding lets a session run once at a time.
struct Sessions {
    library: Library,
    onnx: Vec<u8>,
    idle: Mutex<Vec<OrtSession>>,
}

impl Sessions {
    fn idle(&self) -> MutexGuard<'_, Vec<OrtSession>> {
        // A panic elsewhere cannot leave a list of sessions half-changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for Sessions {
    fn run(&self, feeds: &[Feed<'_>], fetch: &[&str]) -> Result<Vec<Fetched>, EngineError> {
        let idle = self.idle().pop();
        let mut session = match idle {
            Some(session) => session,
            None => self.library.session(&self.onnx)?,
        };
        let result = run(&mut session, feeds, fetch);
        self.idle().push(session);
        result.map_err(|error| EngineError::backend(NAME, error))
    }
}

fn run(session: &mut OrtSession, feeds: &[Feed<'_>], fetch: &[&str]) -> ::ort::Result<Vec<Fetched>> {
    let inputs = feeds
        .iter()
        .map(|feed| Ok((feed.name, value(session, *feed)?)))
        .collect::<::ort::Result<Vec<_>>>()?;
    let outputs = session.run(inputs)?;
    let fetched = fetch.iter().map(|name| {
        let value =
            outputs.get(name).ok_or_else(|| ::ort::Error::new(format!("there is no output `{name}`")))?;
        let (shape, values) = value.try_extract_tensor::<f32>()?;
        Ok(Fetched { shape: shape.iter().map(|len| *len as usize).collect(), values: values.to_vec() })
    });
    fetched.collect()
}

/// Token ids are int64 in nearly every file; a file that wants int32 says so in its inputs.
fn value<'v>(session: &OrtSession, feed: Feed<'v>) -> ::ort::Result<SessionInputValue<'v>> {
    match feed.values {
        FeedValues::Pixels { shape, values } => Ok(TensorRef::from_array_view((shape, values))?.into()),
        FeedValues::Frames { shape, values } => Ok(TensorRef::from_array_view((shape, values))?.into()),
        FeedValues::Tokens(ids) => {
            let wanted =
                session.inputs().iter().find(|input| input.name() == feed.name).map(|input| input.dtype());
            let shape = [1, ids.len()];
            if matches!(wanted, Some(ValueType::Tensor { ty: TensorElementType::Int32, .. })) {
                return Ok(
                    Tensor::from_array((shape, ids.iter().map(|id| *id as i32).collect::<Vec<_>>()))?.into()
                );
            }
            Ok(Tensor::from_array((shape, ids.iter().map(|id| i64::from(*id)).collect::<Vec<_>>()))?.into())
        }
    }
}
