//! The Lambda binary of `moderation_reviews`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_reviews::moderation_reviews::endpoint)
}
