//! Lines of several pieces: scratches, cracks, threads.

use super::canvas::step;
use super::random::Dice;

/// Distance of a place from a line of several pieces, and how far along the line the nearest point lies, both in pixels.
pub(super) fn to_line(line: &[(f32, f32)], x: f32, y: f32) -> (f32, f32) {
    let mut nearest = (f32::INFINITY, 0.0);
    let mut before = 0.0;
    for pair in line.windows(2) {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        let (dx, dy) = (bx - ax, by - ay);
        let length = dx.hypot(dy).max(1e-6);
        let along = (((x - ax) * dx + (y - ay) * dy) / (length * length)).clamp(0.0, 1.0);
        let distance = (x - ax - along * dx).hypot(y - ay - along * dy);
        if distance < nearest.0 {
            nearest = (distance, before + along * length);
        }
        before += length;
    }
    nearest
}

/// A line that wanders: steps of a few pixels, each turned by about `turn` radians against the main direction.
pub(super) fn walk(
    from: (f32, f32),
    direction: (f32, f32),
    length: f32,
    turn: f32,
    dice: &mut Dice,
) -> Vec<(f32, f32)> {
    const STEP: f32 = 5.0;
    let mut line = vec![from];
    let heading = direction.1.atan2(direction.0);
    let mut wander = 0.0;
    for _ in 0..(length / STEP) as usize + 1 {
        // It leans back to its main direction, else it would curl.
        wander = 0.75 * wander + turn * dice.normal();
        let (sin, cos) = (heading + wander).sin_cos();
        let (x, y) = line[line.len() - 1];
        line.push((x + STEP * cos, y + STEP * sin));
    }
    line
}

/// Length of a line, in pixels.
pub(super) fn length(line: &[(f32, f32)]) -> f32 {
    line.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum()
}

/// 1 in the middle of a line and 0 at its ends, over `reach` pixels.
pub(super) fn fade(along: f32, length: f32, reach: f32) -> f32 {
    let reach = reach.min(0.5 * length);
    step(0.0, reach, along) * step(0.0, reach, length - along)
}
