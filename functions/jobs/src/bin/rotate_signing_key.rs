//! The Lambda binary of the job `rotate_signing_key`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::rotate_signing_key::job)
}
