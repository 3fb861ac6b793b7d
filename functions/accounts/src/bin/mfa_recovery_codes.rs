//! The Lambda binary of `mfa_recovery_codes`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::mfa_recovery_codes::endpoint)
}
