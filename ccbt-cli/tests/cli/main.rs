//! What `ccbt` promises to people and scripts, one promise a file, checked on the program itself.

mod config;
mod create;
mod demo;
mod disk;
mod download;
mod events;
mod network;
mod refused;
mod seed;
mod show;
mod signals;
mod stop_timeout;
mod support;
mod talk;
mod troubles;
mod verify;
