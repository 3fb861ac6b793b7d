//! The Lambda binary of `import`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::import::endpoint)
}
