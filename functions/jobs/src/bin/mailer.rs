//! The Lambda binary of the job `mailer`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_accounts::mailer::job)
}
