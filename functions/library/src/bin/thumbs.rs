//! The Lambda binary of `thumbs`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::thumbs::endpoint)
}
