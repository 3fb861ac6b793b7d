//! The Lambda binary of `email_confirm`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::email_confirm::endpoint)
}
