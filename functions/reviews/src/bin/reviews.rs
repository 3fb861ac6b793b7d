//! The Lambda binary of `reviews`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_reviews::reviews::endpoint)
}
