//! The Lambda binary of `add_movie`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::add_movie::endpoint)
}
