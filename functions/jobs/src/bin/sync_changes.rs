//! The Lambda binary of the job `sync_changes`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::sync_changes::job)
}
