//! The Lambda binary of `review_report`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_reviews::review_report::endpoint)
}
