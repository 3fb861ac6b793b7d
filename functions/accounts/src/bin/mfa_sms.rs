//! The Lambda binary of `mfa_sms`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::mfa_sms::endpoint)
}
