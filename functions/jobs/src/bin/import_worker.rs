//! The Lambda binary of the job `import_worker`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::import_worker::job)
}
