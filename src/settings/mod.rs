//! What is managed, one file a setting: its YAML block, its rule, its value, and how the two
//! values of a user are compared.

pub mod mobile_phone;
pub mod per_user_mfa;
