//! The Lambda binary of the job `security_audit`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::security_audit::job)
}
