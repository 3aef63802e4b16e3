//! The call that creates a machine.

use serde_json::{Map, Value, json};
use vmpool_model::states::cloudapi::MachineState;

use super::{Asked, plain, says_yes};
use crate::cloudapi::{
    catalog::{is_uuid, number, text},
    cloud::{Account, Cloud},
    jobs::Work,
    machine::{Disk, Machine},
    reply::{Answer, Refusal, SimReply, invalid, missing, refuse},
};

/// What a wrong name or tag is told in the first place.
const WRONG_NAME: &str = "Invalid VM parameters: Invalid machine name";

pub(in crate::cloudapi) fn create(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let given = asked.parameters()?;
    if let Some(account) = cloud.accounts.get(asked.login()) {
        may_provision(account)?;
    }
    let (package, image) = made_from(cloud, &given)?;
    check_placement(&given)?;
    let wanted = networks(cloud, &given)?;
    let mut tags = prefixed(&given, "tag.");
    super::tags::check(&mut tags, "Invalid VM parameters: Invalid tags")?;
    let id = cloud.uuid();
    let name = name(&given, &id);
    cloud.check_name(asked.login(), &name, None, WRONG_NAME)?;
    let full = cloud
        .config
        .capacity
        .is_some_and(|room| room <= cloud.machines.values().filter(|machine| machine.is_active()).count());
    if full || cloud.chance(cloud.config.faults.fail_create) {
        let body = json!({
            "code": "InsufficientServersError",
            "message": "No allocatable servers found",
            "errors": [],
        });
        return Err(Refusal::shown(409, body));
    }
    let mut metadata = prefixed(&given, "metadata.");
    let credentials = match metadata.remove("credentials") {
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    };
    metadata.insert("root_authorized_keys".to_owned(), authorized_keys(cloud, asked).into());
    let is_hardware = text(&image, "type") == "zvol";
    let brand = match (text(&package, "brand"), is_hardware) {
        ("", true) => "kvm",
        ("", false) if text(&image, "type") == "lx-dataset" => "lx",
        ("", false) => "joyent",
        (brand, _) => brand,
    };
    let mut machine = Machine {
        id: id.clone(),
        owner: asked.login().to_owned(),
        name,
        kind: if is_hardware { "virtualmachine" } else { "smartmachine" },
        brand: brand.to_owned(),
        image: text(&image, "id").to_owned(),
        package: text(&package, "name").to_owned(),
        memory: number(&package, "memory"),
        disk: number(&package, "disk"),
        is_flexible: package["flexible_disk"] == true,
        state: MachineState::Provisioning,
        is_lost: false,
        tags,
        metadata,
        credentials,
        has_firewall: says_yes(given.get("firewall_enabled")),
        is_protected: given.get("deletion_protection") == Some(&Value::Bool(true)),
        has_dataset: says_yes(given.get("delegate_dataset")),
        made_at: asked.now,
        changed_at: asked.now,
        wanted,
        nics: Vec::new(),
        disks: Vec::new(),
        snapshots: Vec::new(),
        jobs: Vec::new(),
        audit: Vec::new(),
        node: None,
    };
    if machine.brand == "bhyve" {
        machine.disks = disks(cloud, &given, &machine);
    }
    cloud.enqueue(&mut machine, Work::Provision, &asked.caller, asked.now);
    let mut shown = machine.shown(asked.version);
    // The server does not know it yet.
    shown["package"] = "".into();
    cloud.machines.insert(id.clone(), machine);
    Ok(SimReply::created(shown, asked.path(&format!("machines/{id}"))))
}

fn may_provision(account: &Account) -> Result<(), Refusal> {
    if !account.is_approved {
        return invalid("User is not currently approved for provisioning");
    }
    match account.keys.is_empty() && account.users.is_empty() {
        true => refuse(409, "KeyRequired", "You must have a key on your account to provision a machine"),
        false => Ok(()),
    }
}

/// Returns the package and the image that are asked for.
fn made_from(cloud: &Cloud, given: &Map<String, Value>) -> Result<(Value, Value), Refusal> {
    let of = |key: &str| given.get(key).map(plain).filter(|text| !text.is_empty());
    let Some(image_id) = of("image").or_else(|| of("dataset")) else {
        return refuse(409, "MissingParameter", "image must be specified");
    };
    let Some(package_name) = of("package") else {
        return refuse(409, "MissingParameter", "package must be specified");
    };
    if !is_uuid(&image_id) {
        return invalid(&format!("{image_id} is not a valid image"));
    }
    let package = match cloud.catalog.package(&package_name) {
        Some(package) => package.clone(),
        None if is_uuid(&package_name) => return missing("Package does not exist"),
        None => return invalid(&format!("{package_name} is not a valid package")),
    };
    let Some(image) = cloud.catalog.image(&image_id) else { return missing("image not found") };
    if text(image, "state") != "active" {
        return invalid(&format!("image {image_id} is not active"));
    }
    let brand = text(&package, "brand");
    if matches!(brand, "bhyve" | "kvm") && text(image, "type") != "zvol" {
        return invalid(&format!("Brand \"{brand}\" requires the image type to be \"zvol\""));
    }
    Ok((package, image.clone()))
}

