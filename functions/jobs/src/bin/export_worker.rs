//! The Lambda binary of the job `export_worker`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::export_worker::job)
}
