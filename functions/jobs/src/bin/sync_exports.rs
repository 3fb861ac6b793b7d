//! The Lambda binary of the job `sync_exports`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::sync_exports::job)
}
