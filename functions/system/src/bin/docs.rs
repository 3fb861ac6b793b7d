//! The Lambda binary of `docs`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_system::docs::endpoint)
}
