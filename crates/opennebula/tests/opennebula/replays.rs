//! Every recorded request is made once more by the method that stands for it, and every recorded answer is what it comes to.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{
    api::{
        Action, DeployOptions, Filter, LockLevel, MigrateKind, MigrateOptions, Range, RecoverOperation,
        SaveDiskOptions, StateFilter, UpdateMode, VirtualMachine, VirtualMachinePool,
        cloud::{self, Instantiate},
    },
    client::{CallError, CallFailure, Client, ClientConfig, Session},
    rpc::{Call, Value},
};

use crate::{
    recordings::{Recording, recordings},
    server::{Act, Server, http},
};

/// How the names of the recordings begin whose request no typed method makes, and why.
const NOT_MADE: [(&str, &str); 39] = [
    ("datastore.update.", "an administrator's"),
    ("host.allocate", "an administrator's"),
    ("one.acl.", "an administrator's"),
    ("one.group.", "an administrator's"),
    ("one.hostpool.monitoring", "an administrator's"),
    ("one.user.allocate", "an administrator's"),
    ("one.user.quota", "an administrator's"),
    ("one.userpool.", "an administrator's"),
    ("vn.allocate", "an administrator's"),
    ("one.template.instantiate.3args", "an argument is left out"),
    ("one.vm.allocate.1arg", "an argument is left out"),
    ("one.vm.deploy.2args", "an argument is left out"),
    ("one.vm.migrate.3args", "an argument is left out"),
    ("one.vmpool.info.3args", "an argument is left out"),
    ("one.vmpool.info.noargs", "an argument is left out"),
    ("one.vmpool.monitoring.1arg", "an argument is left out"),
    ("one.vm.action.EMPTY.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.Terminate.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.cancel.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.delete.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.delete-recreate.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.finalize.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.live-migrate.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.migrate.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.restart.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.resubmit.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.saveas.", "an action that servers do not have any more, or never had"),
    ("one.vm.action.shutdown.", "an action that servers do not have any more, or never had"),
    ("one.vm.allocate.ctrlchar", "refused before it is sent"),
    ("one.vm.info.decrypt-arg", "what is encrypted is not asked for in clear"),
    ("one.vm.lock.badlevel", "there is no such level"),
    ("one.vm.recover.6.", "there is no such operation"),
    ("one.vmpool.info.filter_-5", "there is no such filter"),
    ("one.vmpool.info.keyval", "what is searched for is told with its attributes"),
    ("one.vmpool.info.range_-1_-3", "no offset is negative, and an end without a beginning means all"),
    ("one.vmpool.info.range_-1_3", "no offset is negative, and an end without a beginning means all"),
    ("one.vmpool.info.range_-2_", "no offset is negative, and an end without a beginning means all"),
    ("one.vmpool.info.range_-5_", "no offset is negative, and an end without a beginning means all"),
    ("one.vmpool.infoset.garbage", "ids are numbers"),
];

#[tokio::test]
async fn every_recorded_request_is_made_byte_for_byte_and_its_answer_is_understood() {
    let mut not_made = Vec::new();
    // The others were written by hand, to see what the server does with what no client sends.
    let of_a_client = |recording: &&Recording| !recording.name.starts_with("proto.");
    for recording in recordings().iter().filter(of_a_client) {
        let name = &recording.name;
        let expected = Call::parse(&recording.request(), 1 << 30).unwrap();
        let answer = http(&recording.response());
        let server = Server::start(move |_| vec![Act::Send(answer.clone())]).await;
        let session = Session::new(expected.params[0].as_text().unwrap());
        let client = Client::new(ClientConfig::new(server.endpoint.clone(), session)).unwrap();
        let Some(outcome) = make(&client, &expected).await else {
            not_made.push(name.clone());
            continue;
        };
        let comes_to = match outcome.as_ref().map_err(|err| &*err.failure) {
            Ok(()) => "ok",
            Err(CallFailure::Refused { .. }) => "err",
            Err(CallFailure::Fault(_)) => "fault",
            Err(CallFailure::Forbidden(_)) => {
                not_made.push(name.clone());
                continue;
            }
            Err(other) => panic!("{name}: {other}"),
        };
        let sent = server.ended(1).await.remove(0).call.unwrap();
        assert!(sent.to_xml().into_bytes() == recording.request(), "{name}: {sent:?} is sent");
        assert!(recording.outcome.starts_with(comes_to), "{name}: {outcome:?}");
    }
    let says_why = |name: &String| NOT_MADE.iter().any(|(beginning, _)| name.starts_with(beginning));
    let left: Vec<_> = not_made.iter().filter(|name| !says_why(name)).collect();
    assert!(left.is_empty(), "no method makes {left:?}");
    for (beginning, why) in NOT_MADE {
        assert!(not_made.iter().any(|name| name.starts_with(beginning)), "{beginning} is made, though {why}");
    }
}

