//! The Lambda binary of `watchlist_entry`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::watchlist_entry::endpoint)
}
