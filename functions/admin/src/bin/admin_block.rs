//! The Lambda binary of `admin_block`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_block::endpoint)
}
