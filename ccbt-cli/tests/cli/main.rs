//! What `ccbt` promises to people and scripts, one promise a file, checked on the program itself.

mod config;
mod create;
mod demo;
mod disk;
mod doctor;
mod download;
mod events;
mod eviction;
mod files;
mod magnet;
mod network;
mod on_complete;
mod policy;
mod refused;
mod resume;
mod seed;
mod several;
mod show;
mod signals;
mod state;
mod stop_timeout;
mod support;
mod talk;
mod troubles;
mod verify;
