//! The Lambda binary of `mfa_totp`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::mfa_totp::endpoint)
}
