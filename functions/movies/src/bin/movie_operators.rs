//! The Lambda binary of `movie_operators`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::movie_operators::endpoint)
}
