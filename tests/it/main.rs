//! The program from outside: the real binary, a cleared environment, temporary folders, the embedded provider over real HTTP.
//!
//! Each test's name is the rule it protects. Nothing sleeps for a fixed time; whatever is waited for has a deadline.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    reason = "a test that cannot go on has to fail, at the place, with what it saw"
)]

mod architecture;
mod console;
mod gates;
mod lock;
mod real_data;
mod resume;
mod run;
mod stop;
mod support;
mod wrong_input;
