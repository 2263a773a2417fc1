//! The whole queue against a scripted service: what is paid, what is asked, what is waited for, what survives a death.

mod lab;
mod money;
mod rows;
mod service;
mod waiting;
