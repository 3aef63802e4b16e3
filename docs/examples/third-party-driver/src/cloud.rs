//! The cloud: a shelf with places for machines, in words of its own.
//!
//! In a real driver this is the provider's API, behind a client for its protocol.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What machines can be taken from the storeroom.
pub const MODELS: [&str; 2] = ["paperback", "hardback"];

/// A shelf with places for machines.
#[derive(Debug, Default)]
pub struct Shelf {
    places: usize,
    closed: AtomicBool,
    machines: Mutex<Machines>,
}

#[derive(Debug, Default)]
struct Machines {
    last_number: u64,
    by_number: BTreeMap<u64, Machine>,
}

/// A machine on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its number, which no other machine ever has.
    pub number: u64,
    /// Its model.
    pub model: String,
    /// What is written on its front.
    pub label: String,
    /// What is written on the card beside it.
    pub card: BTreeMap<String, String>,
    /// How it is: `plugged in` or `unplugged`, so far.
    pub condition: String,
}

/// Says why the shelf did not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShelfError {
    /// There is no such machine on the shelf.
    NoSuchMachine,
    /// There is no such model in the storeroom.
    NoSuchModel,
    /// All places are taken.
    NoPlaceLeft,
    /// The machine is in that condition already.
    Already(String),
    /// The room is closed, nothing was done.
    Closed,
}

impl std::fmt::Display for ShelfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchMachine => f.write_str("there is no such machine on the shelf"),
            Self::NoSuchModel => write!(f, "there is no such model; the models are {}", MODELS.join(", ")),
            Self::NoPlaceLeft => f.write_str("all places of the shelf are taken"),
            Self::Already(condition) => write!(f, "the machine is {condition} already"),
            Self::Closed => f.write_str("the room is closed"),
        }
    }
}

impl std::error::Error for ShelfError {}

impl Shelf {
    /// Puts up a shelf.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places, ..Self::default() }
    }

    /// Closes the room, or opens it again.
    pub fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::Relaxed);
    }

    /// Returns all machines on the shelf.
    ///
    /// # Errors
    ///
    /// If the room is closed.
    pub fn look(&self) -> Result<Vec<Machine>, ShelfError> {
        Ok(self.machines()?.by_number.values().cloned().collect())
    }

    /// Returns one machine.
    ///
    /// # Errors
    ///
    /// If it is not on the shelf, or the room is closed.
    pub fn find(&self, number: u64) -> Result<Machine, ShelfError> {
        self.machines()?.by_number.get(&number).cloned().ok_or(ShelfError::NoSuchMachine)
    }

    /// Puts a machine on the shelf and plugs it in.
    ///
    /// # Errors
    ///
    /// If there is no such model, no place is left, or the room is closed.
    pub fn put(
        &self,
        model: &str,
        label: &str,
        card: BTreeMap<String, String>,
    ) -> Result<Machine, ShelfError> {
        let mut machines = self.machines()?;
        if !MODELS.contains(&model) {
            return Err(ShelfError::NoSuchModel);
        }
        if self.places <= machines.by_number.len() {
            return Err(ShelfError::NoPlaceLeft);
        }
        machines.last_number += 1;
        let number = machines.last_number;
        let (model, label, condition) = (model.to_owned(), label.to_owned(), "plugged in".to_owned());
        let machine = Machine { number, model, label, card, condition };
        machines.by_number.insert(number, machine.clone());
        Ok(machine)
    }

    /// Takes a machine off the shelf for good.
    ///
    /// # Errors
    ///
    /// If it is not on the shelf, or the room is closed.
    pub fn take(&self, number: u64) -> Result<(), ShelfError> {
        self.machines()?.by_number.remove(&number).map(drop).ok_or(ShelfError::NoSuchMachine)
    }

    /// Brings a machine into a condition.
    ///
    /// # Errors
    ///
    /// If it is in that condition already or not on the shelf, or the room is closed.
    pub fn turn(&self, number: u64, condition: &str) -> Result<(), ShelfError> {
        let mut machines = self.machines()?;
        let machine = machines.by_number.get_mut(&number).ok_or(ShelfError::NoSuchMachine)?;
        if machine.condition == condition {
            return Err(ShelfError::Already(condition.to_owned()));
        }
        machine.condition = condition.to_owned();
        Ok(())
    }

    fn machines(&self) -> Result<MutexGuard<'_, Machines>, ShelfError> {
        match self.closed.load(Ordering::Relaxed) {
            true => Err(ShelfError::Closed),
            false => Ok(self.machines.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}
