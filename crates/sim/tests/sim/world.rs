//! A simulated OpenNebula whose clock the test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use vmpool_model::{Timestamp, states::opennebula::VmState};
use vmpool_opennebula::{
    document::Element,
    rpc::{Call, Response, Value},
};
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig};

/// The time at which every world begins.
pub(crate) const BEGINNING: i64 = 1_795_251_939;

/// The session of the administrator.
pub(crate) const ADMIN: &str = "oneadmin:opennebula";

pub(crate) struct World {
    pub(crate) sim: OpenNebulaSim,
    clock: Arc<AtomicI64>,
}

/// Why a call was not answered with a value: a code, a text, and the id of what is missing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refused(pub(crate) i64, pub(crate) String, pub(crate) i64);

impl World {
    /// Makes a world in which nobody schedules, and every step takes a second.
    pub(crate) fn slow() -> Self {
        let second = Duration::from_secs(1);
        Self::new(SimConfig::default().with_boot(second).with_step(second).without_scheduler())
    }

    pub(crate) fn new(config: SimConfig) -> Self {
        let clock = Arc::new(AtomicI64::new(BEGINNING * 1000));
        let reading = Arc::clone(&clock);
        let tell = move || Timestamp::from_millis(reading.load(Ordering::Relaxed));
        Self { sim: OpenNebulaSim::with_clock(config, Arc::new(tell)).unwrap(), clock }
    }

    /// Lets the time pass.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Makes a call for somebody; the first parameter of the call is still missing.
    pub(crate) fn call_as(&self, session: &str, call: Call) -> Result<Value, Refused> {
        let mut with_session = Call::new(call.method).with(session);
        with_session.params.extend(call.params);
        match Response::parse(self.sim.answer(with_session.to_xml().as_bytes()).as_bytes(), 1 << 30).unwrap()
        {
            Response::Fault(fault) => Err(Refused(fault.code, fault.text, -1)),
            Response::Value(Value::Array(items)) => match items.as_slice() {
                [Value::Bool(true), value, Value::Int(0)] => Ok(value.clone()),
                [Value::Bool(false), text, code, id, Value::Long(-1)] => Err(Refused(
                    code.as_integer().unwrap(),
                    text.as_text().unwrap().to_owned(),
                    id.as_integer().unwrap(),
                )),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// Makes a call for the administrator.
    pub(crate) fn call(&self, call: Call) -> Result<Value, Refused> {
        self.call_as(ADMIN, call)
    }

    /// Makes a call that returns an id.
    pub(crate) fn id(&self, call: Call) -> i32 {
        i32::try_from(self.call(call).unwrap().as_integer().unwrap()).unwrap()
    }

    /// Makes a call that returns a document.
    pub(crate) fn document(&self, call: Call) -> Element {
        Element::parse(self.call(call).unwrap().as_text().unwrap()).unwrap()
    }

    pub(crate) fn info(&self, id: i32) -> Element {
        self.document(Call::new("one.vm.info").with(id))
    }

    /// Makes a VM that is on hold.
    pub(crate) fn held(&self) -> i32 {
        self.id(Call::new("one.template.instantiate").with(0).with("").with(true).with("").with(false))
    }

    /// Makes a VM that runs on host 0.
    pub(crate) fn running(&self) -> i32 {
        let id = self.held();
        self.call(Call::new("one.vm.deploy").with(id).with(0)).unwrap();
        self.pass(2);
        assert_eq!(self.state(id), "RUNNING");
        id
    }

    pub(crate) fn act(&self, action: &str, id: i32) -> Result<Value, Refused> {
        self.call(Call::new("one.vm.action").with(action).with(id))
    }

    /// Returns the name of the state of a VM: of the LCM state if it is active.
    pub(crate) fn state(&self, id: i32) -> &'static str {
        match self.sim.state(id).unwrap() {
            (VmState::Active, lcm) => lcm.str_lcm_state(),
            (state, _) => state.str_state(),
        }
    }
}
