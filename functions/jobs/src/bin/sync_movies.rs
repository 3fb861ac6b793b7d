//! The Lambda binary of the job `sync_movies`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::sync_movies::job)
}
