//! The binary `vmpool`; everything is in the library beside it.

fn main() -> std::process::ExitCode {
    vmpool_cli::main()
}
