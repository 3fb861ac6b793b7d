//! The client against a TMDb on loopback, on a clock that only moves when the client waits.

// Clippy knows tests by their attribute; the functions they share have none.
#![allow(clippy::unwrap_used)]

mod answers;
mod exports;
mod faults;
mod hostile;
mod pacing;
mod rig;
mod secrecy;
