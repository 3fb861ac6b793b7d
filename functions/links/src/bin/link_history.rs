//! The Lambda binary of `link_history`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_links::link_history::endpoint)
}
