//! Runs an ONNX file through some runtime: feeds it, and takes of its outputs what the description says.

use super::{
    Engine, EngineError, ImageLayout, NetInput, NetOutput, OnnxInput, OnnxOutput, OnnxSpec, OutputSpec, Take,
    check_input,
};
use crate::graph::GraphInput;

/// A runtime with one file loaded. Calls come from many threads at once.
pub(super) trait Session: Send + Sync {
    /// Runs the file on one thread and gives the named outputs in that order.
    fn run(&self, feeds: &[Feed<'_>], fetch: &[&str]) -> Result<Vec<Fetched>, EngineError>;
}

/// One input of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Feed<'a> {
    pub(super) name: &'a str,
    pub(super) values: FeedValues<'a>,
}

/// Its values, with the batch axis of one.
#[derive(Debug, Clone, Copy)]
pub(super) enum FeedValues<'a> {
    /// f32 of this shape.
    Pixels { shape: [usize; 4], values: &'a [f32] },
    /// `[1, t]`: ids, a mask or token types.
    Tokens(&'a [u32]),
    /// `[1, t, dim]`, f32.
    Frames { shape: [usize; 3], values: &'a [f32] },
}

/// One output of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fetched {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// An [`Engine`] over a runtime's session.
pub(super) struct OnnxEngine<S> {
    session: S,
    spec: OnnxSpec,
    outputs: Vec<OutputSpec>,
    name: String,
}

impl<S: Session> OnnxEngine<S> {
    /// Puts a description beside the session it describes.
    pub(super) fn new(session: S, spec: OnnxSpec, name: &str) -> Self {
        Self { outputs: spec.output_specs(), session, spec, name: name.to_owned() }
    }

    fn run_image(
        &self,
        pixels: &[f32],
        name: &str,
        layout: ImageLayout,
        [height, width]: [usize; 2],
    ) -> Result<Vec<Fetched>, EngineError> {
        let interleaved;
        let values = match layout {
            ImageLayout::Nchw => FeedValues::Pixels { shape: [1, 3, height, width], values: pixels },
            ImageLayout::Nhwc => {
                interleaved = interleave(pixels, height * width);
                FeedValues::Pixels { shape: [1, height, width, 3], values: &interleaved }
            }
        };
        self.fetch(&[Feed { name, values }])
    }

    fn fetch(&self, feeds: &[Feed<'_>]) -> Result<Vec<Fetched>, EngineError> {
        let names: Vec<&str> = self.spec.outputs.iter().map(|output| output.from.as_str()).collect();
        self.session.run(feeds, &names)
    }
}

impl<S: Session> Engine for OnnxEngine<S> {
    fn run(&self, input: NetInput<'_>) -> Result<Vec<NetOutput>, EngineError> {
        check_input(self.input(), input)?;
        let fetched = match (input, &self.spec.input) {
            (NetInput::Image(pixels), OnnxInput::Image { name, layout, height, width }) => {
                self.run_image(pixels, name, *layout, [*height, *width])?
            }
            (NetInput::Tokens(tokens), OnnxInput::Tokens { ids, mask, types, .. }) => {
                let (ones, zeros) = (vec![1; tokens.len()], vec![0; tokens.len()]);
                let feed = |name, values| Feed { name, values: FeedValues::Tokens(values) };
                let mut feeds = vec![feed(ids, tokens)];
                feeds.extend(mask.as_deref().map(|name| feed(name, &ones)));
                feeds.extend(types.as_deref().map(|name| feed(name, &zeros)));
                self.fetch(&feeds)?
            }
            (NetInput::Frames(values), OnnxInput::Frames { name, mask, dim, .. }) => {
                let shape = [1, values.len() / dim, *dim];
                let ones = vec![1; shape[1]];
                let mut feeds = vec![Feed { name, values: FeedValues::Frames { shape, values } }];
                feeds.extend(mask.as_deref().map(|name| Feed { name, values: FeedValues::Tokens(&ones) }));
                self.fetch(&feeds)?
            }
            (NetInput::Image(_) | NetInput::Tokens(_) | NetInput::Frames(_), _) => {
                unreachable!("check_input refuses the other kind")
            }
        };
        self.spec.outputs.iter().zip(fetched).map(|(output, fetched)| take(output, fetched)).collect()
    }

    fn input(&self) -> GraphInput {
        self.spec.graph_input()
    }

    fn outputs(&self) -> &[OutputSpec] {
        &self.outputs
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// `[3, pixels]` -> `[pixels, 3]`.
fn interleave(planes: &[f32], pixels: usize) -> Vec<f32> {
    (0..pixels).flat_map(|pixel| (0..3).map(move |plane| planes[plane * pixels + pixel])).collect()
}

/// Takes of an output what the description says; the batch axis must be one.
fn take(output: &OnnxOutput, fetched: Fetched) -> Result<NetOutput, EngineError> {
    let dim = output.dim;
    let Fetched { shape, values } = fetched;
    let taken = match (output.take, &shape[..]) {
        (Take::Vector, [1, rest @ ..]) if rest.iter().product::<usize>() == dim => Some((1, values)),
        (Take::Rows, [1, rows, width]) if *width == dim => Some((*rows, values)),
        (Take::MeanRows, [1, rows, width]) if *width == dim && *rows > 0 => {
            Some((1, mean_rows(&values, dim)))
        }
        (Take::FirstRow, [1, rows, width]) if *width == dim && *rows > 0 => Some((1, values[..dim].to_vec())),
        (Take::MeanMap, [1, planes, height, width]) if *planes == dim && height * width > 0 => {
            Some((1, values.chunks_exact(height * width).map(mean).collect()))
        }
        _ => None,
    };
    let Some((rows, mut data)) = taken else {
        let expected = format!("{:?} of dim {dim}", output.take);
        return Err(EngineError::OutputShape { name: output.name.clone(), got: shape, expected });
    };
    if output.unit_length {
        data.chunks_exact_mut(dim).for_each(to_unit_length);
    }
    Ok(NetOutput { name: output.name.clone(), rows, data })
}

fn mean(values: &[f32]) -> f32 {
    (values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64) as f32
}

fn mean_rows(values: &[f32], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; dim];
    for row in values.chunks_exact(dim) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let rows = values.len() / dim;
    sums.into_iter().map(|sum| (sum / rows as f64) as f32).collect()
}

fn to_unit_length(row: &mut [f32]) {
    let length = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt().max(1e-12);
    row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives back fixed outputs and remembers nothing.
    struct Canned(Vec<Fetched>);

    impl Session for Canned {
        fn run(&self, _: &[Feed<'_>], fetch: &[&str]) -> Result<Vec<Fetched>, EngineError> {
            assert_eq!(fetch.len(), self.0.len());
            Ok(self.0.clone())
        }
    }

    #[track_caller]
    fn check(take: Take, unit_length: bool, shape: &[usize], values: &[f32], expect: Result<&[f32], &str>) {
        let output = OnnxOutput { name: "x".into(), from: "y".into(), dim: 2, take, unit_length };
        let input = OnnxInput::Tokens { ids: "ids".into(), mask: None, types: None, max_tokens: 4 };
        let canned = Canned(vec![Fetched { shape: shape.to_vec(), values: values.to_vec() }]);
        let engine = OnnxEngine::new(canned, OnnxSpec { input, outputs: vec![output] }, "canned");
        let got = engine
            .run(NetInput::Tokens(&[1, 2]))
            .map(|mut outputs| outputs.remove(0).data)
            .map_err(|error| error.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), expect);
    }

    #[test]
    fn each_way_to_take_an_output() {
        check(Take::Vector, false, &[1, 2, 1, 1], &[3.0, 4.0], Ok(&[3.0, 4.0]));
        check(Take::Vector, true, &[1, 2], &[3.0, 4.0], Ok(&[0.6, 0.8]));
        check(Take::Rows, false, &[1, 2, 2], &[1.0, 2.0, 3.0, 4.0], Ok(&[1.0, 2.0, 3.0, 4.0]));
        check(Take::MeanRows, false, &[1, 2, 2], &[1.0, 2.0, 3.0, 4.0], Ok(&[2.0, 3.0]));
        check(Take::FirstRow, false, &[1, 2, 2], &[1.0, 2.0, 3.0, 4.0], Ok(&[1.0, 2.0]));
        check(Take::MeanMap, false, &[1, 2, 1, 2], &[1.0, 2.0, 3.0, 4.0], Ok(&[1.5, 3.5]));
        check(
            Take::Vector,
            false,
            &[1, 3],
            &[0.0; 3],
            Err("output `x` has shape [1, 3], expected Vector of dim 2"),
        );
        check(
            Take::Rows,
            false,
            &[2, 1, 2],
            &[0.0; 4],
            Err("output `x` has shape [2, 1, 2], expected Rows of dim 2"),
        );
    }

    #[test]
    fn inputs_are_checked_before_the_runtime_sees_them() {
        let input = OnnxInput::Tokens { ids: "ids".into(), mask: None, types: None, max_tokens: 4 };
        let engine = OnnxEngine::new(Canned(vec![]), OnnxSpec { input, outputs: vec![] }, "canned");
        let message = |input| engine.run(input).unwrap_err().to_string();
        assert_eq!(message(NetInput::Tokens(&[])), "the network takes 1 to 4 tokens, got 0");
        assert_eq!(message(NetInput::Tokens(&[0; 5])), "the network takes 1 to 4 tokens, got 5");
        assert_eq!(message(NetInput::Image(&[0.0])), "the network takes tokens, got an image");
    }

    #[test]
    fn interleaving_puts_colours_last() {
        assert_eq!(interleave(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }
}