/// The arguments of a call, behind its session.
struct Arguments<'a>(&'a [Value]);

impl Arguments<'_> {
    fn number(&self, place: usize) -> Option<i32> {
        self.0.get(place)?.as_integer()?.try_into().ok()
    }

    fn text(&self, place: usize) -> Option<&str> {
        self.0.get(place)?.as_text()
    }

    fn truth(&self, place: usize) -> Option<bool> {
        match self.0.get(place)? {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }
}

type Outcome = Result<(), CallError>;

/// Makes a call by the typed method that stands for it; nothing if there is none.
async fn make(client: &Client, call: &Call) -> Option<Outcome> {
    let given = Arguments(&call.params[1..]);
    let method = call.method.as_str();
    if method.starts_with("one.vmpool.") {
        return of_the_pool(&VirtualMachinePool::new(client), method, &given).await;
    }
    Some(match method {
        "one.system.version" => client.version().await.map(drop),
        "one.vm.allocate" => {
            VirtualMachine::allocate(client, given.text(0)?, given.truth(1)?).await.map(drop)
        }
        "one.vm.action" => {
            let name = given.text(0)?;
            let action = Action::ALL.into_iter().find(|action| action.as_str() == name)?;
            VirtualMachine::new(client, given.number(1)?).act(action).await
        }
        method if method.starts_with("one.vm.") => {
            return of_a_vm(&VirtualMachine::new(client, given.number(0)?), method, &given).await;
        }
        "one.template.instantiate" => {
            let options = Instantiate {
                name: given.text(1)?.to_owned(),
                hold: given.truth(2)?,
                extra: given.text(3)?.to_owned(),
                persistent: given.truth(4)?,
            };
            cloud::instantiate(client, given.number(0)?, &options).await.map(drop)
        }
        "one.template.allocate" => cloud::allocate_template(client, given.text(0)?).await.map(drop),
        "one.template.info" => cloud::template(client, given.number(0)?, given.truth(1)?).await.map(drop),
        "one.image.allocate" => {
            cloud::allocate_image(client, given.text(0)?, given.number(1)?).await.map(drop)
        }
        "one.imagepool.info" => cloud::images(client, filter(given.number(0)?)?).await.map(drop),
        "one.vnpool.info" => cloud::networks(client, filter(given.number(0)?)?).await.map(drop),
        "one.datastorepool.info" => cloud::datastores(client).await.map(drop),
        "one.hostpool.info" => cloud::hosts(client).await.map(drop),
        "one.host.info" => cloud::host(client, given.number(0)?).await.map(drop),
        "one.user.info" => {
            let user = given.number(0)?;
            cloud::user(client, (0 <= user).then_some(user)).await.map(drop)
        }
        "one.user.login" => {
            let seconds = given.number(2)?.try_into().ok()?;
            cloud::login(client, given.text(0)?, seconds).await.map(drop)
        }
        _ => return None,
    })
}

