//! A small OpenNebula in memory: states move on whenever they are looked at, and actions are refused as a real one refuses.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use vmpool_model::states::opennebula::{LcmState as Lcm, VmState as State};
use vmpool_opennebula::{client::Client, document::Element, driver::OpenNebulaDriver, rpc::Call};

use crate::server::{Act, Server, done, refused};

/// A small OpenNebula.
#[derive(Debug)]
pub(crate) struct Cloud {
    /// Whether its user may administer VMs.
    pub(crate) is_admin: bool,
    /// VMs that it cannot send.
    pub(crate) poisoned: Vec<i32>,
    vms: BTreeMap<i32, Machine>,
    scheduled: i32,
}

#[derive(Debug)]
struct Machine {
    name: String,
    state: (State, Lcm),
    attributes: Vec<(String, String)>,
    /// The id and the time of the action that will end it.
    end: Option<(i32, String)>,
}

/// Starts a cloud, and makes a driver for it.
pub(crate) async fn cloud(is_admin: bool) -> (Server, Arc<Mutex<Cloud>>, OpenNebulaDriver) {
    let cloud =
        Arc::new(Mutex::new(Cloud { is_admin, poisoned: vec![], vms: BTreeMap::new(), scheduled: 0 }));
    let answering = Arc::clone(&cloud);
    let server = Server::start(move |call| answering.lock().unwrap().answer(call)).await;
    let client: Client = server.client();
    let driver = OpenNebulaDriver::connect(client).await.unwrap();
    (server, cloud, driver)
}

impl Cloud {
    fn answer(&mut self, call: &Call) -> Vec<Act> {
        let number =
            |index: usize| call.params.get(index).and_then(|param| param.as_integer()).unwrap_or(-1) as i32;
        let text = |index: usize| call.params.get(index).and_then(|param| param.as_text()).unwrap_or("");
        match call.method.as_str() {
            "one.system.version" => done("6.10.0"),
            "one.templatepool.info" => done(
                "<VMTEMPLATE_POOL><VMTEMPLATE><ID>3</ID><NAME>small</NAME></VMTEMPLATE>\
                 <VMTEMPLATE><ID>4</ID><NAME>large</NAME></VMTEMPLATE></VMTEMPLATE_POOL>",
            ),
            "one.template.instantiate" => {
                let mut attributes = attributes(text(4));
                attributes.push(("TEMPLATE_ID".into(), number(1).to_string()));
                self.make(text(2), attributes)
            }
            "one.vm.allocate" => self.make("raw", vec![("RAW".into(), text(1).into())]),
            "one.vmpool.info" | "one.vmpool.infoextended" => self.list(number(2), number(3)),
            method => {
                let id = if method == "one.vm.action" { number(2) } else { number(1) };
                if !self.vms.contains_key(&id) {
                    return refused(1024, &format!("[{method}] Error getting virtual machine [{id}]."));
                }
                self.of_one(method, id, text(1), text(2), text(3))
            }
        }
    }

    fn of_one(&mut self, method: &str, id: i32, first: &str, second: &str, third: &str) -> Vec<Act> {
        let is_admin = self.is_admin;
        let Some(vm) = self.vms.get_mut(&id) else { return vec![] };
        match method {
            "one.vm.info" => {
                let document = vm.document(id);
                vm.move_on();
                done(document)
            }
            "one.vm.action" => match vm.act(first) {
                true => done(id),
                false => refused(2048, &format!("[{method}] This action is not available for state X")),
            },
            "one.vm.recover" if !is_admin => {
                refused(512, "[one.vm.recover] User [2] : Not authorized to perform ADMIN VM [9].")
            }
            "one.vm.recover" => {
                vm.state = (State::Done, Lcm::LcmInit);
                done(id)
            }
            "one.vm.schedadd" => {
                self.scheduled += 1;
                vm.end = Some((self.scheduled, second.to_owned()));
                done(self.scheduled)
            }
            "one.vm.schedupdate" => {
                vm.end = vm.end.take().map(|(action, _)| (action, third.to_owned()));
                done(id)
            }
            other => panic!("{other} is called"),
        }
    }

    fn make(&mut self, name: &str, attributes: Vec<(String, String)>) -> Vec<Act> {
        let id = self.vms.last_key_value().map_or(0, |(id, _)| id + 1);
        let name = if name.is_empty() { format!("one-{id}") } else { name.to_owned() };
        let state = (State::Hold, Lcm::LcmInit);
        self.vms.insert(id, Machine { name, state, attributes, end: None });
        done(id)
    }

