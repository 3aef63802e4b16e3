//! The client against a listener that answers what each test tells it.

mod acquire;
mod calls;
mod events;
mod keeper;
mod key;
mod peer;
