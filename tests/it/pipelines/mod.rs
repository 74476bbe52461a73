//! The files of `pipelines`: what they say, and what they do. Each job runs in a folder of its own, with the
//! variables of its runner and an identity of its own, against one served tenant.
//!
//! Not here: the commands that the jobs run (`cli`, `saving`), or the schemas of the hosts (`.ci/pipelines`).

mod azure;
mod bitbucket;
mod expressions;
mod files;
mod forks;
mod github;
mod gitlab;
mod runner;
mod setup;
mod site;
