//! What a bench prints.
#![expect(clippy::print_stdout, reason = "a table is all that these benches make")]

/// The numbers of VMs that benches compare; few if only a test wants to know whether a bench works.
pub fn sizes() -> Vec<u64> {
    let is_test = std::env::args().any(|arg| arg == "--test");
    if is_test { vec![100, 200] } else { vec![100, 1_000, 10_000, 100_000] }
}

/// Prints rows of numbers, each with the ratio of its last number to its second one.
pub fn print(title: &str, columns: &[u64], rows: &[(&str, Vec<f64>)]) {
    print!("\n{title}\n{:<32}", "");
    columns.iter().for_each(|column| print!("{column:>10}"));
    println!("{:>14}", "last : second");
    for (name, row) in rows {
        print!("{name:<32}");
        row.iter().for_each(|value| print!("{value:>10.0}"));
        println!("{:>14.2}", row[row.len() - 1] / row[1]);
    }
}
