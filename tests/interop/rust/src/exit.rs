// SPDX-License-Identifier: MIT

//! Exit codes: those of the project's own tools.

pub const LOCAL: i32 = 1;
pub const USAGE: i32 = 2;
pub const UNREACHABLE: i32 = 3;
pub const REFUSED: i32 = 4;
pub const NO_PROTOCOL: i32 = 7;
pub const RESET: i32 = 8;

pub struct Die(pub i32, pub String);
