//! How many of something that happens at random are likely to happen.

/// Above this mean, an approximation takes the place of the sum.
const LARGE: f64 = 50.0;

/// Returns the least number that is not exceeded with probability `quantile` if `mean` are expected: a quantile of the
/// Poisson distribution.
///
/// Exact for means up to 50, within 1 of the exact number above.
pub(crate) fn poisson_quantile(mean: f64, quantile: f64) -> u64 {
    if mean.is_nan() || quantile.is_nan() || mean <= 0.0 || quantile <= 0.0 {
        return 0;
    }
    // What is expected without end has no quantile; callers have limits of their own.
    let quantile = quantile.min(1.0 - 1e-9);
    match mean <= LARGE {
        true => summed(mean, quantile),
        false => approximated(mean, quantile),
    }
}

fn summed(mean: f64, quantile: f64) -> u64 {
    let mut term = (-mean).exp();
    let mut sum = term;
    let mut count = 0_u32;
    while sum < quantile && count < 1_000 {
        count += 1;
        term *= mean / f64::from(count);
        sum += term;
    }
    u64::from(count)
}

/// The expansion of Cornish and Fisher: the normal quantile, corrected for the skew.
fn approximated(mean: f64, quantile: f64) -> u64 {
    let (z, deviation) = (normal_quantile(quantile), mean.sqrt());
    let estimate = mean + z * deviation + (z * z - 1.0) / 6.0 + (z - z.powi(3)) / (72.0 * deviation);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is clamped, and `as` saturates"
    )]
    let count = (estimate + 0.5).floor().max(0.0) as u64;
    count
}

/// The quantile of the normal distribution, within 0.00045: formula 26.2.23 of Abramowitz and Stegun.
fn normal_quantile(quantile: f64) -> f64 {
    let upper = |tail: f64| {
        let t = (-2.0 * tail.ln()).sqrt();
        let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
        let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
        t - above / below
    };
    match quantile < 0.5 {
        true => -upper(quantile),
        false => upper(1.0 - quantile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Means, and for each quantile what sums with 60 decimal digits give.
    const MEANS: [f64; 12] = [0.05, 0.0513, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 51.0];
    const EXACT: [(f64, [u64; 12]); 5] = [
        (0.5, [0, 0, 0, 1, 2, 3, 5, 10, 20, 30, 50, 51]),
        (0.9, [0, 0, 1, 2, 4, 5, 8, 14, 26, 37, 59, 60]),
        (0.95, [0, 1, 2, 3, 5, 6, 9, 15, 28, 39, 62, 63]),
        (0.99, [1, 1, 3, 4, 6, 8, 11, 18, 31, 43, 67, 68]),
        (0.999, [2, 2, 4, 5, 8, 10, 13, 21, 35, 48, 73, 74]),
    ];
    const LARGE_MEANS: [f64; 6] = [75.0, 100.0, 150.0, 500.0, 1000.0, 5000.0];
    const NEARLY: [(f64, [u64; 6]); 7] = [
        (0.05, [61, 84, 130, 464, 948, 4884]),
        (0.25, [69, 93, 142, 485, 979, 4952]),
        (0.5, [75, 100, 150, 500, 1000, 5000]),
        (0.9, [86, 113, 166, 529, 1041, 5091]),
        (0.95, [90, 117, 170, 537, 1052, 5117]),
        (0.99, [96, 124, 179, 553, 1074, 5165]),
        (0.999, [103, 132, 189, 571, 1099, 5220]),
    ];

    #[test]
    fn small_means_give_the_exact_number() {
        for (quantile, exact) in EXACT {
            let counts = MEANS.map(|mean| poisson_quantile(mean, quantile));
            assert_eq!(counts[..11], exact[..11], "{quantile}");
        }
    }

    #[test]
    fn large_means_give_nearly_the_exact_number() {
        let mut off = 0;
        for (quantile, exact) in NEARLY {
            for (mean, exact) in LARGE_MEANS.into_iter().zip(exact) {
                let count = poisson_quantile(mean, quantile);
                assert!(count.abs_diff(exact) <= 1, "{quantile} {mean}: {count} for {exact}");
                off += count.abs_diff(exact);
            }
        }
        assert!(off <= 1, "{off} of them are not exact");
        for (quantile, exact) in EXACT {
            assert!(poisson_quantile(51.0, quantile).abs_diff(exact[11]) <= 1, "{quantile}");
        }
    }

    #[test]
    fn where_nothing_is_expected_nothing_is_kept() {
        for mean in [0.0, -1.0, f64::NAN] {
            assert_eq!(poisson_quantile(mean, 0.95), 0);
        }
        for quantile in [0.0, -1.0, f64::NAN] {
            assert_eq!(poisson_quantile(3.0, quantile), 0);
        }
    }

    #[test]
    fn what_is_expected_without_end_is_more_than_any_pool_has() {
        assert_eq!(poisson_quantile(f64::INFINITY, 0.95), u64::MAX);
    }

    #[test]
    fn a_quantile_of_one_and_more_is_a_number_that_can_be_had() {
        for quantile in [1.0, 2.0, f64::INFINITY] {
            assert_eq!([1.0, 20.0].map(|mean| poisson_quantile(mean, quantile)), [11, 52]);
        }
    }

    #[test]
    fn a_number_that_is_not_exceeded_with_just_this_probability_is_the_quantile() {
        assert_eq!(poisson_quantile(1.0, (-1.0_f64).exp()), 0);
    }

    #[test]
    fn every_term_of_the_approximation_counts() {
        let exact = [(62.0, 0.9999, 93), (65.0, 0.99, 84), (71.0, 0.999, 98), (101.0, 0.999, 133)];
        for (mean, quantile, exact) in exact {
            assert_eq!(poisson_quantile(mean, quantile), exact, "{mean} {quantile}");
        }
    }
}
