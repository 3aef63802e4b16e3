//! What the clouds make of an effect: carried out, refused, lost or half done.

use vmpool_engine::{CheckReport, Effect, EffectId, ListedNodes, Outcome};
use vmpool_model::{Failure, FailureKind, Node, RecordState, Timestamp, Token, VmName, states::NodeState};

use crate::{act::How, cloud::Cloud, setup::seconds, world::World};

impl World {
    fn is_given_up(&self, vm: &VmName) -> bool {
        self.working.vms.get(vm).is_none_or(|vm| vm.state == RecordState::Terminating)
    }

    /// Carries an effect out at its cloud, well or badly.
    pub(crate) fn execute(&mut self, id: EffectId, how: How) {
        let flight = &self.flights[&id];
        let effect = flight.effect.clone();
        let now = self.now;
        let answer = match &effect {
            // It waited for its turn when its VM was given up.
            Effect::Create { vm, .. } if matches!(how, How::Refused { .. }) && self.is_given_up(vm) => {
                Outcome::NotSent
            }
            Effect::Create { provider, token, .. } => {
                create(self.clouds.get_mut(provider).unwrap(), token, how, now)
            }
            Effect::Find { provider, token, .. } => match how {
                How::Well { .. } => {
                    let mut nodes = self.clouds[provider].visible(now);
                    nodes.retain(|node| node.token.as_ref() == Some(token));
                    Outcome::Found(Ok(nodes))
                }
                _ => Outcome::Found(Err(lost())),
            },
            Effect::Destroy { provider, node, .. } => {
                let cloud = self.clouds.get_mut(provider).unwrap();
                let is_alive = cloud.alive(node).is_some();
                let (ends_at, result) = match how {
                    How::Well { .. } if !is_alive => {
                        (None, Err(Failure::not_applied(FailureKind::NotFound, "no such node")))
                    }
                    How::Well { .. } => (Some(now), Ok(())),
                    How::DoneAndLost { .. } => (Some(now), Err(lost())),
                    How::NotDoneAndLost => (None, Err(lost())),
                    How::Refused { wait } => (None, Err(refused(wait))),
                    How::Late { after } => (Some(now + seconds(u64::from(after))), Ok(())),
                    How::Bad { .. } => (None, Ok(())),
                };
                if let Some(ends_at) = ends_at {
                    cloud.end(node, ends_at, now);
                }
                Outcome::Destroyed(result)
            }
            Effect::Check { node, .. } => {
                let runs = self.clouds.values().filter_map(|cloud| cloud.get(&node.id));
                let runs = runs.into_iter().any(|node| node.node.state == NodeState::Running);
                Outcome::Checked(match (how, runs) {
                    (How::Well { .. }, true) => Ok(CheckReport::default()),
                    _ => Err("no answer".to_owned()),
                })
            }
            Effect::SetExpiry { provider, node, at, .. } => {
                let is_done = matches!(how, How::Well { .. } | How::DoneAndLost { .. });
                if let Some(node) = self.clouds.get_mut(provider).unwrap().alive(node).filter(|_| is_done) {
                    node.expires_at = Some(*at);
                }
                Outcome::ExpirySet(match how {
                    How::Well { .. } => Ok(()),
                    How::Bad { .. } => Err(Failure::not_applied(FailureKind::Unsupported, "no such thing")),
                    How::Refused { wait } => Err(refused(wait)),
                    _ => Err(lost()),
                })
            }
            Effect::Hook(_) => Outcome::Hooked(match how {
                How::Well { .. } => Ok(()),
                _ => Err("it ended with exit code 1".to_owned()),
            }),
            Effect::List { provider } => {
                let mut nodes = self.clouds[provider].visible(now);
                let result = match how {
                    How::Well { .. } => Ok(ListedNodes { nodes, incomplete: None }),
                    How::Bad { which } => {
                        let mut index = 0;
                        nodes.retain(|_| {
                            index += 1;
                            which >> (index % 8) & 1 == 1
                        });
                        Ok(ListedNodes { nodes, incomplete: Some("some are left out".to_owned()) })
                    }
                    How::Refused { wait } => Err(refused(wait)),
                    _ => Err(lost()),
                };
                Outcome::Listed { provider: provider.clone(), result }
            }
            Effect::Glance { provider, node } => {
                let result = match how {
                    How::Well { .. } | How::Late { .. } => {
                        let shown = self.clouds[provider].visible(now);
                        Ok(shown.into_iter().find(|shown| shown.id == *node).map(Box::new))
                    }
                    // A provider that forgets what it has: no look proves anything.
                    How::Bad { .. } => Ok(None),
                    How::Refused { wait } => Err(refused(wait)),
                    _ => Err(lost()),
                };
                Outcome::Glanced { provider: provider.clone(), node: node.clone(), result }
            }
            Effect::Get { provider, node, .. } => Outcome::Got(match how {
                How::Well { .. } | How::Late { .. } => {
                    let shown = self.clouds[provider].visible(now);
                    Ok(shown.into_iter().find(|shown| shown.id == *node).map(Box::new))
                }
                How::Refused { wait } => Err(refused(wait)),
                _ => Err(lost()),
            }),
            other => panic!("{other:?}"),
        };
        self.tell(|| format!("{id:?} is carried out {how:?}: {}", brief(&answer)));
        self.flights.get_mut(&id).unwrap().answer = Some(answer);
    }
}

