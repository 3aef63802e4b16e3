//! The words of vmpool: ids, names, nodes, states, records, legal transitions and config types.
//!
//! This crate does no I/O, reads no clock and rolls no dice; it is what every other crate speaks.
//!
//! | module | what |
//! |---|---|
//! | [`states`] | the states of nodes: uniform ones, and each cloud's own |
//! | [`config`] | what a pool and a provider can be told |

mod change;
pub mod config;
mod event;
mod failure;
mod hold;
mod id;
mod lease;
pub mod libcloud_uuid;
mod name;
mod node;
mod record;
mod record_state;
mod request;
pub mod states;
mod text;
pub mod time;
mod token;

pub use crate::{
    change::Change,
    event::{Event, EventKind},
    failure::{Certainty, Failure, FailureKind},
    hold::{Drain, Hold, PoolEnds, PoolRecord},
    id::{LeaseId, NodeId, RequestId, VmName},
    lease::{Lease, LeaseEnd, Returned},
    name::{
        DomainName, InstallationId, InvalidName, Label, NameRule, Owner, PoolName, ProviderName, Sandbox,
        TaskId,
    },
    node::{Node, NodeImage, NodeLocation, NodeSize},
    record::{NodeView, VmRecord},
    record_state::{IllegalTransition, RecordState, Transition, UnknownRecordState},
    request::{Acquire, EndedLease, RequestRecord, RequestStatus},
    time::{InvalidTime, Timestamp, format_duration, parse_duration},
    token::{InvalidToken, Token},
};
