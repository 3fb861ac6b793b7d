//! The Lambda binary of the job `retention`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::retention::job)
}
