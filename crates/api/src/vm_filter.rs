//! Which VMs a client asks for.

/// Which VMs are asked for: those that everything fits that is given.
///
/// # Examples
///
/// ```
/// use vmpool_api::VmFilter;
///
/// let filter = VmFilter::default().with_pool("small").with_states(["ready", "held"]);
/// assert_eq!(filter.query(), [("pool", "small".to_owned()), ("state", "ready,held".to_owned())]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct VmFilter {
    /// Only those of this pool.
    pub pool: Option<String>,
    /// Only those in one of these states; in any if empty.
    pub states: Vec<String>,
    /// Only those with this IP address.
    pub address: Option<String>,
    /// Only those whose lease is for this task.
    pub task: Option<String>,
    /// Only those that this owner uses or used last.
    pub owner: Option<String>,
    /// Only the one of this name.
    pub name: Option<String>,
}

impl VmFilter {
    /// Asks only for those of a pool.
    #[must_use]
    pub fn with_pool(self, pool: impl Into<String>) -> Self {
        Self { pool: Some(pool.into()), ..self }
    }

    /// Asks only for those in one of these states; in any if there are none.
    #[must_use]
    pub fn with_states(self, states: impl IntoIterator<Item: Into<String>>) -> Self {
        Self { states: states.into_iter().map(Into::into).collect(), ..self }
    }

    /// Asks only for those with an IP address.
    #[must_use]
    pub fn with_address(self, address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..self }
    }

    /// Asks only for those whose lease is for a task.
    #[must_use]
    pub fn with_task(self, task: impl Into<String>) -> Self {
        Self { task: Some(task.into()), ..self }
    }

    /// Asks only for those that an owner uses or used last.
    #[must_use]
    pub fn with_owner(self, owner: impl Into<String>) -> Self {
        Self { owner: Some(owner.into()), ..self }
    }

    /// Asks only for the one of a name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Returns the parameters of the query.
    #[must_use]
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let states = Some(self.states.join(",")).filter(|states| !states.is_empty());
        let parameters = [
            ("pool", self.pool.clone()),
            ("state", states),
            ("address", self.address.clone()),
            ("task", self.task.clone()),
            ("owner", self.owner.clone()),
            ("name", self.name.clone()),
        ];
        parameters.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}
