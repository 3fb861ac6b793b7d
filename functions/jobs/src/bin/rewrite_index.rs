//! The Lambda binary of the job `rewrite_index`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::rewrite_index::job)
}
