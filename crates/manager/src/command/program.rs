//! Finding out early whether a command can be run.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Finds the program of a command as the system will when it is run.
///
/// # Errors
///
/// Why it cannot be run and what to do, for people.
///
/// ```
/// assert!(vmpool_manager::find_program("sh").is_ok());
/// assert!(vmpool_manager::find_program("./clean-vm").is_err());
/// ```
pub fn find_program(program: &str) -> Result<PathBuf, String> {
    find(program, &env::var_os("PATH").unwrap_or_default())
}

fn find(program: &str, path: &OsStr) -> Result<PathBuf, String> {
    if program.is_empty() {
        return Err("it is empty".to_owned());
    }
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
    let mut found = env::split_paths(path).map(|directory| directory.join(program));
    found.find(|file| executable(file).is_ok()).ok_or_else(|| {
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

    fn in_path(program: &str) -> Result<PathBuf, String> {
        find(program, OsStr::new("/nowhere:/usr/bin:/bin"))
    }

    #[test]
    fn a_name_is_looked_up_in_path_and_a_path_is_not() {
        assert!(in_path("sh").is_ok_and(|file| file.ends_with("bin/sh")));
        assert_eq!(in_path("/bin/sh"), Ok(PathBuf::from("/bin/sh")));
        assert_eq!(find("/bin/sh", OsStr::new("")), Ok(PathBuf::from("/bin/sh")));
        assert!(find("sh", OsStr::new("")).is_err());
    }

    #[test]
    fn what_is_not_executable_in_one_directory_is_looked_for_in_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
        for (place, mode) in [(&first, 0o644), (&second, 0o755)] {
            fs::create_dir(place).unwrap();
            fs::write(place.join("clean-vm"), "").unwrap();
            fs::set_permissions(place.join("clean-vm"), fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = env::join_paths([&first, &second]).unwrap();
        assert_eq!(find("clean-vm", &path), Ok(second.join("clean-vm")));
        assert!(find("clean-vm", first.as_os_str()).is_err());
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_its_reason() {
        for (program, why) in [
            ("", "it is empty"),
            ("no-such-program", "no command \"no-such-program\" in the PATH"),
            ("bin/sh", "a relative path"),
            ("/nowhere/x", "no command /nowhere/x: No such file"),
            ("/etc/passwd", "/etc/passwd is not executable"),
            ("/usr", "/usr is no file"),
        ] {
            assert!(
                in_path(program).is_err_and(|err| err.contains(why)),
                "{program}: {:?}",
                in_path(program)
            );
        }
    }
}
