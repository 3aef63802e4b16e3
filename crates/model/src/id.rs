//! Typed identifiers: VM names, node ids, lease ids, request ids.

use crate::{
    name::{NameRule, identifier, label_within, printable},
    text::text_type,
};

fn vm_name(text: &str) -> Result<(), NameRule> {
    label_within(text, 63)
}

fn node_id(text: &str) -> Result<(), NameRule> {
    printable(text)
}

text_type! {
    /// Names one VM of a pool, for its whole life and in its cloud, too.
    ///
    /// The name is chosen before the provider is asked for the VM: `POOL-SUFFIX`, at most 63 bytes,
    /// so that it can be a host name. It is unique in the installation and never used twice.
    VmName, "VM name", vm_name
}

text_type! {
    /// Identifies a node at its provider; the text is the provider's own.
    ///
    /// A number is kept as its text: OpenNebula's first VM is `"0"`, which is an id like any other.
    NodeId, "node id", node_id
}

text_type! {
    /// Identifies a lease.
    LeaseId, "lease id", identifier
}

text_type! {
    /// Identifies a request for a VM; the client chooses it, and repeats it to ask again without
    /// getting a second VM.
    RequestId, "request id", identifier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_name_may_be_as_long_as_a_host_name() {
        assert!(VmName::new(format!("{}-{}", "a".repeat(40), "b".repeat(22))).is_ok());
        assert!(VmName::new("a".repeat(64)).is_err());
        assert!(VmName::new("pool/../x").is_err());
    }

    #[test]
    fn zero_is_a_node_id_like_any_other() {
        assert_eq!(NodeId::new("0").unwrap().as_str(), "0");
    }
}
