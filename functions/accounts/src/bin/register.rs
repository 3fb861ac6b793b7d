//! The Lambda binary of `register`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::register::endpoint)
}
