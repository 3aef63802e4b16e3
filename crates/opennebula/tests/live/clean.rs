//! Ending all that a test made.

use vmpool_opennebula::{
    api::{Filter, Range, StateFilter, VirtualMachine, VirtualMachinePool, cloud},
    client::{CallError, Client, RefusalKind},
    vm::ListedVm,
};

use crate::{Failure, wait::every_second};

/// How many seconds a clean-up may take.
const SECONDS: u32 = 180;

/// Ends the VMs whose name begins so, or that are of a template, then deletes the images of such names and the template.
pub(crate) async fn clean_up(client: &Client, prefix: &str, template: i32) -> Result<(), Failure> {
    let mut seconds = every_second();
    let mut left = String::new();
    for _ in 0..SECONDS {
        seconds.tick().await;
        left = match step(client, prefix, template).await {
            Ok(None) => return Ok(()),
            Ok(Some(left)) => left,
            Err(err) => err.to_string(),
        };
    }
    Err(format!("after {SECONDS} s not all is gone whose name begins with {prefix}: {left}").into())
}

/// Ends what can be ended now, and returns what is left.
async fn step(client: &Client, prefix: &str, template: i32) -> Result<Option<String>, CallError> {
    let pool = VirtualMachinePool::new(client);
    let vms = pool.info_extended(Filter::Mine, Range::All, StateFilter::NotDone).await?;
    let is_own = |vm: &&ListedVm| vm.name.starts_with(prefix) || vm.template_id == Some(template);
    let vms: Vec<_> = vms.iter().filter(is_own).collect();
    for vm in &vms {
        end(&VirtualMachine::new(client, vm.id)).await?;
    }
    if !vms.is_empty() {
        let ids: Vec<String> = vms.iter().map(|vm| format!("VM {} ({})", vm.id, vm.name)).collect();
        return Ok(Some(ids.join(", ")));
    }
    let images = cloud::images(client, Filter::Mine).await?;
    let images: Vec<_> = images.iter().filter(|image| image.name.starts_with(prefix)).collect();
    for image in &images {
        // It is refused as long as something is done with the image.
        let _ = cloud::delete_image(client, image.id).await;
    }
    if !images.is_empty() {
        return Ok(Some(format!("{} images", images.len())));
    }
    match cloud::delete_template(client, template).await {
        Err(err) if err.refusal() != Some(RefusalKind::NoSuchObject) => Err(err),
        _ => Ok(None),
    }
}

/// Ends a VM by what its state allows; it is looked at again.
async fn end(vm: &VirtualMachine) -> Result<(), CallError> {
    match vm.terminate_hard().await {
        Err(err) if err.refusal() == Some(RefusalKind::Locked) => vm.unlock().await,
        Err(err) if err.refusal() == Some(RefusalKind::WrongState) => match vm.delete().await {
            // An account that may not waits for a state that allows more.
            Err(err) if err.refusal() == Some(RefusalKind::Permission) => Ok(()),
            answer => answer,
        },
        answer => answer,
    }
}
