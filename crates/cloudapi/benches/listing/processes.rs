//! Whole processes that list 1,000 machines: ours, and Triton's own client.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use vmpool_cloudapi::{CloudApiConfig, DataCenter, MachineFilter};
use vmpool_sim::cloudapi::GeneratedKey;

use super::{least, median, milliseconds, server};

const MACHINES: usize = 1000;
const ROUNDS: usize = 9;

/// How much is printed at once.
const WRITE_AT: usize = 48 << 10;

/// Lists all machines, as the variables of the process say, one a line.
pub(super) async fn list() {
    let config = CloudApiConfig::from_variables(&|name| std::env::var(name).ok()).unwrap();
    let datacenter = DataCenter::open(config).await.unwrap();
    let mut output = std::io::stdout().lock();
    let mut lines = String::with_capacity(WRITE_AT + (16 << 10));
    let machines = datacenter.all_machines(&MachineFilter::default()).await.unwrap();
    for machine in &machines {
        writeln!(lines, "{machine:?}").unwrap();
        if WRITE_AT <= lines.len() {
            output.write_all(lines.as_bytes()).unwrap();
            lines.clear();
        }
    }
    output.write_all(lines.as_bytes()).unwrap();
    output.flush().unwrap();
    // The process ends here, and its memory with it.
    std::mem::forget(machines);
}

pub(super) fn table(with_peers: bool) {
    let endpoint = server::serve(server::pages(MACHINES));
    let home = std::env::temp_dir().join(format!("vmpool-listing-{}", std::process::id()));
    let key = GeneratedKey::from_seed(0).unwrap();
    write_key(&home, &key);
    let environment = [
        ("HOME", home.display().to_string()),
        ("TRITON_PROFILE", "env".to_owned()),
        ("TRITON_URL", endpoint),
        ("TRITON_ACCOUNT", "sim".to_owned()),
        ("TRITON_KEY_ID", key.fingerprint().to_owned()),
    ];
    let ours = std::env::current_exe().unwrap().display().to_string();
    let mut commands = vec![("the client, as a whole process", ours, vec!["--list"])];
    if with_peers {
        commands.push(("triton 7.17.0, instance list -j", triton(), vec!["instance", "list", "-j"]));
    }
    let mut times = vec![Vec::new(); commands.len()];
    for _ in 0..ROUNDS {
        for ((_, program, args), times) in commands.iter().zip(&mut times) {
            let began = Instant::now();
            let mut command = Command::new(program);
            command.args(args).env_clear().envs(environment.clone()).stderr(Stdio::null());
            let done = command.env("PATH", std::env::var("PATH").unwrap()).output().unwrap();
            times.push(milliseconds(began));
            let lines = String::from_utf8_lossy(&done.stdout).lines().count();
            assert_eq!(lines, MACHINES, "{program} listed {lines} machines");
        }
    }
    std::fs::remove_dir_all(&home).unwrap();
    println!(
        "\nWhole processes that list {MACHINES} machines of a server on the same machine, {ROUNDS} rounds:\n"
    );
    println!("| program | ms, median | least | times ours, median of the rounds | least by least |");
    println!("|---|---|---|---|---|");
    let ours = least(&times[0]);
    for ((name, _, _), of_program) in commands.iter().zip(&times) {
        let factors: Vec<f64> = of_program.iter().zip(&times[0]).map(|(time, ours)| time / ours).collect();
        let (time, least) = (median(of_program), least(of_program));
        println!("| {name} | {time:.0} | {least:.0} | {:.1} | {:.1} |", median(&factors), least / ours);
    }
}

/// Returns Triton's own client, which is installed below the build folder as the tests of the simulated server do.
fn triton() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let build = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| here.join("../../target"), Into::into);
    let folder = build.join("clients-npm");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(here.join("../sim/tests/clients/package.json"), folder.join("package.json")).unwrap();
    let quiet = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
    let done = Command::new("npm").args(quiet).current_dir(&folder).status().unwrap();
    assert!(done.success(), "npm could not install triton");
    folder.join("node_modules/.bin/triton").display().to_string()
}

fn write_key(home: &Path, key: &GeneratedKey) {
    let folder = home.join(".ssh");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("id_ed25519"), key.private_key()).unwrap();
    std::fs::write(folder.join("id_ed25519.pub"), key.public_key()).unwrap();
}
