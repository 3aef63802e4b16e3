//! Making a VM.

use vmpool_driver::{CreateRequest, DriverError, Operation};
use vmpool_model::{
    Certainty, FailureKind, Node,
    states::opennebula::{LcmState, VmState},
};

use super::{OpenNebulaDriver, marks::mark, node};
use crate::{
    api::{
        Filter, VirtualMachine,
        cloud::{self, Instantiate},
    },
    client::{CallError, RefusalKind},
    template::{InvalidTemplate, Template},
};

const OPERATION: Operation = Operation::Create;

/// Makes a VM on hold, with its token in it, and lets it go.
///
/// A VM whose number does not arrive stays on hold: it takes an address and quota, and never boots.
pub(super) async fn create(driver: &OpenNebulaDriver, request: &CreateRequest) -> Result<Node, DriverError> {
    check(request)?;
    let marks = mark(attributes(driver)?, request.token.as_ref(), &request.labels);
    let marks = marks.map_err(|err| invalid(err.to_string()))?;
    driver.held.makes(request.token.as_ref());
    let vm = allocate(driver, request, marks).await?;
    let id = vm.id();
    if let Err(err) = vm.release().await
        && err.refusal() != Some(RefusalKind::WrongState)
    {
        return Err(give_up(&vm, err).await);
    }
    driver.held.goes_on(id);
    match vm.info().await {
        Ok(vm) => node::of_vm(OPERATION, &vm),
        // It was made, and that is what matters; the next listing tells the rest.
        Err(_) => {
            let name = request.name.clone().unwrap_or_else(|| format!("one-{id}"));
            let mut node = node::node(OPERATION, id, &name, VmState::Pending, LcmState::LcmInit)?;
            node.token.clone_from(&request.token);
            node.extra.extend(request.labels.clone());
            Ok(node)
        }
    }
}

fn check(request: &CreateRequest) -> Result<(), DriverError> {
    if request.auth.is_some() {
        return Err(DriverError::new(OPERATION, FailureKind::Unsupported).with_context(
            "how to log in to a VM is in its template, such as CONTEXT=[SSH_PUBLIC_KEY=\"$USER[SSH_PUBLIC_KEY]\"]",
        ));
    }
    if let Some(size) = &request.size {
        return Err(invalid(format!(
            "size {size:?}: the template says how large a VM is; name another template"
        )));
    }
    if let Some(location) = &request.location {
        let what = "the template says where a VM may be, with SCHED_REQUIREMENTS; name another template";
        return Err(invalid(format!("location {location:?}: {what}")));
    }
    Ok(())
}

/// Returns what every VM of this driver gets.
fn attributes(driver: &OpenNebulaDriver) -> Result<Template, DriverError> {
    let Some(expiry) = driver.options.first_expiry.filter(|_| driver.version.has_scheduled_actions()) else {
        return Ok(Template::new());
    };
    let seconds = format!("+{}", expiry.as_secs().max(1));
    let action = [("ACTION", "terminate-hard".to_owned()), ("TIME", seconds)];
    Template::new().with_vector("SCHED_ACTION", action).map_err(|err| invalid(err.to_string()))
}

async fn allocate(
    driver: &OpenNebulaDriver,
    request: &CreateRequest,
    marks: Template,
) -> Result<VirtualMachine, DriverError> {
    let wanted = request.image.as_ref().unwrap_or(&request.template);
    let name = request.name.clone().unwrap_or_default();
    let failed = |err: CallError| failed(err, &name, wanted);
    if let Some(text) = driver.options.templates.get(wanted) {
        let own = own_template(text, &name, marks).map_err(|err| invalid(err.to_string()))?;
        return VirtualMachine::allocate(&driver.client, own, true).await.map_err(failed);
    }
    let template = find_template(driver, wanted).await?;
    let extra = if marks.is_empty() { String::new() } else { marks.to_xml() };
    let options = Instantiate { name: name.clone(), hold: true, extra, persistent: false };
    cloud::instantiate(&driver.client, template, &options).await.map_err(failed)
}

