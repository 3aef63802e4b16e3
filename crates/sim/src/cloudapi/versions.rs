//! The versions of the API, and what clients ask for.

/// Every version, the oldest first.
pub(super) const VERSIONS: [&str; 6] = ["7.0.0", "7.1.0", "7.2.0", "7.3.0", "8.0.0", "9.0.0"];

/// A version as numbers.
pub(super) type Version = (u32, u32, u32);

/// Returns the newest version that a range asks for, as `~9||~8`; nothing if there is none.
pub(super) fn newest(range: &str) -> Option<Version> {
    VERSIONS.iter().rev().filter_map(|text| version(text)).find(|version| {
        range.split("||").any(|part| {
            let mut words = part.split_whitespace();
            words.all(|word| suits(word, *version))
        })
    })
}

fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

/// Returns whether a version is in a range such as `~9`, `^7.2`, `>=7.1.0`, `7`, `*`.
fn suits(word: &str, version: Version) -> bool {
    let start = word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len());
    let (sign, numbers) = word.split_at(start);
    let given: Vec<Option<u32>> = numbers.split('.').map(|number| number.parse().ok()).collect();
    let part = |index: usize| given.get(index).copied().flatten();
    let Some(major) = part(0) else { return matches!(word, "*" | "x" | "") };
    let (minor, patch) = (part(1), part(2));
    let low = (major, minor.unwrap_or(0), patch.unwrap_or(0));
    let same_major = version.0 == major;
    let same_minor = same_major && minor.is_none_or(|minor| version.1 == minor);
    match sign {
        "~" => same_minor && low <= version,
        "^" => same_major && low <= version,
        ">=" => low <= version,
        "<=" => version <= low,
        ">" => low < version,
        "<" => version < low,
        "" | "=" | "v" => same_minor && patch.is_none_or(|patch| version.2 == patch),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_a_range_is_taken() {
        for (range, expected) in [
            ("*", Some((9, 0, 0))),
            ("", Some((9, 0, 0))),
            ("~9||~8", Some((9, 0, 0))),
            ("~8", Some((8, 0, 0))),
            ("~7.1", Some((7, 1, 0))),
            ("~7", Some((7, 3, 0))),
            ("7.0.0", Some((7, 0, 0))),
            (">=7.1.0 <8", Some((7, 3, 0))),
            ("~6", None),
            ("nonsense", None),
        ] {
            assert_eq!(newest(range), expected, "{range}");
        }
    }
}
