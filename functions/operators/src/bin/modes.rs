//! The Lambda binary of `modes`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::modes::endpoint)
}