/// Puts name and marks behind a template of the configuration, in the form in which that is written.
fn own_template(text: &str, name: &str, marks: Template) -> Result<String, InvalidTemplate> {
    let named = match name {
        "" => Template::new(),
        name => Template::new().with("NAME", name)?,
    };
    match text.trim_end().strip_suffix("</TEMPLATE>") {
        Some(open) => {
            let inner =
                |template: &Template| template.to_xml().replace("<TEMPLATE>", "").replace("</TEMPLATE>", "");
            Ok(format!("{open}{}{}</TEMPLATE>", inner(&named), inner(&marks)))
        }
        None => Ok(format!("{}\n{}{}", text.trim_end(), named.to_text()?, marks.to_text()?)),
    }
}

/// Finds a template of the server by its number or its name.
async fn find_template(driver: &OpenNebulaDriver, wanted: &str) -> Result<i32, DriverError> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let templates = cloud::templates(&driver.client, Filter::All).await;
    // Nothing was asked for yet, so nothing can have happened.
    let templates = templates.map_err(|err| {
        err.into_driver_error(OPERATION, format!("looking for the template {wanted:?}"))
            .with_certainty(Certainty::NotApplied)
    })?;
    let mut found = templates.iter().filter(|template| template.name == wanted);
    match (found.next(), found.next()) {
        (Some(template), None) => Ok(template.id),
        (Some(one), Some(other)) => Err(invalid(format!(
            "there are several templates {wanted:?}, such as {} and {}; give the number of one",
            one.id, other.id
        ))),
        (None, _) => {
            let known: Vec<&str> = templates.iter().map(|template| template.name.as_str()).take(20).collect();
            let what = match known.is_empty() {
                true => "the account may use none: somebody who owns one must grant it USE".to_owned(),
                false => format!("there are {}", known.join(", ")),
            };
            Err(invalid(format!("there is no template {wanted:?}; {what}")))
        }
    }
}

/// Ends a VM that could not be let go; if that works, nothing is left of the create.
async fn give_up(vm: &VirtualMachine, err: CallError) -> DriverError {
    let gone = err.certainty() == Certainty::NotApplied && vm.terminate_hard().await.is_ok();
    let certainty = if gone { Certainty::NotApplied } else { Certainty::Unknown };
    let context = format!("VM {} was made and could not be released from hold", vm.id());
    err.into_driver_error(OPERATION, context).with_certainty(certainty)
}

fn failed(err: CallError, name: &str, template: &str) -> DriverError {
    let hint = match err.refusal() {
        Some(RefusalKind::Permission) => {
            ": the account needs USE of the template, its images and networks, and CREATE of VMs"
        }
        Some(RefusalKind::Restricted) => ": the template has an attribute that only administrators may set",
        _ => "",
    };
    err.into_driver_error(OPERATION, format!("VM {name:?} of template {template:?}{hint}"))
}

fn invalid(what: String) -> DriverError {
    DriverError::new(OPERATION, FailureKind::InvalidRequest).with_context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_marks_are_added_to_a_template_in_its_own_form() {
        let marks = || Template::new().with("VMPOOL_TOKEN", "lab/small/a").unwrap();
        assert_eq!(
            own_template("CPU=1\nMEMORY=64\n", "a", marks()).unwrap(),
            "CPU=1\nMEMORY=64\nNAME=\"a\"\nVMPOOL_TOKEN=\"lab/small/a\"\n"
        );
        assert_eq!(
            own_template("<TEMPLATE><CPU>1</CPU></TEMPLATE>\n", "", marks()).unwrap(),
            "<TEMPLATE><CPU>1</CPU><VMPOOL_TOKEN>lab/small/a</VMPOOL_TOKEN></TEMPLATE>"
        );
    }
}
