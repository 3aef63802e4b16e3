//! The binary that the tests run: `vmpool` itself, built with them.

fn main() -> std::process::ExitCode {
    vmpool_cli::main()
}
