//! How closely photos are looked at: as the smallest defects need it, within limits of time and memory.

use base::depict::Canvas;
use base::patches::MAX_CELLS;
use base::prep::Depth;

/// Scaled photos have about this many pixels squared: more shows no more on the sets that were measured.
const SIDE: f64 = 512.0;
/// Scaled photos of the smallest defects have at most this many pixels squared: such a photo takes some seconds.
const MOST_SIDE: f64 = 2048.0;
/// Scaled pixels of all photos to learn from together, which are kept meanwhile: about six gigabytes, or some 1,100 photos.
const MOST_PIXELS: f64 = 3e8;
/// What is kept besides of a photo that is shown turned around, in photos: three by right angles, and four of its middle, which
/// has half its pixels.
const TURNED: f64 = 5.0;

/// What is known of the photos before they are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Width and height of each in pixels, `[n]`, at least one.
    pub sizes: &'a [(u32, u32)],
    /// Whether defects are among them: then the maps that help with marked ones are taken as well.
    pub defects: bool,
    /// Side in pixels of the smallest defect that matters, when known. Above 0.
    pub smallest: Option<f64>,
    /// Whether the background is painted over.
    pub without_background: bool,
    /// Sizes of those, among all, that may be shown turned around as well.
    pub turned: &'a [(u32, u32)],
    /// How many of the bits of deep photos are used.
    pub depth: Depth,
    /// How series or videos are drawn.
    pub canvas: Option<&'a Canvas>,
}

/// How closely photos are looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Scaled pixels for a pixel of a photo, at the finer scale.
    pub(super) fine: f64,
    /// Sizes of the photos that can be looked at so, `[n]`, at least one: giants are refused, and what is refused decides nothing.
    pub(super) sizes: Vec<(u32, u32)>,
    /// With about how many photos it would be as close as wanted; `None` where it is.
    pub(super) room_for: Option<usize>,
}

impl Shown<'_> {
    /// The scale in cells of so many scaled pixels.
    pub(super) fn scale(&self, cell: usize) -> Scale {
        let (mut sizes, mut turned) = (self.sizes.to_vec(), self.turned.to_vec());
        loop {
            let (fine, room_for) = scale(&sizes, &turned, self.smallest, cell);
            let fits = |size: &(u32, u32)| area(size) * (fine / cell as f64).powi(2) <= MAX_CELLS as f64;
            let fitting: Vec<(u32, u32)> = sizes.iter().copied().filter(fits).collect();
            if fitting.len() == sizes.len() || fitting.is_empty() {
                return Scale { fine, sizes, room_for };
            }
            // Without giants there is more room, so that those that were refused stay so.
            sizes = fitting;
            turned.retain(fits);
        }
    }
}

fn area((width, height): &(u32, u32)) -> f64 {
    f64::from(*width) * f64::from(*height)
}

/// The finer scale for photos of these sizes, and with how many there would be room for the one that is wanted.
fn scale(
    sizes: &[(u32, u32)],
    turned: &[(u32, u32)],
    smallest: Option<f64>,
    cell: usize,
) -> (f64, Option<usize>) {
    let mut areas: Vec<f64> = sizes.iter().map(area).collect();
    areas.sort_by(f64::total_cmp);
    let all = areas.iter().sum::<f64>() + TURNED * turned.iter().map(area).sum::<f64>();
    let side = areas[areas.len() / 2].sqrt();
    let usual = SIDE / side;
    let wanted = smallest.map_or(usual, |smallest| usual.max(2.0 * cell as f64 / smallest));
    let wanted = wanted.min((MOST_SIDE / side).max(usual)).min(1.0);
    let room = (MOST_PIXELS / all).sqrt();
    let n_fit = (sizes.len() as f64 * (room / wanted).powi(2)) as usize;
    (wanted.min(room), (room < wanted).then_some(n_fit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sizes: &[(u32, u32)], smallest: Option<f64>, turned: &[(u32, u32)]) -> Scale {
        let (without_background, depth) = (false, Depth::FULL);
        Shown { sizes, defects: true, smallest, without_background, turned, depth, canvas: None }.scale(8)
    }

    fn scale(size: (u32, u32), photos: usize, smallest: Option<f64>) -> f64 {
        of(&vec![size; photos], smallest, &[]).fine
    }

    #[test]
    fn photos_that_are_shown_turned_around_take_six_times_the_room() {
        let sizes = [(2048, 2048); 15];
        assert_eq!(of(&sizes, Some(2.0), &[]).fine, 1.0);
        let scale = of(&sizes, Some(2.0), &sizes).fine;
        assert!((scale * scale * 6.0 * 15.0 * 2048.0 * 2048.0 / MOST_PIXELS - 1.0).abs() < 1e-9, "{scale}");
    }

    #[test]
    fn small_defects_are_looked_at_more_closely_within_limits() {
        assert_eq!(scale((300, 300), 10, None), 1.0);
        assert_eq!(scale((2048, 2048), 10, None), 0.25);
        assert_eq!(scale((2048, 2048), 10, Some(200.0)), 0.25, "large enough as it is");
        assert_eq!(scale((2048, 2048), 10, Some(32.0)), 0.5);
        assert_eq!(scale((2048, 2048), 10, Some(2.0)), 1.0, "never enlarged");
        assert_eq!(scale((8192, 8192), 1, Some(4.0)), 0.25, "time");
        assert!(scale((2048, 2048), 1000, Some(16.0)) < 0.3, "memory");
        assert!(scale((512, 512), 3000, None) < 0.7, "memory");
    }

    #[test]
    fn it_is_known_with_how_many_photos_there_would_be_room() {
        assert_eq!(of(&[(512, 512); 1000], None, &[]).room_for, None);
        assert_eq!(of(&[(8192, 8192)], Some(4.0), &[]).room_for, None, "time, not memory");
        let n = of(&[(512, 512); 3000], None, &[]).room_for.expect("too many");
        assert!((1100..1150).contains(&n), "{n}");
        assert_eq!(of(&vec![(512, 512); n], None, &[]).room_for, None);
        assert!(of(&vec![(512, 512); n + 1], None, &[]).room_for.is_some());
    }

    #[test]
    fn giants_that_are_refused_decide_nothing() {
        let parts = vec![(500, 500); 300];
        let with_giants: Vec<(u32, u32)> = parts.iter().copied().chain([(11_000, 11_000); 3]).collect();
        assert_eq!(of(&with_giants, None, &[]), of(&parts, None, &[]));
        assert_eq!(of(&[(11_000, 11_000)], Some(8.0), &[]).sizes.len(), 1, "there is nothing else");
    }
}
