//! The Lambda binary of `register_resend`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::register_resend::endpoint)
}
