//! The options of the methods that have many.

/// How to put a VM on a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeployOptions {
    /// Whether the host must have room for it; otherwise even a full or a disabled host takes it.
    pub enforce: bool,
    /// The system datastore, if it is not for the server to choose.
    pub datastore: Option<i32>,
    /// Networks for the cards that are to be chosen now, as a template; mostly empty.
    pub nic_template: String,
}

/// How to move a VM to another host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrateOptions {
    /// Whether it runs on meanwhile.
    pub live: bool,
    /// Whether the host must have room for it.
    pub enforce: bool,
    /// The system datastore, if it changes.
    pub datastore: Option<i32>,
    /// What becomes of its memory if it does not run on; since OpenNebula 5.8.
    pub kind: MigrateKind,
}

/// What becomes of the memory of a VM that is moved while it does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MigrateKind {
    /// It is saved and restored.
    #[default]
    Save,
    /// The guest shuts down, and boots on the other host.
    Poweroff,
    /// It is switched off, and boots on the other host.
    PoweroffHard,
}

impl MigrateKind {
    /// Returns the number by which the server knows it.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Save => 0,
            Self::Poweroff => 1,
            Self::PoweroffHard => 2,
        }
    }
}

/// What to save of a disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SaveDiskOptions {
    /// The type of the image, such as `OS` or `DATABLOCK`; empty for that of the disk's image.
    pub image_type: String,
    /// The snapshot of the disk, if it is not its present content.
    pub snapshot: Option<i32>,
}
