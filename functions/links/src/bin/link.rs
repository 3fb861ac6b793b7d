//! The Lambda binary of `link`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_links::link::endpoint)
}
