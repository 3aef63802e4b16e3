//! The network: there is one.

use vmpool_model::Timestamp;

use super::{head, is_in, one_of};
use crate::opennebula::{
    cloud::Cloud,
    rights::{Caller, Permissions},
    wire::{Answer, Params},
    xml::{cdata, plain},
};

pub(crate) fn network(cloud: &mut Cloud, _: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    one_of("virtual network", vec![document(cloud)], params.int(0)?)
}

pub(crate) fn networks(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let is_shown = is_in(params.int(0)?, caller, (0, 0), permissions(cloud));
    let document = if is_shown { document(cloud) } else { String::new() };
    Ok(format!("<VNET_POOL>{document}</VNET_POOL>").into())
}

fn permissions(cloud: &Cloud) -> Permissions {
    if cloud.config.is_private { Permissions::default() } else { Permissions::PUBLIC }
}

fn document(cloud: &Cloud) -> String {
    let mut out = String::from("<VNET>");
    head(cloud, 0, (0, 0), "net", permissions(cloud), &mut out);
    out.push_str("<CLUSTERS><ID>0</ID></CLUSTERS>");
    for (name, text) in [("BRIDGE", "br0"), ("BRIDGE_TYPE", "linux"), ("STATE", "1"), ("PREV_STATE", "1")] {
        cdata(&mut out, name, text);
    }
    out.push_str("<PARENT_NETWORK_ID/>");
    cdata(&mut out, "VN_MAD", "dummy");
    out.push_str("<PHYDEV/><VLAN_ID/><OUTER_VLAN_ID/>");
    plain(&mut out, "VLAN_ID_AUTOMATIC", 0);
    plain(&mut out, "OUTER_VLAN_ID_AUTOMATIC", 0);
    plain(&mut out, "USED_LEASES", cloud.leases.len());
    out.push_str("<VROUTERS></VROUTERS><UPDATED_VMS></UPDATED_VMS><OUTDATED_VMS></OUTDATED_VMS>");
    out.push_str("<UPDATING_VMS></UPDATING_VMS><ERROR_VMS></ERROR_VMS><TEMPLATE>");
    for (name, text) in [
        ("BRIDGE", "br0"),
        ("DNS", "10.0.0.1"),
        ("GATEWAY", "10.0.0.1"),
        ("NETWORK_MASK", "255.255.0.0"),
        ("SECURITY_GROUPS", "0"),
        ("VN_MAD", "dummy"),
    ] {
        cdata(&mut out, name, text);
    }
    out.push_str("</TEMPLATE><AR_POOL><AR>");
    for (name, text) in
        [("AR_ID", "0"), ("IP", "10.0.0.2"), ("MAC", "02:00:0a:00:00:02"), ("SIZE", "60000"), ("TYPE", "IP4")]
    {
        cdata(&mut out, name, text);
    }
    out.push_str("</AR></AR_POOL></VNET>");
    out
}
