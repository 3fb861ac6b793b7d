//! The Lambda binary of `watchlist`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::watchlist::endpoint)
}
