//! Reading a tenant: read strategies, network faults, late lists, tokens.

pub(crate) mod eventual_consistency;
pub(crate) mod forbidden_reads;
pub(crate) mod identity;
pub(crate) mod network_weather;
pub(crate) mod pages;
pub(crate) mod partial_lists;
pub(crate) mod prefetch;
pub(crate) mod read_costs;
pub(crate) mod read_strategies;
pub(crate) mod sizes;
pub(crate) mod unreachable;
