//! The Lambda binary of the job `sync_lists`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::sync_lists::job)
}
