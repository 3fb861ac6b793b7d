//! The Lambda binary of `movie_reviews`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_reviews::movie_reviews::endpoint)
}
