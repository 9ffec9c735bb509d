//! ccbt-policy
