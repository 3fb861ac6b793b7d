//! The Lambda binary of `movie_rating`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::movie_rating::endpoint)
}
