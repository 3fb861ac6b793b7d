//! The Lambda binary of `password_forgot`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::password_forgot::endpoint)
}
