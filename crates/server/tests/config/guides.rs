//! Whether the configurations in the guides are taken.

use crate::parse;

const GUIDES: [(&str, &str); 4] = [
    ("README.md", include_str!("../../../../README.md")),
    ("docs/cli.md", include_str!("../../../../docs/cli.md")),
    ("docs/compat-copr.md", include_str!("../../../../docs/compat-copr.md")),
    ("docs/operations.md", include_str!("../../../../docs/operations.md")),
];

#[test]
fn every_configuration_in_the_guides_is_taken() {
    let mut count = 0;
    for (path, guide) in GUIDES {
        for block in guide.split("```toml\n").skip(1) {
            count += 1;
            let text = block.split("```").next().unwrap();
            let parsed = parse(text);
            assert!(parsed.is_ok(), "{path}: {}\n{text}", parsed.unwrap_err());
        }
    }
    assert!(3 <= count, "{count}");
}

/// Copr's knobs are in this order in the guide.
#[test]
fn every_key_that_stands_for_one_of_copr_is_one() {
    let (_, guide) = GUIDES[2];
    let known = vmpool_server::DEFAULT_CONFIG;
    let table = guide.split("| `copr-be.conf` |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut count = 0;
    for here in table.lines().skip(2).map(|row| row.split('|').nth(3).unwrap()) {
        for key in here
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|key| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        {
            count += 1;
            let written = [format!("{key} ="), format!("{key}]"), format!("\"{key}\"")];
            assert!(written.iter().any(|text| known.contains(text)), "{key} is no key");
        }
    }
    assert!(20 < count, "{count}");
}
