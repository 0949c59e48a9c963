//! Folds batch norms into the convolutions before them.

use super::{ArchError, tensor};
use crate::weights::{Tensor, Weights};

/// Replaces a convolution without bias and its batch norm by one convolution with bias, in f64.
///
/// `gamma (w x - mean) / sqrt(var + eps) + beta` is a convolution with the weight `w s` and the bias `beta - mean s`, where
/// `s = gamma / sqrt(var + eps)`. The weight keeps its name, `{conv}.weight`; the bias is `{conv}.bias`.
pub(super) fn fold(weights: &mut Weights, conv: &str, norm: &str, eps: f64) -> Result<(), ArchError> {
    let weight_name = format!("{conv}.weight");
    let of_norm = |part: &str| tensor(weights, &format!("{norm}.{part}")).map(|found| found.data.to_vec());
    let [gamma, beta, mean, var] =
        [of_norm("weight")?, of_norm("bias")?, of_norm("running_mean")?, of_norm("running_var")?];
    let weight = tensor(weights, &weight_name)?;
    let channels = weight.shape.first().copied().unwrap_or(0);
    if channels == 0 || [&gamma, &beta, &mean, &var].iter().any(|part| part.len() != channels) {
        let expected = format!("[{}, ..], as the batch norm `{norm}`", gamma.len());
        return Err(ArchError::TensorShape { name: weight_name, got: weight.shape.clone(), expected });
    }
    let scale: Vec<f64> = gamma
        .iter()
        .zip(&var)
        .map(|(gamma, var)| f64::from(*gamma) / (f64::from(*var) + eps).sqrt())
        .collect();
    let per_channel = weight.data.len() / channels;
    let scaled = weight
        .data
        .iter()
        .enumerate()
        .map(|(index, value)| (f64::from(*value) * scale[index / per_channel]) as f32);
    let folded = Tensor::new(weight.shape.clone(), scaled.collect());
    let bias = (0..channels)
        .map(|channel| (f64::from(beta[channel]) - f64::from(mean[channel]) * scale[channel]) as f32);
    let bias = Tensor::new(vec![channels], bias.collect());
    weights.insert(weight_name, folded);
    weights.insert(format!("{conv}.bias"), bias);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_equals_convolving_then_normalising() {
        let vector = |values: &[f32]| Tensor::new(vec![values.len()], values.to_vec());
        let mut weights = Weights::new();
        weights.insert("c.weight", Tensor::new(vec![2, 1, 1, 1], vec![2.0, -3.0]));
        weights.insert("n.weight", vector(&[1.5, 0.5]));
        weights.insert("n.bias", vector(&[0.25, -1.0]));
        weights.insert("n.running_mean", vector(&[0.1, 0.2]));
        weights.insert("n.running_var", vector(&[4.0, 0.0]));
        fold(&mut weights, "c", "n", 1e-3).unwrap();
        for (channel, (w, gamma, beta, mean, var)) in
            [(2.0, 1.5, 0.25, 0.1, 4.0), (-3.0, 0.5, -1.0, 0.2, 0.0_f64)].into_iter().enumerate()
        {
            let x = 0.7;
            let expected = gamma * (w * x - mean) / (var + 1e-3).sqrt() + beta;
            let folded = f64::from(weights.get("c.weight").unwrap().data[channel]) * x
                + f64::from(weights.get("c.bias").unwrap().data[channel]);
            assert!((folded - expected).abs() < 1e-5, "channel {channel}: {folded} against {expected}");
        }
    }

    #[test]
    fn a_norm_of_another_width_is_refused() {
        let mut weights = Weights::new();
        weights.insert("c.weight", Tensor::new(vec![2, 1, 1, 1], vec![2.0, -3.0]));
        for part in ["weight", "bias", "running_mean", "running_var"] {
            weights.insert(format!("n.{part}"), Tensor::new(vec![3], vec![1.0; 3]));
        }
        let error = fold(&mut weights, "c", "n", 1e-3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "tensor `c.weight` is [2, 1, 1, 1], expected [3, ..], as the batch norm `n`"
        );
    }
}
