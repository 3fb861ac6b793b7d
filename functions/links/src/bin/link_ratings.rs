//! The Lambda binary of `link_ratings`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_links::link_ratings::endpoint)
}
