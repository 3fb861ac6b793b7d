//! The Lambda binary of the job `deletion_worker`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_accounts::deletion_worker::job)
}
