//! The Lambda binary of the job `recount_films`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::recount_films::job)
}
