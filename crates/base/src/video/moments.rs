//! Rare moments of a video: what is shown at no other time.
//!
//! What lasts a twentieth of a video is in one or two of thirty-two frames, seldom in one of eight, and a mean over all of them hides it.

use image::RgbImage;
use image::imageops::thumbnail;

use super::moving::moving_part;

/// Moments of a video.
const FEW: usize = 2;
/// Frames this near in time, as a share of all, show the same event and are not compared.
const NEAR: f64 = 0.1;
/// Width and height at which frames are compared, in pixels.
const COMPARED: (u32, u32) = (64, 48);

/// What is new in the two frames that show most of what no frame at another time does at the same place, the rarest first: the part that
/// does, and the whole frame where none does.
///
/// Place by place, since what goes to and fro is seldom caught twice in the same position, while each place it passes was passed by it
/// before. Takes frames at even steps of time, all of one size; fewer than two give one moment or none.
pub fn moments(frames: &[RgbImage]) -> Vec<RgbImage> {
    let small: Vec<RgbImage> = frames.iter().map(|frame| thumbnail(frame, COMPARED.0, COMPARED.1)).collect();
    let mut found: Vec<(u64, usize)> =
        (0..frames.len()).map(|at| (distance(small[at].as_raw(), &known(&small, at)), at)).collect();
    found.sort_by_key(|(distance, at)| (std::cmp::Reverse(*distance), *at));
    found.iter().take(FEW).map(|(_, at)| moving_part(&frames[*at], &known(frames, *at))).collect()
}

/// A frame made up of what was seen at other times: at each place the likest. The frame itself where there are none.
fn known(frames: &[RgbImage], at: usize) -> Vec<u8> {
    let near = ((NEAR * frames.len() as f64) as usize).max(1);
    let own = frames[at].as_raw();
    let mut likest = own.clone();
    let mut nearest = vec![u64::MAX; own.len() / 3];
    for other in
        (0..frames.len()).filter(|other| other.abs_diff(at) >= near).map(|other| frames[other].as_raw())
    {
        let places = own.chunks_exact(3).zip(other.chunks_exact(3)).zip(likest.chunks_exact_mut(3));
        for (((own, other), likest), nearest) in places.zip(&mut nearest) {
            let distance = distance(own, other);
            if distance < *nearest {
                *nearest = distance;
                likest.copy_from_slice(other);
            }
        }
    }
    likest
}

/// The sum of squared differences: a small thing that is quite other counts more than noise everywhere.
fn distance(one: &[u8], other: &[u8]) -> u64 {
    one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// A blue block that swings twice, and a red one at the times named.
    fn clip(red_at: &[usize]) -> Vec<RgbImage> {
        let frame = |tick: usize| {
            let swing = (tick as f64 * std::f64::consts::TAU / 16.0).sin();
            let left = (80.0 + 60.0 * swing) as u32;
            RgbImage::from_fn(192, 144, |x, y| {
                let blue = (left..left + 32).contains(&x) && (20..52).contains(&y);
                let red = red_at.contains(&tick) && (20..44).contains(&x) && (100..124).contains(&y);
                Rgb(if red {
                    [220, 20, 20]
                } else if blue {
                    [20, 20, 200]
                } else {
                    [200; 3]
                })
            })
        };
        (0..32).map(frame).collect()
    }

    #[test]
    fn what_happens_once_is_cut_out_and_what_comes_again_is_not() {
        let frames = clip(&[19, 20]);
        let found = moments(&frames);
        assert_eq!(found.len(), 2);
        for new in found {
            let red = new.pixels().filter(|pixel| pixel.0 == [220, 20, 20]);
            assert_eq!(red.count(), 24 * 24, "all of it");
            assert!(new.pixels().len() < 40 * 40, "and little else: {:?}", new.dimensions());
        }
    }

    #[test]
    fn a_few_frames_give_what_there_is() {
        assert!(moments(&[]).is_empty());
        let one = &clip(&[])[..1];
        assert_eq!(moments(one), [one[0].clone()]);
        assert_eq!(moments(&clip(&[])[..2]).len(), 2);
    }
}
