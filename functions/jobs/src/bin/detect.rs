//! The Lambda binary of the job `detect`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::detect::job)
}
