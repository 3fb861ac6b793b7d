//! The Lambda binary of `security`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::security::endpoint)
}