    fn list(&mut self, start: i32, end: i32) -> Vec<Act> {
        let is_in = |id: &i32| start <= *id && (end < 0 || *id <= end);
        if self.poisoned.iter().any(|id| is_in(id) && self.vms.contains_key(id)) {
            let body = crate::recordings::recording("poison.vmpool.infoextended").response();
            return vec![Act::Send(crate::server::http(&body))];
        }
        let mut pool = String::from("<VM_POOL>");
        for (id, vm) in self.vms.iter_mut().rev().filter(|(id, _)| is_in(id)) {
            if vm.state.0 != State::Done {
                pool.push_str(&vm.document(*id));
                vm.move_on();
            }
        }
        pool.push_str("</VM_POOL>");
        done(pool)
    }

    /// Sets the numbers of a state.
    pub(crate) fn set_state(&mut self, id: i32, state: i32, lcm: i32) {
        self.vms.get_mut(&id).unwrap().state = (State::from_number(state), Lcm::from_number(lcm));
    }

    pub(crate) fn state(&self, id: i32) -> State {
        self.vms[&id].state.0
    }

    /// Returns when the server will end a VM by itself.
    pub(crate) fn end_of(&self, id: i32) -> Option<(i32, String)> {
        self.vms[&id].end.clone()
    }

    pub(crate) fn attribute(&self, id: i32, name: &str) -> Option<String> {
        self.vms[&id].attributes.iter().find(|(found, _)| found == name).map(|(_, text)| text.clone())
    }
}

impl Machine {
    fn document(&self, id: i32) -> String {
        let mut xml = format!("<VM><ID>{id}</ID><UID>2</UID><GID>100</GID><NAME>{}</NAME>", self.name);
        let (state, lcm) = self.state;
        let numbers = (state.number(), lcm.number());
        // Writing to a string cannot fail.
        let _ = write!(
            xml,
            "<STATE>{}</STATE><LCM_STATE>{}</LCM_STATE><STIME>1795251939</STIME>",
            numbers.0, numbers.1
        );
        let _ = write!(
            xml,
            "<ETIME>0</ETIME><TEMPLATE><NIC><NIC_ID>0</NIC_ID><IP>10.0.0.{}</IP></NIC>",
            id % 200 + 2
        );
        if let Some((action, time)) = &self.end {
            let _ = write!(
                xml,
                "<SCHED_ACTION><ID>{action}</ID><ACTION>terminate-hard</ACTION><TIME><![CDATA[{time}]]></TIME><DONE>-1</DONE></SCHED_ACTION>"
            );
        }
        let of_template = |name: &str| name == "TEMPLATE_ID";
        for (name, text) in self.attributes.iter().filter(|(name, _)| of_template(name)) {
            let _ = write!(xml, "<{name}>{text}</{name}>");
        }
        xml.push_str("</TEMPLATE><USER_TEMPLATE>");
        for (name, text) in self.attributes.iter().filter(|(name, _)| !of_template(name)) {
            let _ = write!(xml, "<{name}><![CDATA[{text}]]></{name}>");
        }
        xml.push_str("</USER_TEMPLATE><HISTORY_RECORDS/></VM>");
        xml
    }

    fn move_on(&mut self) {
        self.state = match self.state {
            (State::Pending, _) => (State::Active, Lcm::Prolog),
            (State::Active, Lcm::Prolog) => (State::Active, Lcm::Boot),
            (State::Active, Lcm::Boot | Lcm::BootPoweroff) => (State::Active, Lcm::Running),
            (State::Active, Lcm::ShutdownPoweroff) => (State::Poweroff, Lcm::LcmInit),
            (State::Active, Lcm::Shutdown) => (State::Active, Lcm::Epilog),
            (State::Active, Lcm::Epilog) => (State::Done, Lcm::LcmInit),
            other => other,
        };
        if self.end.as_ref().is_some_and(|(_, time)| time.contains("\"+1\"")) {
            self.act("terminate-hard");
        }
    }

    fn act(&mut self, action: &str) -> bool {
        let next = match (action, self.state) {
            ("terminate-hard", (State::Active, Lcm::Running)) => (State::Active, Lcm::Shutdown),
            ("terminate-hard", (State::Active, Lcm::Shutdown) | (State::Poweroff, _)) => {
                (State::Active, Lcm::Epilog)
            }
            ("terminate-hard", (State::Hold | State::Pending | State::Done, _)) => {
                (State::Done, Lcm::LcmInit)
            }
            ("release", (State::Hold, _)) => (State::Pending, Lcm::LcmInit),
            ("poweroff", (State::Active, Lcm::Running)) => (State::Active, Lcm::ShutdownPoweroff),
            ("reboot", (State::Active, Lcm::Running)) => self.state,
            ("resume", (State::Poweroff, _)) => (State::Active, Lcm::BootPoweroff),
            _ => return false,
        };
        self.state = next;
        true
    }
}

fn attributes(extra: &str) -> Vec<(String, String)> {
    if extra.is_empty() {
        return vec![];
    }
    let element = Element::parse(extra).unwrap();
    element.children.into_iter().map(|child| (child.name, child.text)).collect()
}
