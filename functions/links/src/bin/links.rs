//! The Lambda binary of `links`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_links::links::endpoint)
}
