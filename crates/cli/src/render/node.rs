//! Nodes of a provider.

use comfy_table::Table;
use vmpool_server::model::Node;

use crate::output::{facts, or_dash, table};

/// Makes the table of nodes, each with the pool that it belongs to.
pub(crate) fn nodes<'a>(nodes: impl Iterator<Item = (&'a Node, Option<String>)>) -> Table {
    let mut table = table(&["node", "name", "state", "at the provider", "address", "belongs to"]);
    for (node, belongs) in nodes {
        table.add_row([
            node.id.to_string(),
            node.name.clone(),
            node.state.to_string(),
            node.raw_state.to_string(),
            or_dash(node.addresses().next()),
            or_dash(belongs),
        ]);
    }
    table
}

/// Makes the table of one node.
pub(crate) fn node(node: &Node, belongs: Option<String>) -> Table {
    let addresses: Vec<String> = node.addresses().map(|address| address.to_string()).collect();
    let mut rows = vec![
        ("node", node.id.to_string()),
        ("name", node.name.clone()),
        ("state", format!("{} ({})", node.state, node.raw_state)),
        ("addresses", or_dash(Some(addresses.join(", ")).filter(|addresses| !addresses.is_empty()))),
        ("size", or_dash(node.size.as_ref().map(|size| &size.name))),
        ("image", or_dash(node.image.as_ref().map(|image| &image.name))),
        ("created", or_dash(node.created_at)),
        ("belongs to", or_dash(belongs)),
    ];
    // A password that was made up is for whoever reads the JSON on purpose.
    let told = node.extra.iter().filter(|(name, _)| !name.contains("password"));
    rows.extend(told.map(|(name, value)| (name.as_str(), value.clone())));
    facts(rows)
}
