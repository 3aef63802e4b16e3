//! Whether the commands of hooks and checks are on this host.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use vmpool::model::config::{CheckConfig, PoolConfig};

use super::{Config, error::ConfigProblem, place::Places};

/// Returns every command that cannot be run, in the order of the pools.
pub(super) fn problems(config: &Config, places: &Places<'_>) -> Vec<ConfigProblem> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut problems = Vec::new();
    for (name, pool) in &config.pools {
        for (key, command) in commands(pool) {
            // An empty command is refused without looking at the host.
            let Some(program) = command.first().filter(|program| !program.is_empty()) else { continue };
            if let Err(reason) = find(program, &path) {
                problems.push(places.value_of(&format!("pools.{name}.{key}")).problem(reason));
            }
        }
        if let CheckConfig::Ssh(check) = &pool.check {
            let mut refuse = |key: &str, reason: String| {
                problems.push(places.value_of(&format!("pools.{name}.check.{key}")).problem(reason));
            };
            if let Err(reason) = find("ssh", &path) {
                refuse("kind", reason);
            }
            if let Some(Err(err)) = check.identity.as_ref().map(fs::File::open) {
                refuse("identity", format!("the private key cannot be read: {err}"));
            }
        }
    }
    problems
}

/// Returns the commands of a pool, each with the key that it is under.
fn commands(pool: &PoolConfig) -> Vec<(&'static str, &[String])> {
    let hooks = [
        ("hooks.after_boot.command[0]", &pool.hooks.after_boot),
        ("hooks.before_release.command[0]", &pool.hooks.before_release),
        ("hooks.after_destroy.command[0]", &pool.hooks.after_destroy),
    ];
    let hooks = hooks.into_iter().filter_map(|(key, hook)| Some((key, hook.as_ref()?.command.as_slice())));
    let check = match &pool.check {
        CheckConfig::Exec { command } => Some(("check.command[0]", command.as_slice())),
        _ => None,
    };
    hooks.chain(check).collect()
}

/// Finds a program as the system will when it is run.
fn find(program: &str, path: &OsStr) -> Result<PathBuf, String> {
    let file = Path::new(program);
    if file.is_absolute() {
        return executable(file).map(|()| file.to_owned());
    }
    if program.contains('/') {
        return Err(format!(
            "{program:?} is a relative path, and where it leads depends on where the daemon is started: write an \
             absolute path, or a name that is found in PATH"
        ));
    }
    let found = env::split_paths(path).map(|directory| directory.join(program));
    found.into_iter().find(|file| executable(file).is_ok()).ok_or_else(|| {
        format!("there is no command {program:?} in the PATH of this process: install it, or write an absolute path")
    })
}

fn executable(file: &Path) -> Result<(), String> {
    let data = fs::metadata(file).map_err(|err| format!("there is no command {}: {err}", file.display()))?;
    match (data.is_file(), data.permissions().mode() & 0o111) {
        (false, _) => Err(format!("{} is no file, so it cannot be run", file.display())),
        (true, 0) => Err(format!("{} is not executable: chmod +x makes it so", file.display())),
        (true, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_in_path_and_must_be_executable_there() {
        let directory = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
        for (place, mode) in [(&first, 0o644), (&second, 0o755)] {
            fs::create_dir(place).unwrap();
            fs::write(place.join("clean-vm"), "").unwrap();
            fs::set_permissions(place.join("clean-vm"), fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = env::join_paths([&first, &second]).unwrap();
        assert_eq!(find("clean-vm", &path), Ok(second.join("clean-vm")));
        let err = find("clean-vm", first.as_os_str()).unwrap_err();
        assert!(err.starts_with("there is no command \"clean-vm\" in the PATH"), "{err}");
    }
}
