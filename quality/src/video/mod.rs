//! Videos: what five of each class teach, whether an event of a twentieth of a clip is seen, and inspectors of good clips alone.

mod clips;
mod events;
mod inspected;
mod shapes;

use std::path::Path;

/// Prints what was measured, and tells whether every floor is reached.
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let shapes = shapes::print(data)?;
    let events = events::print()?;
    Ok(inspected::print()? && events && shapes)
}
