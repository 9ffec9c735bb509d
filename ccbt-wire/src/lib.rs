//! ccbt-wire
