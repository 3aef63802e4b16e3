//! Listings of VMs.

use vmpool_model::states::opennebula::VmState;

use crate::{
    client::{CallError, Client},
    document::{Element, ElementSink},
    rpc::Call,
    vm::{ListedVm, ListingSink},
};

/// Whose VMs to tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Filter {
    /// Those of the user's primary group.
    PrimaryGroup,
    /// Those of the user.
    #[default]
    Mine,
    /// All that the user may see.
    All,
    /// Those of the user and of the user's groups.
    MineAndGroups,
    /// Those of another user.
    User(u32),
}

impl Filter {
    /// Returns the number by which the server knows the filter.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::PrimaryGroup => -4,
            Self::Mine => -3,
            Self::All => -2,
            Self::MineAndGroups => -1,
            Self::User(uid) => i32::try_from(uid).unwrap_or(i32::MAX),
        }
    }
}

/// Which of the VMs to tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Range {
    /// All.
    #[default]
    All,
    /// Those with this id and higher ones.
    From(u32),
    /// Those with ids from the first to the second: a window that stays the same while VMs come and go.
    Ids(u32, u32),
    /// So many after so many, the newest first: a page that slides while VMs come and go.
    Page {
        /// How many to pass over.
        offset: u32,
        /// How many to tell of, at least 2.
        size: u32,
    },
}

impl Range {
    /// Returns the two numbers by which the server knows the range.
    #[must_use]
    pub fn numbers(self) -> (i32, i32) {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        match self {
            Self::All => (-1, -1),
            Self::From(first) => (number(first), -1),
            Self::Ids(first, last) => (number(first), number(last)),
            // An end of -1 would mean all.
            Self::Page { offset, size } => (number(offset), -number(size.max(2))),
        }
    }
}

/// The VMs of which states to tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StateFilter {
    /// All, also those that are gone.
    Any,
    /// All but those that are gone.
    #[default]
    NotDone,
    /// Those in one state.
    Is(VmState),
}

impl StateFilter {
    /// Returns the number by which the server knows the filter.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Any => -2,
            Self::NotDone => -1,
            Self::Is(state) => state.number(),
        }
    }
}

/// Tells of many VMs of one server.
#[derive(Debug, Clone)]
pub struct VirtualMachinePool {
    client: Client,
}

impl VirtualMachinePool {
    /// Prepares listings; nothing is asked.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Lists VMs shortly, in descending order of ids.
    ///
    /// Of the user template it tells only `LABELS`, `ERROR` and what the scheduler has to say.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn info(
        &self,
        filter: Filter,
        range: Range,
        state: StateFilter,
    ) -> Result<Vec<ListedVm>, CallError> {
        self.list(listing("one.vmpool.info", filter, range, state)).await
    }

    /// Lists VMs with their whole user template, in descending order of ids; since OpenNebula 5.8.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn info_extended(
        &self,
        filter: Filter,
        range: Range,
        state: StateFilter,
    ) -> Result<Vec<ListedVm>, CallError> {
        self.list(listing("one.vmpool.infoextended", filter, range, state)).await
    }

    /// Lists VMs with everything that is known about them: a `VM_POOL` document.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn documents(
        &self,
        filter: Filter,
        range: Range,
        state: StateFilter,
    ) -> Result<Element, CallError> {
        let call = listing("one.vmpool.infoextended", filter, range, state);
        self.client.document(call, ElementSink::default()).await
    }

    /// Lists the VMs that the server's database finds; needs MySQL or MariaDB, and is refused on others.
    ///
    /// Since 6.10 a query is `VM.NAME=web&VM.USER_TEMPLATE.ROLE=db` and finds parts of texts; before, it was a word.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn search(
        &self,
        filter: Filter,
        range: Range,
        state: StateFilter,
        query: &str,
    ) -> Result<Vec<ListedVm>, CallError> {
        self.list(listing("one.vmpool.infoextended", filter, range, state).with(query)).await
    }

    /// Tells of the VMs with these ids, also if they are gone; ids that there are not are passed over; since 5.12.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn info_set(&self, ids: &[i32], extended: bool) -> Result<Vec<ListedVm>, CallError> {
        let ids: Vec<String> = ids.iter().map(i32::to_string).collect();
        self.list(Call::new("one.vmpool.infoset").with(ids.join(",")).with(extended)).await
    }

    /// Tells what was monitored of VMs in the last seconds; `None` for always, 0 for the last record of each.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn monitoring(&self, filter: Filter, seconds: Option<u32>) -> Result<Element, CallError> {
        let seconds = seconds.map_or(-1, |seconds| i32::try_from(seconds).unwrap_or(i32::MAX));
        let call = Call::new("one.vmpool.monitoring").with(filter.number()).with(seconds);
        self.client.document(call, ElementSink::default()).await
    }

    /// Tells on which hosts VMs were between two times, in seconds since the epoch; `None` leaves an end open.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn accounting(
        &self,
        filter: Filter,
        from: Option<i32>,
        to: Option<i32>,
    ) -> Result<Element, CallError> {
        let call = Call::new("one.vmpool.accounting").with(filter.number());
        let call = call.with(from.unwrap_or(-1)).with(to.unwrap_or(-1));
        self.client.document(call, ElementSink::default()).await
    }

    /// Tells what VMs cost, from one month to another, each as month and year; `None` leaves an end open.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn showback(
        &self,
        filter: Filter,
        from: Option<(i32, i32)>,
        to: Option<(i32, i32)>,
    ) -> Result<Element, CallError> {
        let ((first_month, first_year), (last_month, last_year)) =
            (from.unwrap_or((-1, -1)), to.unwrap_or((-1, -1)));
        let call = Call::new("one.vmpool.showback").with(filter.number());
        let call = call.with(first_month).with(first_year).with(last_month).with(last_year);
        self.client.document(call, ElementSink::default()).await
    }

    async fn list(&self, call: Call) -> Result<Vec<ListedVm>, CallError> {
        self.client.document(call, ListingSink::default()).await
    }
}

fn listing(method: &str, filter: Filter, range: Range, state: StateFilter) -> Call {
    let (start, end) = range.numbers();
    Call::new(method).with(filter.number()).with(start).with(end).with(state.number())
}
