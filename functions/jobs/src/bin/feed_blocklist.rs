//! The Lambda binary of the job `feed_blocklist`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::feed_blocklist::job)
}
