//! The Lambda binary of `history`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::history::endpoint)
}
