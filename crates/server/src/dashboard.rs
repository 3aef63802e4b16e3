//! What the dashboard is made of: its files, and what is remembered for it beside the records.

pub(crate) mod assets;
mod board;
mod history;
mod lives;
mod past;

pub(crate) use self::{
    board::{Board, Changed, Delta},
    history::{History, Range, Sampler, Series},
    past::recall,
};