/// An outcome for people.
pub(crate) fn brief(outcome: &Outcome) -> String {
    let nodes = |nodes: &[Node]| {
        let nodes = nodes.iter().map(|node| format!("{} {} {:?}", node.id, node.state, node.token));
        nodes.collect::<Vec<_>>().join(", ")
    };
    match outcome {
        Outcome::Listed { result: Ok(listed), .. } => {
            format!("listed, complete {}: {}", listed.incomplete.is_none(), nodes(&listed.nodes))
        }
        Outcome::Found(Ok(found)) => format!("found {}", nodes(found)),
        other => format!("{other:?}"),
    }
}

fn create(cloud: &mut Cloud, token: &Token, how: How, now: Timestamp) -> Outcome {
    let visible_at = |hides: u8| now + seconds(u64::from(hides)).min(cloud.window);
    let lost = Outcome::Created(Err(lost()));
    match how {
        How::Well { boots, hides } => {
            let visible_at = visible_at(hides);
            let made = cloud.make(Some(token.clone()), now, visible_at, Some(seconds(u64::from(boots))));
            Outcome::Created(Ok(Box::new(made.node.clone())))
        }
        How::DoneAndLost { boots, hides } => {
            let visible_at = visible_at(hides);
            cloud.make(Some(token.clone()), now, visible_at, Some(seconds(u64::from(boots))));
            lost
        }
        How::NotDoneAndLost => lost,
        How::Refused { wait } => Outcome::Created(Err(refused(wait))),
        How::Late { after } => {
            let at = visible_at(after);
            match now < at {
                true => cloud.late.push((at, token.clone())),
                false => drop(cloud.make(Some(token.clone()), now, now, None)),
            }
            lost
        }
        How::Bad { which } => {
            let made = cloud.make(Some(token.clone()), now, now, None);
            match which % 3 {
                0 => made.node.state = NodeState::Error,
                1 => made.node.state = NodeState::Terminated,
                _ => {}
            }
            Outcome::Created(Ok(Box::new(made.node.clone())))
        }
    }
}

fn lost() -> Failure {
    Failure::unknown(FailureKind::Timeout, "no answer in time")
}

fn refused(wait: u8) -> Failure {
    use FailureKind as K;
    let kinds = [
        K::Quota,
        K::Quota,
        K::Capacity,
        K::InvalidRequest,
        K::Unavailable,
        K::RateLimited,
        K::Authentication,
    ];
    let mut failure = Failure::not_applied(kinds[usize::from(wait) % kinds.len()], "refused");
    failure.retry_after = (20 < wait).then(|| seconds(u64::from(wait)));
    failure
}