async fn of_a_vm(vm: &VirtualMachine, method: &str, given: &Arguments<'_>) -> Option<Outcome> {
    Some(match method {
        "one.vm.info" if given.0.len() == 1 => vm.info().await.map(drop),
        "one.vm.monitoring" => vm.monitoring().await.map(drop),
        "one.vm.deploy" => {
            let options = DeployOptions {
                enforce: given.truth(2)?,
                datastore: some(given.number(3)?),
                nic_template: given.text(4)?.to_owned(),
            };
            vm.deploy(given.number(1)?, &options).await
        }
        "one.vm.migrate" => {
            let number = given.number(5)?;
            let kinds = [MigrateKind::Save, MigrateKind::Poweroff, MigrateKind::PoweroffHard];
            let options = MigrateOptions {
                live: given.truth(2)?,
                enforce: given.truth(3)?,
                datastore: some(given.number(4)?),
                kind: kinds.into_iter().find(|kind| kind.number() == number)?,
            };
            vm.migrate(given.number(1)?, &options).await
        }
        "one.vm.recover" => vm.recover(operation(given.number(1)?)?).await,
        "one.vm.attach" => vm.attach_disk(given.text(1)?).await,
        "one.vm.detach" => vm.detach_disk(given.number(1)?).await,
        "one.vm.attachnic" => vm.attach_nic(given.text(1)?).await,
        "one.vm.disksaveas" => {
            let options =
                SaveDiskOptions { image_type: given.text(3)?.to_owned(), snapshot: some(given.number(4)?) };
            vm.save_disk(given.number(1)?, given.text(2)?, &options).await.map(drop)
        }
        "one.vm.snapshotcreate" => vm.snapshot_create(given.text(1)?).await.map(drop),
        "one.vm.snapshotrevert" => vm.snapshot_revert(given.number(1)?).await,
        "one.vm.snapshotdelete" => vm.snapshot_delete(given.number(1)?).await,
        "one.vm.disksnapshotcreate" => {
            vm.disk_snapshot_create(given.number(1)?, given.text(2)?).await.map(drop)
        }
        "one.vm.resize" => vm.resize(given.text(1)?, given.truth(2)?).await,
        "one.vm.rename" => vm.rename(given.text(1)?).await,
        "one.vm.update" => vm.update(given.text(1)?, mode(given.number(2)?)?).await,
        "one.vm.updateconf" => vm.update_conf(given.text(1)?, mode(given.number(2)?)?).await,
        "one.vm.chown" => vm.chown(some(given.number(1)?), some(given.number(2)?)).await,
        "one.vm.chmod" => {
            let bit = |place: usize| match given.number(place) {
                Some(-1) | None => None,
                Some(bit) => Some(bit == 1),
            };
            vm.chmod(std::array::from_fn(|place| bit(place + 1))).await
        }
        "one.vm.lock" => vm.lock(level(given.number(1)?)?, given.truth(2)?).await,
        "one.vm.unlock" => vm.unlock().await,
        "one.vm.schedupdate" => vm.reschedule(given.number(1)?, given.text(2)?).await,
        "one.vm.scheddelete" => vm.unschedule(given.number(1)?).await,
        _ => return None,
    })
}

async fn of_the_pool(pool: &VirtualMachinePool, method: &str, given: &Arguments<'_>) -> Option<Outcome> {
    let whose = || filter(given.number(0)?);
    let range = || range(given.number(1)?, given.number(2)?);
    let state = || {
        Some(match given.number(3)? {
            -2 => StateFilter::Any,
            -1 => StateFilter::NotDone,
            number => StateFilter::Is(VmState::from_number(number)),
        })
    };
    Some(match (method, given.text(4)) {
        ("one.vmpool.info", None) => pool.info(whose()?, range()?, state()?).await.map(drop),
        ("one.vmpool.infoextended", None) => pool.info_extended(whose()?, range()?, state()?).await.map(drop),
        ("one.vmpool.infoextended", Some(query)) => {
            pool.search(whose()?, range()?, state()?, query).await.map(drop)
        }
        ("one.vmpool.infoset", _) => {
            let ids = given.text(0)?.split(',').filter(|id| !id.is_empty());
            let ids: Vec<i32> = ids.map(|id| id.parse().ok()).collect::<Option<_>>()?;
            pool.info_set(&ids, given.truth(1)?).await.map(drop)
        }
        ("one.vmpool.monitoring", _) => {
            pool.monitoring(whose()?, given.number(1)?.try_into().ok()).await.map(drop)
        }
        ("one.vmpool.accounting", _) => {
            pool.accounting(whose()?, some(given.number(1)?), some(given.number(2)?)).await.map(drop)
        }
        _ => return None,
    })
}

/// Reads a number of which -1 means nothing.
fn some(number: i32) -> Option<i32> {
    (0 <= number).then_some(number)
}

fn filter(number: i32) -> Option<Filter> {
    Some(match number {
        -4 => Filter::PrimaryGroup,
        -3 => Filter::Mine,
        -2 => Filter::All,
        -1 => Filter::MineAndGroups,
        number => Filter::User(number.try_into().ok()?),
    })
}

fn range(first: i32, last: i32) -> Option<Range> {
    let first = || u32::try_from(first).ok();
    Some(match last {
        -1 if first().is_none() => Range::All,
        -1 => Range::From(first()?),
        ..-1 => Range::Page { offset: first()?, size: last.unsigned_abs() },
        _ => Range::Ids(first()?, last.unsigned_abs()),
    })
}

fn operation(number: i32) -> Option<RecoverOperation> {
    use RecoverOperation::{Delete, DeleteRecord, Failure, Recreate, Retry, Success};
    [Failure, Success, Retry, Delete, Recreate, DeleteRecord].into_iter().find(|it| it.number() == number)
}

fn mode(number: i32) -> Option<UpdateMode> {
    [UpdateMode::Replace, UpdateMode::Merge].into_iter().find(|mode| mode.number() == number)
}

fn level(number: i32) -> Option<LockLevel> {
    use LockLevel::{Admin, All, Manage, Use};
    [Use, Manage, Admin, All].into_iter().find(|level| level.number() == number)
}
