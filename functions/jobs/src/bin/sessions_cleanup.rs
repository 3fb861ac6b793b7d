//! The Lambda binary of the job `sessions_cleanup`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::sessions_cleanup::job)
}
