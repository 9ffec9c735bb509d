//! What holds for all facts, all policies and all orders of events.

mod displacement;
mod facts;
mod order_cannot_matter;
mod same_deadline_at_every_now;
mod useful_peers_stay;
mod watch_agrees_with_asking_everybody;
