//! What somebody may have meant who misspelled a word.

/// Puts the nearest of the words that a message lists behind the one that is unknown, if one is near.
///
/// The messages are those of `serde`: "unknown field `sise`, expected one of `size`, …".
pub(super) fn with_guess(message: &str) -> String {
    let is_unknown = message.starts_with("unknown field `") || message.starts_with("unknown variant `");
    let guessed = || {
        let (before, expected) = message.split_once(", expected ")?;
        let unknown = before.split('`').nth(1)?;
        let near = nearest(unknown, expected.split('`').skip(1).step_by(2))?;
        Some(format!("{before}, did you mean `{near}`? Expected {expected}"))
    };
    match is_unknown {
        true => guessed().unwrap_or_else(|| message.to_owned()),
        false => message.to_owned(),
    }
}

/// Returns the nearest word, if it differs in few characters: one in three.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = word.chars().count().div_ceil(3);
    let distances = known.map(|known| (distance(word, known), known));
    distances
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, near)| near)
}

/// Returns how many characters must be changed, put in, taken out or swapped with their neighbor.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            let is_swap = 0 < i && 0 < j && one[i - 1] == *b && other[j - 1] == *a;
            if is_swap {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_slips_of_the_fingers() {
        for (one, other, wanted) in [
            ("size", "size", 0),
            ("sise", "size", 1),
            ("weigth", "weight", 1),
            ("max_totl", "max_total", 1),
            ("", "size", 4),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(distance(one, other), wanted, "{one} {other}");
        }
    }

    #[test]
    fn what_is_near_is_guessed_and_what_is_far_is_not() {
        let message =
            |unknown: &str| format!("unknown field `{unknown}`, expected one of `size`, `template`");
        assert_eq!(
            with_guess(&message("sise")),
            "unknown field `sise`, did you mean `size`? Expected one of `size`, `template`"
        );
        assert_eq!(with_guess(&message("colour")), message("colour"));
        assert_eq!(
            with_guess("unknown variant `strickt`, expected `strict` or `lazy`"),
            "unknown variant `strickt`, did you mean `strict`? Expected `strict` or `lazy`"
        );
        assert_eq!(with_guess("missing field `size`"), "missing field `size`");
    }
}
