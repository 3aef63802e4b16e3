//! The rules of the contract, one function each; [`store_suite!`](crate::store_suite) makes tests of them.

#![expect(
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "that is how a rule says it is broken"
)]

pub mod commit;
pub mod domains;
pub mod events;
pub mod random;
pub mod turn;
pub mod unreadable;
