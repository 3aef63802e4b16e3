//! The workshop of the workspace: `cargo xtask …`.

fn main() {}
