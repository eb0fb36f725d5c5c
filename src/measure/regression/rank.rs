//! Comparing two samples by ranks alone: how many pairs of one value each lie the wrong way. Exact (Mann and Whitney
//! 1947; the interval is that of Hodges and Lehmann 1963), without any assumption on how noise is distributed, so that
//! one slow outlier on a busy machine decides nothing. Ties count as if they spoke against the finding, which can make
//! it less sure and never surer.

/// How likely each number of reversed pairs is by chance alone, for samples of `n` and `m` values from one source: its
/// `u`-th entry is the chance of at most `u` of the `n * m` pairs.
pub(super) fn chances(n: usize, m: usize) -> Vec<f64> {
    let pairs = n * m;
    // ways[j][u]: how many arrangements of the first values of one sample and `j` of the other have `u` reversed pairs.
    // Their numbers are those of partitions, built up one value at a time; floats hold them to 15 digits.
    let mut ways = vec![vec![0.0_f64; pairs + 1]; m + 1];
    ways.iter_mut().for_each(|row| row[0] = 1.0);
    for i in 1..=n {
        // With the greatest value in the second sample, it reverses a pair with each of the `i` of the first.
        let mut next = vec![vec![0.0; pairs + 1]; m + 1];
        next[0][0] = 1.0;
        for j in 1..=m {
            for u in 0..=pairs {
                let from_second = if u >= i { next[j - 1][u - i] } else { 0.0 };
                next[j][u] = ways[j][u] + from_second;
            }
        }
        ways = next;
    }
    let total: f64 = ways[m].iter().sum();
    let mut sum = 0.0;
    let at_most = |ways: &f64| {
        sum += ways;
        (sum / total).min(1.0)
    };
    ways[m].iter().map(at_most).collect()
}

/// How many values from its end a bound of all pairs lies, from 0, so that it holds but for that chance; `None` where
/// the samples are too small for that.
pub(super) fn depth(chances: &[f64], level: f64) -> Option<usize> {
    chances.iter().take_while(|chance| **chance <= level).count().checked_sub(1)
}

/// Fewest values on each side with which anything can be found at that level; `most` where no number up to it is enough.
pub(super) fn plays_needed(level: f64, most: usize) -> usize {
    // With n values each, the least chance is one arrangement of all: 1 / (2n choose n).
    let mut least = 1.0;
    for n in 1..=most {
        least *= n as f64 / (2.0 * (2.0 * n as f64 - 1.0));
        if least <= level {
            return n;
        }
    }
    most
}

/// The middle value; of an even number the lower of the two.
pub(super) fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the published tables of the distribution.
    #[test]
    fn chances_are_those_of_the_tables() {
        let first = |n, m, u: usize| (chances(n, m)[u] * 10_000.0).round() / 10_000.0;
        assert_eq!([first(4, 4, 0), first(5, 5, 0), first(5, 5, 2), first(5, 5, 4)], [0.0143, 0.0040, 0.0159, 0.0476]);
        assert_eq!([first(3, 5, 1), first(8, 8, 13)], [0.0357, 0.0249]);
        let all = chances(6, 4);
        assert!((all[24] - 1.0).abs() < 1e-12 && all.len() == 25);
        // Half of all arrangements lie at or below the middle, by symmetry: P(U <= 11) + P(U <= 12) = 1 for 24 pairs.
        assert!((all[11] + all[12] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_can_be_found_at_a_level_depends_on_how_often_it_was_played() {
        assert_eq!(depth(&chances(3, 3), 0.025), None);
        assert_eq!(depth(&chances(5, 5), 0.025), Some(2));
        assert_eq!([plays_needed(0.05, 50), plays_needed(0.005, 50), plays_needed(0.05 / 1_000.0, 50)], [3, 5, 9]);
        assert_eq!(plays_needed(0.0, 50), 50);
        let large = chances(50, 50);
        assert!(large.iter().all(|chance| chance.is_finite()) && large[0] > 0.0);
    }

    #[test]
    fn a_median_is_one_of_the_values() {
        assert_eq!([median(&[3, 1, 2]), median(&[4, 1, 3, 2]), median(&[])], [Some(2), Some(2), None]);
    }
}
