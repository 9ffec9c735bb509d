//! ccbt-peer
