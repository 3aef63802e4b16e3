//! What there is at each path of the API, as data: the daemon makes its router of it, and the description in OpenAPI too.

mod table;

use crate::Need;

pub use self::table::*;

/// A method of HTTP that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Looks.
    Get,
    /// Does something.
    Post,
    /// Ends something.
    Delete,
}

impl Method {
    /// Returns the method as HTTP spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation: a method at a path, who may ask for it, what it takes and what it answers.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Operation {
    /// A name for programs that are made from the description, such as `acquire`.
    pub id: &'static str,
    /// The method.
    pub method: Method,
    /// The path, as a pattern for a router.
    pub path: &'static str,
    /// Who may ask for it.
    pub need: Need,
    /// What it does, in one sentence without a full stop.
    pub summary: &'static str,
    /// The parameters of the query.
    pub query: &'static [Parameter],
    /// The name of the type that the body has, if it has one.
    pub body: Option<&'static str>,
    /// The status when all went well, and the name of the type that the answer has; none if it is empty.
    pub answers: &'static [(u16, Option<&'static str>)],
    /// Whether the answer has an `etag`, and `if-none-match` is heeded.
    pub is_tagged: bool,
}

impl Operation {
    const fn new(
        id: &'static str,
        method: Method,
        path: &'static str,
        need: Need,
        summary: &'static str,
    ) -> Self {
        let answers = &[(204, None)];
        Self { id, method, path, need, summary, query: &[], body: None, answers, is_tagged: false }
    }

    const fn with_query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    const fn with_body(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }

    const fn answering(self, answers: &'static [(u16, Option<&'static str>)]) -> Self {
        Self { answers, ..self }
    }

    const fn tagged(self) -> Self {
        Self { is_tagged: true, ..self }
    }

    /// Returns the names in the pattern of the path, such as `lease`.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// A parameter of a query.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is for.
    pub about: &'static str,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number of at least so much.
    Number(u64),
    /// `true` or `false`.
    Flag,
}

const fn parameter(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { name, kind, about }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_an_id_and_a_method_and_path_of_its_own() {
        let ids: BTreeSet<_> = ALL.iter().map(|operation| operation.id).collect();
        let places: BTreeSet<_> = ALL.iter().map(|one| (one.method.as_str(), one.path)).collect();
        assert_eq!((ids.len(), places.len()), (ALL.len(), ALL.len()));
    }

    #[test]
    fn what_changes_something_needs_a_role_that_may() {
        for operation in ALL {
            let changes = operation.method != Method::Get;
            let needs = matches!(operation.need, Need::Use | Need::Operate | Need::Administer);
            assert!(needs || !changes, "{}", operation.id);
        }
    }

    #[test]
    fn the_front_page_of_the_routes_tells_every_operation() {
        let page = include_str!("routes.rs");
        for Operation { method, path, .. } in ALL {
            let start = format!("//! | `{} {path}", method.as_str());
            assert!(page.contains(&start), "{start}");
        }
    }
}
