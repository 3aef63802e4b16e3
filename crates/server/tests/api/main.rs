//! The daemon over a real connection, in front of the cloud in memory.

mod acquire;
mod body;
mod bulk;
mod contract;
mod copies;
mod dashboard;
mod events;
mod metrics;
mod operate;
mod reload;
mod restart;
mod show;
mod start;
mod wish;
mod world;
