//! The Lambda binary of `movie_review`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_reviews::movie_review::endpoint)
}
