//! The files of the dashboard: they are in the program, so that it works without any other host.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// What the pages may do: nothing but what comes from here. It says no `unsafe`, so no text becomes a script or a style.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One file.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    media: &'static str,
    contents: &'static str,
}

/// The page that everything begins with.
pub(crate) const INDEX: Asset = Asset {
    name: "index.html",
    media: "text/html; charset=utf-8",
    contents: include_str!("../../assets/index.html"),
};

macro_rules! assets {
    ($($media:literal: $($name:literal)*;)*) => {
        /// All files beside the page.
        const ASSETS: &[Asset] = &[$($(Asset {
            name: $name,
            media: $media,
            contents: include_str!(concat!("../../assets/", $name)),
        },)*)*];
    };
}

assets! {
    "text/javascript; charset=utf-8":
        "actions.js" "api.js" "app.js" "chart.js" "dialog.js" "dom.js" "events.js" "format.js" "history.js" "leases.js"
        "life.js" "list.js" "live.js" "overview.js" "pool.js" "providers.js" "queue.js" "vms.js";
    "text/css; charset=utf-8": "base.css" "parts.css" "views.css";
    "image/svg+xml": "icon.svg";
}

impl Asset {
    /// Finds a file beside the page.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name == name)
    }

    /// Answers with the file, or says that the browser has it.
    pub(crate) fn answer(&self, asked: &HeaderMap) -> Response {
        let mut hasher = DefaultHasher::new();
        self.contents.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        let has_it = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut response = match has_it {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Body::from(self.contents).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        // An upgrade shows at once, and what did not change is not sent again.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_its_scripts_need_only_files_that_there_are() {
        for asset in ASSETS.iter().chain([&INDEX]) {
            let quoted = asset.contents.split(['"', '\'']);
            let named =
                quoted.filter_map(|text| text.strip_prefix("/assets/").or_else(|| text.strip_prefix("./")));
            for name in named {
                assert!(Asset::find(name).is_some(), "{} needs {name}", asset.name);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name == INDEX.name || Asset::find(&name).is_some(), "{name} is not in the list");
        }
    }

    #[test]
    fn no_page_needs_another_host_or_a_script_or_style_of_its_own() {
        for asset in ASSETS.iter().chain([&INDEX]) {
            let text = asset.contents.replace("http://www.w3.org/2000/svg", "");
            for banned in ["http://", "https://", "innerHTML", "eval(", " style=\"", "<style", "onclick="] {
                assert!(!text.contains(banned), "{} has {banned}", asset.name);
            }
        }
        assert!(!INDEX.contents.contains("<script>"));
    }
}
