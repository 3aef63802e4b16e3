//! What a VM is acquired for: Copr's task, build and chroot, in the one text that a lease has for it.

/// What a VM is acquired for; Copr's `task_id`, `build_id` and `chroot`, each `None` there if it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Job {
    /// The id of the task, by which the VM is found again.
    pub task_id: Option<String>,
    /// The id of the build.
    pub build_id: Option<String>,
    /// The chroot that is built for.
    pub chroot: Option<String>,
}

impl Job {
    /// Makes the job of a task.
    #[must_use]
    pub fn new(task_id: impl Into<String>) -> Self {
        Self { task_id: Some(task_id.into()), ..Self::default() }
    }

    /// Says which build it is.
    #[must_use]
    pub fn with_build_id(self, build_id: impl Into<String>) -> Self {
        Self { build_id: Some(build_id.into()), ..self }
    }

    /// Says which chroot it is for.
    #[must_use]
    pub fn with_chroot(self, chroot: impl Into<String>) -> Self {
        Self { chroot: Some(chroot.into()), ..self }
    }

    /// Returns the task of a lease for this job: the task's id alone, or words such as `17-f30 build=17 chroot=f30-x86_64`.
    pub(super) fn task(&self) -> Option<String> {
        let Self { task_id, build_id, chroot } = self;
        match (task_id, build_id, chroot) {
            (task_id, None, None) if !task_id.as_deref().is_some_and(is_packed) => task_id.clone(),
            _ => {
                let words = [
                    task_id.as_ref().map(|id| escape(id)),
                    // Shows that this is more than an id, even if there is no build.
                    Some(format!("{BUILD}{}", escape(build_id.as_deref().unwrap_or_default()))),
                    chroot.as_ref().map(|chroot| format!("{CHROOT}{}", escape(chroot))),
                ];
                Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// Reads the task of a lease, whoever wrote it.
    pub(super) fn of_task(task: Option<&str>) -> Self {
        let Some(task) = task else { return Self::default() };
        if !is_packed(task) {
            return Self::new(task);
        }
        let mut job = Self::default();
        for word in task.split(' ') {
            match (word.strip_prefix(BUILD), word.strip_prefix(CHROOT)) {
                (Some(""), _) => {}
                (Some(build), _) => job.build_id = Some(unescape(build)),
                (_, Some(chroot)) => job.chroot = Some(unescape(chroot)),
                _ => job.task_id = Some(unescape(word)),
            }
        }
        job
    }
}

const BUILD: &str = "build=";
const CHROOT: &str = "chroot=";

/// Returns whether a text has more than the id of a task, or would be taken for it.
fn is_packed(task: &str) -> bool {
    task.split(' ').any(|word| word.starts_with(BUILD) || word.starts_with(CHROOT))
}

/// Keeps a part in one word that is no other part.
fn escape(part: &str) -> String {
    part.replace('%', "%25").replace(' ', "%20").replace('=', "%3D")
}

fn unescape(word: &str) -> String {
    word.replace("%3D", "=").replace("%20", " ").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_alone_is_the_task_of_the_lease() {
        assert_eq!(Job::new("17-f30").task().as_deref(), Some("17-f30"));
        assert_eq!(Job::new("50% of it").task().as_deref(), Some("50% of it"));
        assert_eq!(Job::default().task(), None);
    }

    #[test]
    fn all_three_parts_come_back_from_the_task_of_the_lease() {
        let jobs = [
            Job::default(),
            Job::new("50% of it"),
            Job::new("build=1 chroot=x"),
            Job::new("a b=%20").with_build_id("build=7").with_chroot("fedora-30-x86_64"),
            Job::default().with_build_id("7"),
            Job::new("%3D").with_chroot("%"),
        ];
        for job in jobs {
            assert_eq!(Job::of_task(job.task().as_deref()), job);
        }
        let job = Job::new("17-f30").with_build_id("17").with_chroot("f30");
        assert_eq!(job.task().as_deref(), Some("17-f30 build=17 chroot=f30"));
    }
}
