//! The Lambda binary of the job `access_review`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::access_review::job)
}
