//! The Lambda binary of the job `rotate_keys`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::rotate_keys::job)
}
