//! The Lambda binary of `token`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::token::endpoint)
}
