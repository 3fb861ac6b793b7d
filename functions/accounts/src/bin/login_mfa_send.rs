//! The Lambda binary of `login_mfa_send`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::login_mfa_send::endpoint)
}
