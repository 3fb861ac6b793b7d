//! The Lambda binary of `csrf`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::csrf::endpoint)
}
