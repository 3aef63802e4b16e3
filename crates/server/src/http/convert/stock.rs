//! How many VMs a pool keeps ready, and why.

use std::time::Duration;

use vmpool::{
    manager::StockView,
    model::{config::PoolConfig, time::format_duration},
};
use vmpool_api as api;

use super::{number, time};

pub(super) fn stock(view: &StockView, config: &PoolConfig) -> api::Stock {
    let schedule = config.schedule.iter().map(|at| api::Schedule {
        days: at.days.iter().map(|day| day.as_str().to_owned()).collect(),
        from: at.from.into(),
        to: at.to.into(),
        min_ready: at.min_ready,
    });
    let demand = config.demand.as_ref().map(|demand| api::Demand {
        quantile: demand.quantile,
        half_life: demand.half_life,
        max_ready: demand.max_ready,
    });
    api::Stock {
        target: number(view.target),
        why: why(view, config),
        scheduled: view.scheduled,
        changes_at: view.changes_at.map(time),
        schedule: schedule.collect(),
        likely: view.likely.map(number),
        demand,
        arrivals_per_hour: per_hour(view),
        boot_time: boot_time(view),
    }
}

/// Says what the target follows from.
fn why(view: &StockView, config: &PoolConfig) -> String {
    let constant = config.min_ready.max(view.scheduled);
    let likely = view.likely.map_or(0, number);
    let wanted = constant.max(likely);
    let why = match boot_time(view) {
        Some(boot) if constant < likely => {
            let boot = format_duration(boot);
            format!(
                "demand: {:.1} VMs an hour are asked for, and one takes {boot} to be ready",
                per_hour(view)
            )
        }
        _ if config.min_ready < view.scheduled => "schedule".to_owned(),
        _ if wanted == 0 => "nothing says more".to_owned(),
        _ => "min_ready".to_owned(),
    };
    match number(view.target) < wanted {
        true => format!("{why}; that is {wanted}, and max_total allows no more than {}", view.target),
        false => why,
    }
}

/// Returns the boot time as exactly as it is measured: by listings.
fn boot_time(view: &StockView) -> Option<Duration> {
    let millis = view.boot_time?.as_millis();
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
}

fn per_hour(view: &StockView) -> f64 {
    (view.arrivals * 3600.0 * 10.0).round() / 10.0
}
