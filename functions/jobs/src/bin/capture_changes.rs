//! The Lambda binary of the job `capture_changes`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::capture_changes::job)
}
