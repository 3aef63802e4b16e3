//! Datastores: there are the three that a new server has.

use vmpool_model::Timestamp;

use super::{head, one_of};
use crate::opennebula::{
    cloud::Cloud,
    rights::{Caller, Permissions},
    wire::{Answer, Params, no_such},
    xml::{cdata, plain},
};

/// The name, the driver and the number of the type of each, in the order of their ids.
const STORES: [(&str, &str, i32); 3] = [("system", "-", 1), ("default", "dummy", 0), ("files", "fs", 2)];

/// What a new server grants for its datastores.
const PERMISSIONS: Permissions = Permissions([true, true, false, true, false, false, false, false, false]);

pub(crate) fn datastore(cloud: &mut Cloud, _: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    // The own ones come right after those that a new server has.
    let id = params.int(0)?;
    let place = if id < 100 { id } else { id - 97 };
    match (3..100).contains(&id) {
        true => no_such("datastore", id),
        false => one_of("datastore", documents(cloud), place),
    }
}

pub(crate) fn datastores(cloud: &mut Cloud, _: &Caller, _: Params<'_>, _: Timestamp) -> Answer {
    let newest_first: String = documents(cloud).into_iter().rev().collect();
    Ok(format!("<DATASTORE_POOL>{newest_first}</DATASTORE_POOL>").into())
}

fn documents(cloud: &Cloud) -> Vec<String> {
    let own = (100..).zip(cloud.stores.iter().map(|name| (name.as_str(), "restic", 3)));
    let documents = (0..).zip(STORES).chain(own).map(|(id, (name, driver, kind))| {
        let mut out = String::from("<DATASTORE>");
        head(cloud, id, (0, 0), name, PERMISSIONS, &mut out);
        cdata(&mut out, "DS_MAD", driver);
        cdata(&mut out, "TM_MAD", "dummy");
        cdata(&mut out, "BASE_PATH", format!("/var/lib/one//datastores/{id}"));
        plain(&mut out, "TYPE", kind);
        plain(&mut out, "DISK_TYPE", 0);
        plain(&mut out, "STATE", 0);
        out.push_str("<CLUSTERS><ID>0</ID></CLUSTERS>");
        for (name, size) in [("TOTAL_MB", 20_480), ("FREE_MB", 20_480), ("USED_MB", 0)] {
            plain(&mut out, name, size);
        }
        out.push_str("<IMAGES>");
        cloud.images.keys().filter(|_| id == 1).for_each(|image| plain(&mut out, "ID", image));
        out.push_str("</IMAGES><TEMPLATE>");
        cdata(&mut out, "TM_MAD", "dummy");
        out.push_str("</TEMPLATE></DATASTORE>");
        out
    });
    documents.collect()
}
