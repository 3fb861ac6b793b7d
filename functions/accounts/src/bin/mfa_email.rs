//! The Lambda binary of `mfa_email`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::mfa_email::endpoint)
}
