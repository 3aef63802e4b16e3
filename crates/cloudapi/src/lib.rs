//! Triton CloudAPI over REST with HTTP signatures.
//!
//! [`sign`] signs requests as CloudAPI wants them, with keys from files or from an ssh-agent.

pub mod sign;
