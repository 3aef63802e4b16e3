//! `vmpool sim`: a cloud that is none, for whoever tests what speaks to a real one.

mod cloudapi;
mod opennebula;

use std::future::pending;

use tokio::net::TcpListener;
use vmpool_api::exit;

use crate::{
    args::{BothArgs, SimCommand},
    failure::Failure,
    output::print,
    runtime,
    signals::Signals,
};

/// How a configuration begins. Everybody knows the secrets of a simulated cloud.
const HEAD: &str = "installation = \"sim\"\n\n[daemon]\nallow_clear_secrets = true\n";

/// Simulates a cloud until a signal ends it; returns the exit code.
pub(crate) fn run(command: SimCommand) -> Result<u8, Failure> {
    runtime::small()?.block_on(simulate(command))
}

async fn simulate(command: SimCommand) -> Result<u8, Failure> {
    let mut signals = Signals::catch()?;
    match command {
        SimCommand::Opennebula(args) => {
            let (listener, endpoint) = listen(args.port, "--port").await?;
            let endpoint = format!("{endpoint}/RPC2");
            let sim = opennebula::make(opennebula::config(args))?;
            // It serves even if nobody reads where.
            let _ = print(&opennebula::usage(&endpoint));
            sim.serve(listener, stop(&mut signals)).await;
        }
        SimCommand::Cloudapi(args) => {
            let (listener, endpoint) = listen(args.port, "--port").await?;
            let access = cloudapi::Access::of(&args)?;
            let sim = cloudapi::make(cloudapi::config(args, &access))?;
            let _ = print(&cloudapi::usage(&endpoint, &access));
            sim.serve(listener, stop(&mut signals)).await;
        }
        SimCommand::Both(args) => both(args, signals).await?,
    }
    Ok(exit::OK)
}

async fn both(args: BothArgs, mut signals: Signals) -> Result<(), Failure> {
    let (one_listener, one) = listen(args.opennebula_port, "--opennebula-port").await?;
    let (triton_listener, triton) = listen(args.cloudapi_port, "--cloudapi-port").await?;
    let access = cloudapi::Access::from_seed(args.world.seed)?;
    let one_sim = opennebula::make(opennebula::world(&args.world))?;
    let triton_sim = cloudapi::make(cloudapi::world(&args.world))?;
    let _ = print(&usage_of_both(&format!("{one}/RPC2"), &triton, &access));
    tokio::select! {
        () = stop(&mut signals) => {}
        () = one_sim.serve(one_listener, pending()) => {}
        () = triton_sim.serve(triton_listener, pending()) => {}
    }
    Ok(())
}

/// Listens on a port; returns also what is reached there.
async fn listen(port: u16, option: &str) -> Result<(TcpListener, String), Failure> {
    let failed = |what: String| {
        Failure::new(exit::FAILURE, what)
            .with_hint(format!("choose another port with {option}, or a free one with {option} 0"))
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|err| failed(format!("failed to listen on port {port}: {err}")))?;
    let address = listener.local_addr().map_err(|err| failed(format!("failed to listen: {err}")))?;
    Ok((listener, format!("http://{address}")))
}

async fn stop(signals: &mut Signals) {
    signals.next().await;
}

/// Says where both are, and how to use them from what people have.
fn usage_of_both(one: &str, triton: &str, access: &cloudapi::Access) -> String {
    let providers =
        format!("{}\n{}", opennebula::providers(one, "one"), cloudapi::providers(triton, "triton", access));
    format!(
        "listening on {one}\n\
         listening on {triton}\n\
         \n\
         {}\n{}\n{}",
        daemon("opennebula,cloudapi", &cloudapi::key_file(access), &providers, "one-small,triton-small"),
        opennebula::clients(one),
        cloudapi::clients(triton, access),
    )
}

/// Returns what to type for a daemon that keeps pools on what is simulated; all of it can be pasted into a shell.
fn daemon(features: &str, files: &str, providers: &str, pools: &str) -> String {
    format!(
        "# a daemon, by a program that was built with the features {features}; this can be pasted into another terminal\n\
         {files}cat > sim.toml <<'END'\n\
         {HEAD}\n{providers}END\n\
         vmpool serve --config sim.toml &\n\
         \n\
         # its clients; the first waits for the daemon and for a VM\n\
         vmpool acquire {pools} -- sh -c 'echo $VMPOOL_ADDRESS'\n\
         vmpool pool ls\n"
    )
}

/// Returns the configuration among what is printed.
#[cfg(all(test, any(feature = "opennebula", feature = "cloudapi")))]
fn printed_config(usage: &str) -> String {
    let lines = usage.lines().skip_while(|line| !line.starts_with("installation"));
    let lines: Vec<&str> = lines.take_while(|line| *line != "END").collect();
    lines.join("\n")
}

#[cfg(all(test, feature = "opennebula", feature = "cloudapi"))]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_that_is_printed_for_both_is_one() {
        let access = cloudapi::Access::from_seed(0).unwrap();
        let usage = usage_of_both("http://127.0.0.1:2633/RPC2", "http://127.0.0.1:2634", &access);
        let text = printed_config(&usage);
        let config = vmpool_server::Config::parse(&text, "printed", &vmpool_server::drivers::builtin());
        config.unwrap();
    }
}
