//! The Lambda binary of the job `ship_audit`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::ship_audit::job)
}
