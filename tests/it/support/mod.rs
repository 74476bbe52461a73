//! What the tests of all folders use: the program in a folder of its own, tenants, networks, goldens.

pub(crate) mod doctor_runs;
pub(crate) mod golden;
pub(crate) mod inside;
pub(crate) mod invented;
pub(crate) mod journal_files;
pub(crate) mod network_faults;
pub(crate) mod promise_checks;
pub(crate) mod reports;
pub(crate) mod shown_numbers;
pub(crate) mod store_servers;
pub(crate) mod tenant_builder;
pub(crate) mod tiny_tenant;
pub(crate) mod world;
