//! The Lambda binary of `mailer`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_accounts::mailer::job)
}
