//! What machines can be made from.

use std::collections::BTreeMap;

use vmpool_driver::{Catalog, QuotaUse};
use vmpool_model::{NodeImage, NodeSize};

use super::Template;
use crate::types::{Image, Package};

/// Returns what can be chosen with one of the templates at least: packages by their names, because that is what machines show
/// of theirs, and images that are active.
///
/// The server refuses a package for virtual hardware with the image of a zone, and an image in too small a package. What is not
/// known of a template excludes nothing.
pub(super) fn catalog(
    packages: Vec<Package>,
    images: Vec<Image>,
    templates: &BTreeMap<String, Template>,
) -> Catalog {
    let images: Vec<Image> = images.into_iter().filter(is_active).collect();
    let package_of = |template: &Template| {
        let wanted = template.package.as_deref()?;
        packages.iter().find(|package| package.id == wanted || package.name == wanted)
    };
    let image_of = |template: &Template| {
        let wanted = template.image.as_deref()?;
        images.iter().find(|image| image.id == wanted)
    };
    let any = |fits: &dyn Fn(&Template) -> bool| templates.is_empty() || templates.values().any(fits);
    let mut catalog = Catalog::default();
    for package in &packages {
        let can_be_chosen = any(&|template| image_of(template).is_none_or(|image| fits(package, image)));
        // Of several versions of a name the server takes the newest, and the sizes differ in nothing that shows here.
        if can_be_chosen && !catalog.sizes.iter().any(|size| size.id == package.name) {
            catalog.sizes.push(size(package));
        }
    }
    for image in &images {
        let can_be_chosen = any(&|template| {
            let is_alike = image_of(template).is_none_or(|own| is_hardware(own) == is_hardware(image));
            is_alike && package_of(template).is_none_or(|package| fits(package, image))
        });
        if can_be_chosen {
            let name = format!("{}@{}", image.name, image.version);
            catalog.images.push(NodeImage { id: image.id.clone(), name });
        }
    }
    catalog
}

/// Reads what an account may provision, which operators write in words of their own; what has no number is left out.
pub(super) fn quotas(limits: &serde_json::Value) -> Vec<QuotaUse> {
    let text = |limit: &serde_json::Value, key: &str| limit[key].as_str().map(str::to_owned);
    let quota = |limit: &serde_json::Value| {
        let most = ["value", "limit"].iter().find_map(|key| limit[*key].as_f64())?;
        let what = text(limit, "by").unwrap_or_else(|| "machines".to_owned());
        let of: Vec<String> = ["check", "image", "os", "brand", "datacenter"]
            .iter()
            .filter_map(|key| Some(format!("{key} {}", text(limit, key)?)))
            .collect();
        let what = if of.is_empty() { what } else { format!("{what} ({})", of.join(", ")) };
        Some(QuotaUse::new(what, None, Some(most)))
    };
    limits.as_array().into_iter().flatten().filter_map(quota).collect()
}

fn size(package: &Package) -> NodeSize {
    NodeSize {
        id: package.name.clone(),
        name: package.name.clone(),
        ram: package.memory,
        disk: package.disk / 1024,
        bandwidth: None,
        price: None,
    }
}

fn is_active(image: &Image) -> bool {
    image.state.as_deref().is_none_or(|state| state == "active")
}

/// Returns whether an image is one of virtual hardware, by either word that versions have for it.
fn is_hardware(image: &Image) -> bool {
    matches!(image.kind.as_deref(), Some("zvol" | "virtualmachine"))
}

/// Returns whether the server makes a machine of both.
fn fits(package: &Package, image: &Image) -> bool {
    let has_its_kind = match package.brand.as_deref() {
        Some("kvm" | "bhyve") => is_hardware(image),
        Some(_) => !is_hardware(image),
        None => true,
    };
    let needs = &image.requirements;
    let has_room = needs.min_ram.or(needs.min_memory).is_none_or(|least| least <= package.memory);
    let is_small = needs.max_ram.or(needs.max_memory).is_none_or(|most| package.memory <= most);
    has_its_kind && has_room && is_small
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chosen(templates: serde_json::Value) -> (Vec<String>, Vec<String>) {
        let packages = json!([
            {"id": "p1", "name": "small", "memory": 128}, {"id": "p2", "name": "large", "memory": 1024},
            {"id": "p3", "name": "hardware", "memory": 1024, "brand": "bhyve"}, {"id": "p4", "name": "small", "memory": 128},
        ]);
        let images = json!([
            {"id": "zone", "name": "a", "type": "zone-dataset"},
            {"id": "lx", "name": "b", "type": "lx-dataset", "requirements": {"min_ram": 256}},
            {"id": "disk", "name": "c", "type": "zvol"}, {"id": "old", "name": "d", "state": "disabled"},
        ]);
        let templates = serde_json::from_value(templates).unwrap();
        let catalog = catalog(
            serde_json::from_value(packages).unwrap(),
            serde_json::from_value(images).unwrap(),
            &templates,
        );
        let sizes = catalog.sizes.into_iter().map(|size| size.id).collect();
        (sizes, catalog.images.into_iter().map(|image| image.id).collect())
    }

    #[test]
    fn what_no_template_can_be_combined_with_is_not_in_the_catalog() {
        for (templates, sizes, images) in [
            (json!({}), &["small", "large", "hardware"][..], &["zone", "lx", "disk"][..]),
            (json!({"t": {"package": "small", "image": "zone"}}), &["small", "large"], &["zone"]),
            (json!({"t": {"package": "p2", "image": "zone"}}), &["small", "large"], &["zone", "lx"]),
            (json!({"t": {"package": "p3", "image": "disk"}}), &["small", "large", "hardware"], &["disk"]),
            (
                json!({"t": {"package": "?", "image": "?"}}),
                &["small", "large", "hardware"],
                &["zone", "lx", "disk"],
            ),
        ] {
            let found = chosen(templates.clone());
            assert_eq!(
                (found.0, found.1),
                (
                    sizes.iter().map(|&s| s.to_owned()).collect(),
                    images.iter().map(|&s| s.to_owned()).collect()
                ),
                "{templates}"
            );
        }
    }
}
