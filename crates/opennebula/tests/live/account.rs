//! The account on the server, and what a test makes there.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{
    api::{
        DeployOptions, Filter, Range, StateFilter, VirtualMachine, VirtualMachinePool,
        cloud::{self, Instantiate},
    },
    client::{Client, ClientConfig},
};

use crate::{Failure, clean::clean_up, wait::every_second};

/// What a test has of the server; when it goes, all that the test made there goes, too.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) client: Client,
    /// What the names of all begin with that the test makes.
    pub(crate) prefix: String,
    /// The template of its VMs.
    pub(crate) template: i32,
    /// The number of the user.
    pub(crate) uid: i32,
    /// The number of the user's group.
    pub(crate) gid: i32,
}

/// Opens the account, if there is a server.
pub(crate) async fn live() -> Result<Option<Live>, Failure> {
    let Some(endpoint) = variable("VMPOOL_LIVE_OPENNEBULA") else {
        eprintln!("not run: VMPOOL_LIVE_OPENNEBULA does not say where there is an OpenNebula");
        return Ok(None);
    };
    let client = connect(endpoint)?;
    let prefix =
        format!("vmpool-live-{:012x}-", RandomState::new().build_hasher().finish() & 0xffff_ffff_ffff);
    let user = cloud::user(&client, None).await?;
    // Should all else fail, the server ends the VMs by itself.
    let text = format!(
        "NAME=\"{prefix}template\"\n{}\nCONTEXT=[NETWORK=\"YES\"]\nSCHED_ACTION=[ACTION=\"terminate-hard\",TIME=\"+3600\"]\n",
        size()
    );
    let template = cloud::allocate_template(&client, text).await?;
    let live = Live { prefix, template, uid: user.id, gid: user.gid.unwrap_or(-1), client };
    if variable("VMPOOL_LIVE_DEPLOY").is_some() {
        tokio::spawn(schedule(live.client.clone(), live.prefix.clone(), template));
    }
    Ok(Some(live))
}

/// Makes a client of the account.
fn connect(endpoint: String) -> Result<Client, Failure> {
    let mut config = ClientConfig::from_env()?;
    config.endpoint = endpoint;
    Ok(Client::new(config)?)
}

/// Returns a variable, if there is something in it.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns what VMs are made of, beside what a test adds.
pub(crate) fn size() -> String {
    let given = variable("VMPOOL_LIVE_ATTRIBUTES").unwrap_or_default();
    let usual = ["CPU=0.1", "MEMORY=64"].into_iter().filter(|usual| {
        let name = usual.split('=').next().unwrap_or(usual);
        !given.split([' ', '\n']).any(|word| word.trim().split('=').next() == Some(name))
    });
    usual.chain([given.as_str()]).collect::<Vec<_>>().join("\n")
}

/// Does a scheduler's work: puts what waits on the first host that there is.
async fn schedule(client: Client, prefix: String, template: i32) {
    let mut seconds = every_second();
    loop {
        seconds.tick().await;
        let pool = VirtualMachinePool::new(&client);
        let pending = StateFilter::Is(VmState::Pending);
        let vms = pool.info_extended(Filter::Mine, Range::All, pending).await.unwrap_or_default();
        let hosts = cloud::hosts(&client).await.unwrap_or_default();
        let host = hosts.iter().rev().find(|host| matches!(host.document.number("STATE"), Some(1 | 2)));
        let Some(host) = host else { continue };
        let own = vms.iter().filter(|vm| vm.name.starts_with(&prefix) || vm.template_id == Some(template));
        for vm in own {
            let options = DeployOptions { enforce: true, ..DeployOptions::default() };
            let _ = VirtualMachine::new(&client, vm.id).deploy(host.id, &options).await;
        }
    }
}

impl Live {
    /// Returns a name of this test.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{}{what}", self.prefix)
    }

    /// Returns whether the account is one of the group of administrators.
    pub(crate) fn is_admin(&self) -> bool {
        self.gid == 0
    }

    /// Makes a VM on hold.
    pub(crate) async fn held(&self, what: &str, extra: &str) -> Result<VirtualMachine, Failure> {
        let options = Instantiate {
            name: self.name(what),
            hold: true,
            extra: extra.to_owned(),
            ..Instantiate::default()
        };
        Ok(cloud::instantiate(&self.client, self.template, &options).await?)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let (client, prefix, template) = (self.client.clone(), self.prefix.clone(), self.template);
        // A runtime of its own, since that of the test waits for this.
        let cleaned = std::thread::spawn(move || -> Result<(), Failure> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(clean_up(&client, &prefix, template))
        });
        match cleaned.join() {
            Ok(Ok(())) => {}
            Ok(Err(err)) if std::thread::panicking() => eprintln!("{err}"),
            Ok(Err(err)) => panic!("{err}"),
            Err(_) => eprintln!("cleaning up {} has failed", self.prefix),
        }
    }
}
