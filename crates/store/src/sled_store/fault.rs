//! Errors of sled and of the system, as errors of a store.

use std::{any::Any, error::Error, io, path::Path};

use crate::StoreError;

/// Why something failed, before it is known what that means for the caller.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another process has the database open.
    Locked,
    /// The database cannot be read, or sled got entangled.
    Damaged(String),
    /// The system refused to read or write.
    Io(io::Error),
}

impl Fault {
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Io(err) if matches!(err.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    /// Makes a copy, which of a system's error has the kind and the text.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Locked => Self::Locked,
            Self::Damaged(reason) => Self::Damaged(reason.clone()),
            Self::Io(err) => Self::Io(io::Error::new(err.kind(), err.to_string())),
        }
    }

    /// Makes it the error of opening the store, which is never of unknown effect.
    pub(super) fn while_opening(self, place: &Path) -> StoreError {
        let full = self.is_full();
        let place = place.display().to_string();
        match self {
            Self::Locked => StoreError::InUse { place, process: None },
            Self::Damaged(reason) => StoreError::Damaged { place, reason },
            Self::Io(_) if full => StoreError::Full { place },
            Self::Io(err) => io_error(place, "opening", false, err),
        }
    }

    /// Makes it the error of writing to the store.
    pub(super) fn while_writing(&self, place: &Path, unknown: bool) -> StoreError {
        let place = place.display().to_string();
        match self {
            Self::Locked => StoreError::InUse { place, process: None },
            Self::Io(_) if self.is_full() && !unknown => StoreError::Full { place },
            Self::Io(err) => io_error(place, "writing", unknown, io::Error::new(err.kind(), err.to_string())),
            Self::Damaged(reason) => io_error(place, "writing", unknown, io::Error::other(reason.clone())),
        }
    }

    /// Makes it the error of reading from the store.
    pub(super) fn while_reading(self, place: &Path) -> StoreError {
        match self {
            Self::Io(err) => io_error(place.display().to_string(), "reading", false, err),
            other => other.while_opening(place),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Locked => f.write_str("another process has the database open"),
            Self::Damaged(reason) => f.write_str(reason),
            Self::Io(err) => err.fmt(f),
        }
    }
}

impl From<sled::Error> for Fault {
    fn from(err: sled::Error) -> Self {
        match err {
            // sled keeps neither the kind nor the code of this error, only its text.
            sled::Error::Io(err) if err.to_string().contains("could not acquire lock") => Self::Locked,
            sled::Error::Io(err) => Self::from(err),
            sled::Error::Corruption { .. } => Self::Damaged("sled found a bad checksum".to_owned()),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(err: io::Error) -> Self {
        match err.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Self::Damaged(err.to_string()),
            _ => Self::Io(err),
        }
    }
}

/// Makes a fault of what a panic of sled carried.
pub(super) fn of_panic(panic: &(dyn Any + Send)) -> Fault {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => *text,
        (_, Some(text)) => text,
        _ => "no message",
    };
    Fault::Damaged(format!("sled panicked: {text}"))
}

pub(super) fn io_error(
    place: String,
    operation: &'static str,
    unknown: bool,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> StoreError {
    StoreError::Io { place, operation, unknown, source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_from_other_failures() {
        // ENOSPC and EDQUOT on Linux.
        for code in [28, 122] {
            let fault = Fault::from(sled::Error::Io(io::Error::from_raw_os_error(code)));
            let err = fault.while_writing(Path::new("/store"), false);
            assert!(matches!(err, StoreError::Full { .. }), "{err:?}");
        }
        let fault = Fault::from(io::Error::from_raw_os_error(5));
        assert!(!fault.is_full());
        assert!(fault.while_writing(Path::new("/store"), true).is_unknown());
    }

    #[test]
    fn full_is_never_said_of_a_write_that_may_have_happened() {
        let fault = Fault::from(io::Error::from_raw_os_error(28));
        assert!(fault.while_writing(Path::new("/store"), true).is_unknown());
    }
}
