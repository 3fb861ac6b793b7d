//! The Lambda binary of the job `count_films`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::count_films::job)
}
