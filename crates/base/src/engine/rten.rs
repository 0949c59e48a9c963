//! Runs ONNX with `rten`: pure Rust, for bases that exist only as ONNX files, and as a second opinion on our own networks.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ::rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueOrView};
use rten_tensor::{NdTensor, NdTensorView, Tensor, prelude::*};

use super::{
    Engine, EngineError, NetInput, NetOutput, OnnxSpec, OutputSpec,
    frozen::{Feed, FeedValues, Fetched, OnnxEngine, Session},
};
use crate::{
    emit,
    graph::{Graph, GraphInput},
    weights::Weights,
};

const NAME: &str = "rten 0.27";

/// A network loaded into `rten`.
pub struct RtenEngine(OnnxEngine<RtenSession>);

impl RtenEngine {
    /// Loads an ONNX file; `spec` says how it is fed and read.
    pub fn from_file(path: &Path, spec: &OnnxSpec) -> Result<Self, EngineError> {
        let onnx = fs::read(path).map_err(|error| EngineError::backend(NAME, error))?;
        Self::from_onnx(onnx, spec.clone())
    }

    /// Loads an ONNX file that is already in memory; `spec` says how it is fed and read.
    pub fn from_onnx(onnx: Vec<u8>, spec: OnnxSpec) -> Result<Self, EngineError> {
        let model = ModelOptions::with_all_ops().prepack_weights(true).load(onnx);
        let session = RtenSession {
            model: model.map_err(|error| EngineError::backend(NAME, error))?,
            pools: Mutex::default(),
        };
        let names = spec.outputs.iter().map(|output| output.from.as_str());
        names.map(|name| session.id(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(OnnxEngine::new(session, spec, NAME)))
    }

    /// Writes a graph as ONNX and loads that.
    pub fn new(graph: &Graph, weights: &Weights) -> Result<Self, EngineError> {
        let onnx = emit::to_onnx(graph, weights).map_err(|error| EngineError::backend(NAME, error))?;
        Self::from_onnx(onnx, OnnxSpec::of_graph(graph))
    }
}

impl Engine for RtenEngine {
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

struct RtenSession {
    model: Model,
    /// Pools of one thread that no run is using. `rten` always runs inside a pool, and one shared pool of one thread would make
    /// callers wait for each other, so each run borrows its own.
    pools: Mutex<Vec<Arc<ThreadPool>>>,
}

impl RtenSession {
    fn id(&self, name: &str) -> Result<NodeId, EngineError> {
        self.model.node_id(name).map_err(|error| EngineError::backend(NAME, error))
    }

    fn idle_pools(&self) -> MutexGuard<'_, Vec<Arc<ThreadPool>>> {
        // A panic elsewhere cannot leave a list of pools half-changed.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for RtenSession {
    fn run(&self, feeds: &[Feed<'_>], fetch: &[&str]) -> Result<Vec<Fetched>, EngineError> {
        let inputs = feeds
            .iter()
            .map(|feed| Ok((self.id(feed.name)?, value(feed.values))))
            .collect::<Result<Vec<_>, EngineError>>()?;
        let outputs = fetch.iter().map(|name| self.id(name)).collect::<Result<Vec<_>, _>>()?;
        let idle = self.idle_pools().pop();
        let pool = idle.unwrap_or_else(|| Arc::new(ThreadPool::with_num_threads(1)));
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&pool)));
        let result = self.model.run(inputs, &outputs, Some(options));
        self.idle_pools().push(pool);
        let values = result.map_err(|error| EngineError::backend(NAME, error))?;
        let fetched = values.into_iter().zip(fetch).map(|(value, name)| {
            let tensor: Tensor<f32> = value
                .into_tensor()
                .ok_or_else(|| EngineError::backend(NAME, format!("`{name}` is not f32")))?;
            Ok(Fetched { shape: tensor.shape().to_vec(), values: tensor.into_data() })
        });
        fetched.collect()
    }
}

/// `rten` reads int64 inputs as int32.
fn value(values: FeedValues<'_>) -> ValueOrView<'_> {
    match values {
        FeedValues::Pixels { shape, values } => NdTensorView::from_data(shape, values).into(),
        FeedValues::Frames { shape, values } => NdTensorView::from_data(shape, values).into(),
        FeedValues::Tokens(ids) => {
            NdTensor::from_data([1, ids.len()], ids.iter().map(|id| *id as i32).collect::<Vec<_>>()).into()
        }
    }
}
