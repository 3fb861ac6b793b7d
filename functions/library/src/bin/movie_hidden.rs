//! The Lambda binary of `movie_hidden`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::movie_hidden::endpoint)
}
