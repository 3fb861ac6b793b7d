//! The Lambda binary of the job `publish_catalog`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::publish_catalog::job)
}
