//! A part of a guide written by hand that is made from something else.

use std::{fs, path::Path};

use super::CodegenError;

/// Returns the guide at `path` with `content` between the marks of the section `name`, which names its `source`.
///
/// The marks are `<!-- name: written by … from source -->` and `<!-- end of name -->`, each on a line of its own.
pub(crate) fn with_section(
    root: &Path,
    path: &str,
    (name, source): (&str, &str),
    content: &str,
) -> Result<String, CodegenError> {
    let text = fs::read_to_string(root.join(path)).map_err(|source| CodegenError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    replace(&text, name, source, content).ok_or_else(|| CodegenError::Table {
        path: path.into(),
        line: 1,
        problem: format!("no place for the section `{}` … `{}`", begin(name, source), end(name)),
    })
}

fn begin(name: &str, source: &str) -> String {
    format!("<!-- {name}: written by `cargo xtask codegen` from {source} -->\n")
}

fn end(name: &str) -> String {
    format!("<!-- end of {name} -->\n")
}

fn replace(text: &str, name: &str, source: &str, content: &str) -> Option<String> {
    let (begin, end) = (begin(name, source), end(name));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{content}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("# Title\n{}old\n{}rest\n", begin("words", "a.tsv"), end("words"));
        let replaced = replace(&text, "words", "a.tsv", "new\n").unwrap();
        assert_eq!(replaced, text.replace("old", "new"));
        assert_eq!(replace(&text, "others", "a.tsv", "new\n"), None);
    }
}
