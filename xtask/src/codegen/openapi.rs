//! The description of the HTTP API, from the operations and the types of `vmpool-api`.

use std::path::Path;

use super::CodegenError;

/// Renders `docs/generated/openapi.json`; it can hold no comment, so nothing in it says that it is generated.
pub(super) fn render(root: &Path) -> Result<String, CodegenError> {
    let failed = |problem| CodegenError::Table {
        path: root.join("crates/api/src/operation/table.rs"),
        line: 1,
        problem,
    };
    let document = vmpool_api::openapi::document().map_err(failed)?;
    let text = serde_json::to_string_pretty(&document).map_err(|err| failed(err.to_string()))?;
    Ok(text + "\n")
}
