//! The Lambda binary of `thumbs_action`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::thumbs_action::endpoint)
}
