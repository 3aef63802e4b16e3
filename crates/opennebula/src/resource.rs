//! What a driver needs to know of hosts, images, templates, datastores and networks.

use crate::document::Element;

/// A host, an image, a template, a datastore or a virtual network.
///
/// ```
/// use vmpool_opennebula::{document::Element, resource::Resource};
/// let pool = Element::parse("<HOST_POOL><HOST><ID>0</ID><NAME>node1</NAME><STATE>2</STATE></HOST></HOST_POOL>")?;
/// let hosts = Resource::pool(pool);
/// assert_eq!((hosts[0].id, hosts[0].name.as_str(), hosts[0].document.number("STATE")), (0, "node1", Some(2)));
/// # Ok::<(), vmpool_opennebula::rpc::CodecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resource {
    /// The id.
    pub id: i32,
    /// The name.
    pub name: String,
    /// The user that owns it; hosts have none.
    pub uid: Option<i32>,
    /// The group that owns it; hosts have none.
    pub gid: Option<i32>,
    /// Everything that is known about it.
    pub document: Element,
}

impl Resource {
    /// Reads one document; nothing if it has no id.
    #[must_use]
    pub fn read(document: Element) -> Option<Self> {
        Some(Self {
            id: document.number("ID")?,
            name: document.text_of("NAME").to_owned(),
            uid: document.number("UID"),
            gid: document.number("GID"),
            document,
        })
    }

    /// Reads all that are in a document such as `HOST_POOL`.
    #[must_use]
    pub fn pool(document: Element) -> Vec<Self> {
        document.children.into_iter().filter_map(Self::read).collect()
    }
}
