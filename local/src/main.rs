//! `cargo run`: starts the product. `cargo run -- --help` lists the other commands.

fn main() -> std::process::ExitCode {
    screensort::command::run()
}
