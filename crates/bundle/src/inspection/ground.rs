//! What maps show of good photos as well: patches at the edges look odd, and some photos look odd all over.
//!
//! At its edge a photo ends, and a patch there has other surroundings than any patch within. And of good photos of one material
//! some are odder than others everywhere. Neither tells where a defect is, so what nine of ten good photos have is taken away.

use serde::{Deserialize, Serialize};

use super::map::ScoreMap;

/// Cells from the edge from where on all are alike.
const WITHIN: usize = 8;
/// Fewest good photos from which this is known.
const GROUND_FROM: usize = 8;
/// Share of the good ones that may lie below what is taken away, and of photos beyond either end of their level.
const FEW: f64 = 0.1;

/// What is taken away from the map of patches, in its units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// By distance from the nearest edge in cells, `[9]`, the last for all that lie further within: how much odder a good cell
    /// is there, which is exceeded by nine of ten.
    edges: Vec<f64>,
    /// The least and the most of a photo's mean that is taken away: eight of ten good photos lie between.
    level: [f64; 2],
}

impl Ground {
    /// From maps of good photos by those that had not seen them; `None` with fewer than eight.
    pub(super) fn learn(maps: &[ScoreMap]) -> Option<Self> {
        if maps.len() < GROUND_FROM {
            return None;
        }
        let mut cells: Vec<Vec<f32>> = vec![Vec::new(); WITHIN + 1];
        for map in maps {
            for (distance, value) in distances(map.rows, map.cols).zip(&map.values) {
                cells[distance].push(*value);
            }
        }
        let low: Vec<Option<f64>> = cells.iter_mut().map(|values| exceeded_by_most(values)).collect();
        let within = low.iter().rev().copied().flatten().next()?;
        let edges = low.iter().map(|low| low.map_or(0.0, |low| low - within)).collect();
        let mut ground = Self { edges, level: [0.0; 2] };
        let mut levels: Vec<f64> =
            maps.iter().map(|map| mean(&ground.without_edges(map.clone()).values)).collect();
        levels.sort_unstable_by(f64::total_cmp);
        let few = few_of(levels.len());
        ground.level = [levels[few], levels[levels.len() - 1 - few]];
        Some(ground)
    }

    /// A map without it.
    pub(super) fn taken_from(&self, map: ScoreMap) -> ScoreMap {
        let mut map = self.without_edges(map);
        let [least, most] = self.level;
        let level = mean(&map.values).clamp(least, most) as f32;
        map.values.iter_mut().for_each(|value| *value -= level);
        map
    }

    fn without_edges(&self, mut map: ScoreMap) -> ScoreMap {
        let edges = self.edges_of(map.rows, map.cols);
        map.values.iter_mut().zip(edges).for_each(|(value, edge)| *value -= edge);
        map
    }

    /// What is taken away at each cell of a grid, `[rows * cols]`.
    pub(super) fn edges_of(&self, rows: usize, cols: usize) -> impl Iterator<Item = f32> {
        distances(rows, cols).map(|distance| self.edges[distance] as f32)
    }

    /// The least and the most of the mean that is taken away.
    pub(super) fn level(&self) -> [f64; 2] {
        self.level
    }

    /// Whether it can be taken from a map.
    pub(super) fn is_sound(&self) -> bool {
        let numbers = self.edges.iter().chain(&self.level).all(|value| value.is_finite());
        numbers && self.edges.len() == WITHIN + 1 && self.level[0] <= self.level[1]
    }
}

/// The distance of each cell from the nearest edge, row by row, at most [`WITHIN`].
fn distances(rows: usize, cols: usize) -> impl Iterator<Item = usize> {
    let from_edge = |at: usize, of: usize| at.min(of - 1 - at).min(WITHIN);
    (0..rows).flat_map(move |row| (0..cols).map(move |col| from_edge(row, rows).min(from_edge(col, cols))))
}

/// The value that nine of ten reach; `None` of nothing.
fn exceeded_by_most(values: &mut [f32]) -> Option<f64> {
    let few = few_of(values.len());
    (!values.is_empty()).then(|| f64::from(*values.select_nth_unstable_by(few, f32::total_cmp).1))
}

/// How many of `n` sorted values are left out at one end.
fn few_of(n: usize) -> usize {
    (FEW * n.saturating_sub(1) as f64) as usize
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photo that is as odd as `level` all over, and odder by 3 at its rim.
    fn map(level: f32) -> ScoreMap {
        let values =
            distances(20, 24).map(|distance| level + if distance == 0 { 3.0 } else { 0.0 }).collect();
        ScoreMap { rows: 20, cols: 24, values }
    }

    fn learned() -> Ground {
        Ground::learn(&(0..11).map(|level| map(level as f32)).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn rims_and_levels_of_good_photos_go_and_defects_stay() {
        let ground = learned();
        assert!(ground.is_sound());
        assert_eq!((ground.edges[0], ground.edges[1], ground.level), (3.0, 0.0, [1.0, 9.0]));
        assert_eq!(ground.taken_from(map(4.0)).values, [0.0; 480]);
        let mut defect = map(4.0);
        defect.values[0] += 48.0;
        let flat = ground.taken_from(defect).values;
        assert!((flat[0] - 47.9).abs() < 1e-4 && (flat[479] + 0.1).abs() < 1e-4, "{flat:?}");
        assert_eq!(ground.taken_from(map(30.0)).values, [21.0; 480], "no good photo is as odd all over");
    }

    #[test]
    fn a_rim_that_only_some_have_stays() {
        let few = (0..20).map(|at| {
            let mut map = map(0.0);
            if at % 4 == 0 {
                map.values.fill(0.0);
            }
            map
        });
        assert_eq!(Ground::learn(&few.collect::<Vec<_>>()).unwrap().edges[0], 0.0);
    }

    #[test]
    fn few_photos_and_narrow_ones_are_defined() {
        assert_eq!(Ground::learn(&vec![map(1.0); GROUND_FROM - 1]), None);
        let narrow = vec![ScoreMap { rows: 1, cols: 5, values: vec![2.0; 5] }; GROUND_FROM];
        let ground = Ground::learn(&narrow).unwrap();
        assert_eq!((ground.edges.clone(), ground.level), (vec![0.0; WITHIN + 1], [2.0; 2]));
        assert_eq!(ground.taken_from(map(2.0)), map(0.0));
        assert!(!Ground { edges: Vec::new(), level: [0.0; 2] }.is_sound());
        assert!(!Ground { level: [1.0, 0.0], ..learned() }.is_sound());
        assert!(!Ground { level: [f64::NAN, 0.0], ..learned() }.is_sound());
    }
}
