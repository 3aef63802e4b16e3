//! Fuzz runs: what reads bytes that a server sent, against bytes that libFuzzer makes up.

use std::fs;
use std::path::{Path, PathBuf};

use crate::console::say;
use crate::error::Error;
use crate::{cargo, tree};

/// The targets, which are files of fuzz/targets.
pub(crate) const TARGETS: [&str; 4] = ["cloudapi_headers", "cloudapi_json", "document", "rpc"];

/// Where the recordings of OpenNebula are that a run begins with.
const RECORDINGS: &str = "crates/opennebula/tests/wire";

/// Where the recordings of CloudAPI are, one a line.
const EXCHANGES: &str = "crates/cloudapi/tests/data/exchanges.json";

/// The longest recording that a run begins with, and the longest text that it makes up.
const LONGEST: u64 = 32 << 10;

/// What libFuzzer counts with is a matter of unstable flags of the compiler.
const ENV: &[(&str, &str)] = &[("RUSTC_BOOTSTRAP", "1")];

/// Runs a target for so many minutes, from the recordings and from what earlier runs came to.
pub(crate) fn run(target: &str, minutes: u64) -> Result<(), Error> {
    if !cargo::works(&["fuzz", "--version"]) {
        return Err(Error::NoFuzz);
    }
    let folder = build_folder();
    let corpus = folder.join("corpus").join(target);
    let count = seed(target, &corpus)?;
    say(&format!("{count} recordings are in {}; what is found comes beside it", corpus.display()));
    let args = arguments(target, &folder, &corpus, minutes);
    cargo::run(&args.iter().map(String::as_str).collect::<Vec<_>>(), ENV)
}

fn build_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tree::root().join("target"), Into::into).join("fuzz")
}

fn arguments(target: &str, folder: &Path, corpus: &Path, minutes: u64) -> Vec<String> {
    // No memory is at stake: the one file with code that is not safe touches none by itself.
    let mut args = ["fuzz", "run", "--sanitizer", "none", "--target-dir"].map(str::to_owned).to_vec();
    args.extend([folder.join("build").display().to_string(), target.to_owned()]);
    args.extend([corpus.display().to_string(), "--".to_owned()]);
    args.extend([
        format!("-max_total_time={}", minutes * 60),
        format!("-max_len={LONGEST}"),
        format!("-dict={}", tree::root().join("fuzz/xml.dict").display()),
        format!("-artifact_prefix={}/found-{target}-", folder.display()),
        "-timeout=20".to_owned(),
        "-print_final_stats=1".to_owned(),
    ]);
    args
}

/// Puts what a run begins with into a folder, and returns how many texts that are.
fn seed(target: &str, corpus: &Path) -> Result<usize, Error> {
    let failed = |action: &'static str, path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Io { action, path, source }
    };
    fs::create_dir_all(corpus).map_err(failed("create", corpus))?;
    if target.starts_with("cloudapi") {
        let exchanges = tree::root().join(EXCHANGES);
        let text = fs::read_to_string(&exchanges).map_err(failed("read", &exchanges))?;
        let mut count = 0;
        for line in text.lines().filter(|line| line.starts_with('{')) {
            for seed in of_exchange(target, line) {
                let place = corpus.join(format!("{count}"));
                fs::write(&place, seed).map_err(failed("write", &place))?;
                count += 1;
            }
        }
        return Ok(count);
    }
    let recordings = tree::root().join(RECORDINGS);
    let mut count = 0;
    for entry in fs::read_dir(&recordings).map_err(failed("list", &recordings))? {
        let path = entry.map_err(failed("list", &recordings))?.path();
        let length = fs::metadata(&path).map_err(failed("look at", &path))?.len();
        if path.extension().is_none_or(|ending| ending != "xml") || LONGEST < length {
            continue;
        }
        let text = fs::read(&path).map_err(failed("read", &path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (number, text) in seeds(target, &text).iter().enumerate() {
            let place = corpus.join(format!("{name}.{number}"));
            fs::write(&place, text).map_err(failed("write", &place))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Makes of a recorded exchange, which is one line of JSON, what a target takes: its body, or what its headers say.
///
/// The first byte that `cloudapi_headers` takes chooses a refusal or the text of a header.
fn of_exchange(target: &str, line: &str) -> Vec<Vec<u8>> {
    let after = |mark: &str| line.rsplit_once(mark).map_or("", |(_, rest)| rest);
    let body = after("\"body\":\"");
    let body = body.strip_suffix(',').unwrap_or(body);
    let body = body.strip_suffix("\"}}").unwrap_or(body).replace("\\\"", "\"").replace("\\\\", "\\");
    if target == "cloudapi_json" {
        return vec![body.into_bytes()];
    }
    let date = after("\"date\":\"").split('"').next().unwrap_or_default();
    let status: u16 =
        after("\"status\":").split(',').next().and_then(|text| text.parse().ok()).unwrap_or(500);
    let refusal = [&[0], status.to_be_bytes().as_slice(), format!("{date}\n7\n{body}").as_bytes()].concat();
    vec![refusal, [&[1], date.as_bytes()].concat()]
}

/// Makes of a recording what a target takes.
///
/// The first four bytes that `document` takes choose the pieces, and whether the rest is an answer or a document.
fn seeds(target: &str, text: &[u8]) -> Vec<Vec<u8>> {
    if target != "document" {
        return vec![text.to_vec()];
    }
    let mut seeds = vec![[b"\x0c\x01\x01\x01", text].concat()];
    let text = String::from_utf8_lossy(text);
    let document = text.split_once("<string>&lt;").and_then(|(_, rest)| rest.split_once("</string>"));
    if let Some((document, _)) = document {
        let document = document.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        seeds.push([b"\x0b\x01\x01\x01<", document.as_bytes()].concat());
    }
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_file_and_every_file_a_target() {
        let files = fs::read_dir(tree::root().join("fuzz/targets")).unwrap();
        let mut names: Vec<String> = files
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        assert_eq!(names, TARGETS);
    }

    #[test]
    fn a_recorded_exchange_is_a_body_a_refusal_and_a_header() {
        let line =
            r#"{"id":"x","response":{"status":409,"headers":{"date":"today"},"body":"{\"code\":\"A\"}"}},"#;
        assert_eq!(of_exchange("cloudapi_json", line), [b"{\"code\":\"A\"}"]);
        let [refusal, header] = &of_exchange("cloudapi_headers", line)[..] else { panic!() };
        assert_eq!(refusal, b"\0\x01\x99today\n7\n{\"code\":\"A\"}");
        assert_eq!(header, b"\x01today");
    }

    #[test]
    fn a_recorded_document_is_a_seed_inside_its_answer_and_alone() {
        let answer = b"<value><string>&lt;VM&gt;&lt;N&gt;a&amp;amp;b&lt;/N&gt;&lt;/VM&gt;</string></value>";
        let [whole, alone] = &seeds("document", answer)[..] else { panic!() };
        assert_eq!(whole[4..], answer[..]);
        assert_eq!(alone[4..], *b"<VM><N>a&amp;b</N></VM>");
        assert_eq!(seeds("rpc", answer), [answer.to_vec()]);
    }

    #[test]
    fn a_run_ends_in_time_and_leaves_the_tree_alone() {
        let args = arguments("rpc", Path::new("build"), Path::new("build/corpus/rpc"), 2).join(" ");
        assert!(args.contains("build/build rpc build/corpus/rpc -- -max_total_time=120"), "{args}");
        assert!(args.contains("-artifact_prefix=build/found-rpc-"), "{args}");
    }
}
