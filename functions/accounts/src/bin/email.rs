//! The Lambda binary of `email`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::email::endpoint)
}
