//! The Lambda binary of the job `sync_wanted`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::sync_wanted::job)
}