/// Checks what is said about where the machine is to run, and which volumes it has; nothing comes of either here.
fn check_placement(given: &Map<String, Value>) -> Result<(), Refusal> {
    if given.contains_key("volumes") {
        return invalid("Support for automounting volumes is not enabled");
    }
    let Some(affinity) = given.get("affinity") else { return Ok(()) };
    if given.contains_key("locality") {
        return invalid("cannot specify both \"locality\" (deprecated) and \"affinity\"");
    }
    let rules: Vec<String> = match affinity {
        Value::Array(rules) => rules.iter().map(plain).collect(),
        rule => vec![plain(rule)],
    };
    match rules.iter().find(|rule| !rule.contains("==") && !rule.contains("!=")) {
        None => Ok(()),
        Some(rule) => invalid(&format!(
            "could not find operator in affinity rule: expected one of \"==\", \"!=\": '{rule}'"
        )),
    }
}

/// Returns the ids of the networks that are asked for: one outside and one inside if none are.
fn networks(cloud: &Cloud, given: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let Some(Value::Array(asked)) = given.get("networks") else {
        let ids = cloud.catalog.networks.iter().take(2).map(|network| text(network, "id").to_owned());
        return Ok(ids.collect());
    };
    let mut ids: Vec<String> = Vec::new();
    for network in asked {
        let id = match network {
            Value::String(id) => id.as_str(),
            other => text(other, "ipv4_uuid"),
        };
        if !is_uuid(id) {
            return Err(Refusal::grief("netUuid (uuid) is required"));
        }
        if cloud.catalog.network(id).is_none() {
            return invalid("Invalid Networks");
        }
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

fn name(given: &Map<String, Value>, id: &str) -> String {
    let short = id.get(..8).unwrap_or_default();
    match given.get("name") {
        Some(Value::String(name)) if !name.is_empty() => name.replace("{{shortId}}", short),
        _ => short.to_owned(),
    }
}

fn authorized_keys(cloud: &Cloud, asked: &Asked<'_>) -> String {
    let keys = cloud.accounts.get(asked.login()).map(|account| account.keys.as_slice()).unwrap_or_default();
    keys.iter().map(|key| format!("{}\n", key.line)).collect()
}

/// Returns the disks of a machine: what is asked for, or what the package has.
fn disks(cloud: &mut Cloud, given: &Map<String, Value>, machine: &Machine) -> Vec<Disk> {
    let mut sizes: Vec<Option<u64>> = match given.get("disks") {
        Some(Value::Array(disks)) => disks.iter().map(|disk| disk["size"].as_u64()).collect(),
        _ => vec![None, Some(machine.disk)],
    };
    sizes.truncate(8);
    let disk = |(index, size): (usize, Option<u64>)| Disk {
        id: cloud.uuid(),
        size,
        is_boot: index == 0,
        image: (index == 0).then(|| machine.image.clone()),
    };
    sizes.into_iter().enumerate().map(disk).collect()
}

/// Returns the parameters whose names begin so, by the rest of their names; nested ones are none.
fn prefixed(given: &Map<String, Value>, prefix: &str) -> Map<String, Value> {
    let pair = |(key, value): (&String, &Value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone()));
    given.iter().filter_map(pair).collect()
}

impl Cloud {
    /// Refuses a name that is none, or that another machine of the account has.
    pub(super) fn check_name(
        &self,
        login: &str,
        name: &str,
        own_id: Option<&str>,
        message: &str,
    ) -> Result<(), Refusal> {
        let refuse = |code: &str, why: &str| Err(Refusal::field(message, "alias", code, why));
        let mut characters = name.chars();
        let is_first = characters.next().is_some_and(|first| first.is_ascii_alphanumeric());
        if !is_first || !characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')) {
            return refuse("Invalid", "String does not match regexp: /^[a-zA-Z0-9][a-zA-Z0-9\\_\\.\\-]*$/");
        }
        if 189 < name.len() {
            return refuse("Invalid", "String is longer than maximum of 189 characters");
        }
        let mut others = self.machines.values().filter(|machine| Some(machine.id.as_str()) != own_id);
        match others.any(|machine| machine.owner == login && machine.is_active() && machine.name == name) {
            true => refuse("Duplicate", "Already exists for this owner_uuid"),
            false => Ok(()),
        }
    }
}
