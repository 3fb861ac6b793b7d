//! The Lambda binary of `admin_movie`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_movie::endpoint)
}
