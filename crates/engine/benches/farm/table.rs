//! What a bench prints.
#![expect(clippy::print_stdout, reason = "a table is all that these benches make")]

/// The numbers of VMs that benches compare, or those that arguments name; few if only a test wants to know whether a bench works.
pub fn sizes() -> Vec<u64> {
    let named: Vec<_> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let is_test = std::env::args().any(|arg| arg == "--test");
    match named.is_empty() {
        false => named,
        true if is_test => vec![100, 200],
        true => vec![100, 1_000, 10_000, 100_000],
    }
}

/// Prints rows of numbers that were measured, each with the ratio of its last number to its second one, or to its first one if
/// there are but two.
pub fn print(title: &str, columns: &[u64], rows: &[(&str, Vec<f64>)]) {
    if rows.iter().all(|(_, row)| row.iter().all(|value| value.is_nan())) {
        return;
    }
    print!("\n{title}\n{:<32}", "");
    columns.iter().for_each(|column| print!("{column:>10}"));
    println!("{:>14}", if 2 < columns.len() { "last : second" } else { "last : first" });
    for (name, row) in rows.iter().filter(|(_, row)| row.iter().any(|value| !value.is_nan())) {
        print!("{name:<32}");
        row.iter().for_each(|value| print!("{value:>10.0}"));
        println!("{:>14.2}", row[row.len() - 1] / row[usize::from(2 < row.len())]);
    }
}
