//! What parsers say about values, in words that do not ask for a programmer.

/// What a group of keys and values is called in TOML.
pub(crate) const TABLE: &str = "a table";

/// What a group of keys and values is called in JSON.
pub(crate) const OBJECT: &str = "a JSON object";

/// Says in plain words what a parser expected and found; another message is returned as it is.
///
/// `group` is what the format calls a group of keys and values: [`TABLE`] or [`OBJECT`].
pub(crate) fn plain(message: &str, group: &str) -> String {
    let told = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start));
    let Some((found, expected)) = told.and_then(|told| told.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    format!("{} is expected, not {}", expected_words(expected, found, group), found_words(found, group))
}

fn expected_words(expected: &str, found: &str, group: &str) -> String {
    let too_large = found.starts_with("integer") && !found.contains('-');
    let below = |limit: u64| match too_large {
        true => format!("a whole number from 0 to {limit}"),
        false => "a whole number of 0 or more".to_owned(),
    };
    match expected {
        "u8" => below(u8::MAX.into()),
        "u16" => below(u16::MAX.into()),
        "u32" => below(u32::MAX.into()),
        "u64" | "usize" => below(u64::MAX),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "a borrowed string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => group.to_owned(),
        // The name of a type follows, which nobody outside the program knows.
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => {
            group.to_owned()
        }
        other => other.to_owned(),
    }
}

fn found_words(found: &str, group: &str) -> String {
    let quoted = |kind: &str| found.strip_prefix(kind).map(|value| value.trim_matches([' ', '`']));
    match found {
        "map" => return group.to_owned(),
        "sequence" => return "a list".to_owned(),
        // Options of drivers may be secrets, so their values are left out.
        "string" => return "a text".to_owned(),
        "integer" => return "this number".to_owned(),
        "floating point" => return "a number with a fraction".to_owned(),
        "boolean" => return "true or false".to_owned(),
        _ => {}
    }
    match (quoted("integer"), quoted("floating point"), quoted("boolean"), quoted("string")) {
        (Some(number), ..) | (_, Some(number), ..) => format!("the number {number}"),
        (_, _, Some(value), _) => value.to_owned(),
        (_, _, _, Some(text)) => format!("the text {text}"),
        _ => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_says_is_told_in_plain_words() {
        let table = [
            (
                "invalid type: string \"two\", expected u32",
                "a whole number of 0 or more is expected, not the text \"two\"",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "a whole number of 0 or more is expected, not the number -1",
            ),
            (
                "invalid value: integer `5000000000`, expected u32",
                "a whole number from 0 to 4294967295 is expected, not the number 5000000000",
            ),
            (
                "invalid value: integer `70000`, expected u16",
                "a whole number from 0 to 65535 is expected, not the number 70000",
            ),
            (
                "invalid type: floating point `1.5`, expected usize",
                "a whole number of 0 or more is expected, not the number 1.5",
            ),
            ("invalid type: map, expected a string", "a text is expected, not a table"),
            ("invalid type: map, expected u32", "a whole number of 0 or more is expected, not a table"),
            (
                "invalid type: integer `3`, expected struct PoolConfig",
                "a table is expected, not the number 3",
            ),
            (
                "invalid type: integer `3`, expected internally tagged enum CheckConfig",
                "a table is expected, not the number 3",
            ),
            ("invalid type: sequence, expected a map", "a table is expected, not a list"),
            ("invalid type: boolean `true`, expected a sequence", "a list is expected, not true"),
            ("invalid type: boolean, expected f64", "a number is expected, not true or false"),
            ("invalid type: string, expected a boolean", "true or false is expected, not a text"),
            (
                "invalid value: integer, expected u16",
                "a whole number from 0 to 65535 is expected, not this number",
            ),
            (
                "invalid type: string \"a, expected b\", expected a map",
                "a table is expected, not the text \"a, expected b\"",
            ),
            ("invalid type: null, expected a string", "a text is expected, not null"),
        ];
        for (message, wanted) in table {
            assert_eq!(plain(message, TABLE), wanted);
        }
    }

    #[test]
    fn a_group_is_called_what_its_format_calls_it() {
        assert_eq!(
            plain("invalid type: map, expected a map", OBJECT),
            "a JSON object is expected, not a JSON object"
        );
    }

    #[test]
    fn what_is_plain_already_is_left_alone() {
        for message in ["missing field `template`", "unknown field `x`, expected `y`", "invalid type: odd"] {
            assert_eq!(plain(message, TABLE), message);
        }
    }
}
