//! The Lambda binary of `link_confirm`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_links::link_confirm::endpoint)
}
