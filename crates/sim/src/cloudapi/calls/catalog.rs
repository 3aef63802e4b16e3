//! Packages, images, networks.

use serde_json::{Value, json};

use super::{Asked, plain};
use crate::cloudapi::{
    catalog::{is_uuid, text},
    cloud::Cloud,
    reply::{Answer, SimReply, missing, refuse},
};

/// What of a query narrows a listing of packages down.
const OF_PACKAGES: [&str; 9] =
    ["name", "memory", "disk", "swap", "lwps", "version", "vcpus", "group", "brand"];

/// What of a query narrows a listing of images down.
const OF_IMAGES: [&str; 6] = ["name", "os", "version", "public", "owner", "type"];

pub(in crate::cloudapi) fn packages(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let found = cloud.catalog.packages.iter().filter(|package| suits(package, &OF_PACKAGES, asked));
    Ok(SimReply::ok(found.cloned().collect()))
}

pub(in crate::cloudapi) fn package(cloud: &mut Cloud, _: &Asked<'_>, names: &[&str]) -> Answer {
    let name = names.first().copied().unwrap_or_default();
    match cloud.catalog.package(name) {
        Some(package) => Ok(SimReply::ok(package.clone())),
        None => missing(&format!("{name} not found")),
    }
}

pub(in crate::cloudapi) fn images(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let state = asked.request.asked("state").unwrap_or_else(|| "active".to_owned());
    let shown = cloud.catalog.images.iter().map(|image| of_version(image, asked));
    let found = shown
        .filter(|image| (state == "all" || text(image, "state") == state) && suits(image, &OF_IMAGES, asked));
    Ok(SimReply::ok(found.collect()))
}

pub(in crate::cloudapi) fn image(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let id = ids.first().copied().unwrap_or_default();
    if !is_uuid(id) {
        return refuse(400, "InvalidParameter", "invalid image uuid");
    }
    match cloud.catalog.image(id) {
        Some(image) => Ok(SimReply::ok(of_version(image, asked))),
        None => missing("image not found"),
    }
}

/// Returns an image as a version of the API shows it.
fn of_version(image: &Value, asked: &Asked<'_>) -> Value {
    let mut shown = image.clone();
    if asked.version < (8, 0, 0) {
        let kind = match text(image, "type") {
            "zvol" => "virtualmachine",
            _ => "smartmachine",
        };
        shown["type"] = json!(kind);
    }
    shown
}

pub(in crate::cloudapi) fn networks(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let of_fabric = asked.request.asked("fabric").map(|value| value == "true");
    let found = cloud
        .catalog
        .networks
        .iter()
        .filter(|network| of_fabric.is_none_or(|fabric| (network["fabric"] == true) == fabric));
    Ok(SimReply::ok(found.cloned().collect()))
}

pub(in crate::cloudapi) fn network(cloud: &mut Cloud, _: &Asked<'_>, ids: &[&str]) -> Answer {
    let id = ids.first().copied().unwrap_or_default();
    match cloud.catalog.network(id) {
        Some(network) => Ok(SimReply::ok(network.clone())),
        None => missing(&format!("{id} not found")),
    }
}

/// Returns whether something is as the query asks.
fn suits(thing: &Value, keys: &[&str], asked: &Asked<'_>) -> bool {
    asked.request.query().iter().all(|(key, value)| {
        !keys.contains(&key.as_str()) || thing.get(key).is_some_and(|found| plain(found) == *value)
    })
}
