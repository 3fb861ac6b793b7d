//! The Lambda binary of `link_watchlist`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_links::link_watchlist::endpoint)
}
