//! All decisions of a pool of VMs as a pure function of input and time.
//!
//! An [`Engine`] holds the records of one domain. [`Engine::step`] takes the time and one [`Input`] and
//! returns a [`Step`]: changes and events to be written in one durable batch, and effects to be carried
//! out after that, whose outcomes come back as inputs. It reads no clock, rolls no dice and does no I/O.
//!
//! Everything can be derived again from the records: after a crash, [`Engine::recover`] makes the engine
//! anew, and its first [`Input::Tick`] asks again for every effect that is not recorded as done.

mod account;
mod acquire;
mod allowance;
mod average;
mod backoff;
mod begins;
mod brake;
mod breaker;
mod candidate;
mod check;
mod check_queue;
mod check_supply;
mod claim;
mod demand;
mod drain;
mod durable;
mod engine;
mod estimate;
mod evict;
mod explain;
mod first_listing;
mod forget;
mod gate;
mod grant;
mod grow;
mod headroom;
mod hint;
mod hold;
mod input;
mod lease;
mod life;
mod limit;
mod listing;
mod look;
mod lookup;
mod mend;
mod missing;
mod moment;
mod most;
mod observe;
mod offer;
mod order;
mod outcome;
mod owners;
mod poisson;
mod pool;
mod provider;
mod queue;
mod quota;
mod rank;
mod reconfigure;
mod recover;
mod refusal;
mod rest;
mod retire;
#[cfg(test)]
mod sample;
mod sequence;
mod serve;
mod share;
mod shrink;
mod spawn;
mod spec;
mod step;
mod stock;
mod stranded;
mod stranger;
mod stray;
mod table;
mod timers;
mod timetable;
mod trouble;
mod unrecorded;
mod view;
mod vm;
mod wait;
mod why;
mod window;
mod words;
mod worth;

pub use crate::{
    allowance::OwnerLimitView,
    durable::Durable,
    engine::Engine,
    explain::{Explanation, Obstacle},
    hint::Worth,
    input::{CheckReport, EffectId, Input, ListedNodes, Outcome, Reconfigure},
    limit::Limit,
    refusal::Refusal,
    spec::{Records, Spec},
    step::{Answer, Effect, Grant, HookRun, Step},
    stranger::Stranger,
    view::{MassLossView, OfferView, PoolView, ProviderView, StockView},
};
