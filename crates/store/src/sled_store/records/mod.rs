//! Reading all there is in the directory of a sled store without changing it, and making a store of it again.

mod check;
mod copy;
mod import;

pub use self::{copy::SledCopy, import::SledImport};
