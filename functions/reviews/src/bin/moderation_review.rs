//! The Lambda binary of `moderation_review`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_reviews::moderation_review::endpoint)
}
