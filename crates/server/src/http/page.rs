//! Lists by pages: what comes after a name, and no more than so many.

use serde::Deserialize;
use vmpool_api::{Problem, code};

use super::refuse::Refused;

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) after: Option<String>,
    pub(super) limit: Option<usize>,
}

/// Returns a part of what is sorted by name, and after which name the next part begins, if there is one.
pub(super) fn cut<T>(
    all: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &str,
    Part { after, limit }: Part,
) -> Result<(Vec<T>, Option<String>), Refused> {
    if limit == Some(0) {
        let detail = "the query does not fit at `limit`: 1 or more is expected";
        return Err(Problem::new(code::INVALID_REQUEST, detail).into());
    }
    let mut rest = all.skip_while(|one| after.as_deref().is_some_and(|after| name(one) <= after));
    let part: Vec<T> = rest.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
    let next = rest.next().and_then(|_| part.last().map(|last| name(last).to_owned()));
    Ok((part, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_everything_once_also_if_their_cursor_is_gone() {
        let all = ["a", "b", "d", "e"];
        let page = |after: Option<&str>, limit| {
            let part = Part { after: after.map(str::to_owned), limit };
            cut(all.into_iter(), |name| name, part).unwrap()
        };
        assert_eq!(page(None, Some(2)), (vec!["a", "b"], Some("b".to_owned())));
        assert_eq!(page(Some("b"), Some(2)), (vec!["d", "e"], None));
        assert_eq!(page(Some("c"), None), (vec!["d", "e"], None));
        assert!(cut(all.into_iter(), |name| name, Part { after: None, limit: Some(0) }).is_err());
    }
}
