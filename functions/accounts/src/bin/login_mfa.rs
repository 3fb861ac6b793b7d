//! The Lambda binary of `login_mfa`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::login_mfa::endpoint)
}
