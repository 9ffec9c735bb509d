//! A drawn swarm from its beginning to its end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_peer::core::{Input, PeerKey};
use ccbt_peer::policy::{Source, Time};
use ccbt_peer::wire::Bitfield;
use ccbt_peer::{Addresses, Geometry};

use super::draw::{self, NodePlan, Plan};
use super::fate::Fate;
use super::foe::Foe;
use super::net::{End, Happening, Net, Who};
use super::node::Node;
use super::{BOUND, Outcome, Sabotage, addr_of};
use crate::{ms, secs};

/// Whoever is at a place.
enum Place {
    Node(Box<Node>),
    Foe(Box<Foe>),
    /// One of ours that is away: what its disk has, and what it remembers.
    Away(Bitfield, Addresses),
}

struct World {
    net: Net,
    places: Vec<Place>,
    lives: Vec<u32>,
    nodes: Vec<NodePlan>,
    geometry: Geometry,
    addrs: BTreeMap<SocketAddr, usize>,
    ghosts: u32,
    /// When the last trouble of each node was over.
    since: Vec<Time>,
    quiet_at: Time,
    ending: bool,
    sabotage: Option<Sabotage>,
    slowest: Duration,
}

/// Runs the swarm of `seed`.
pub(super) fn run(seed: u64, sabotage: Option<Sabotage>) -> Outcome {
    let mut rng = fastrand::Rng::with_seed(seed);
    let plan = draw::swarm(seed, &mut rng);
    let mut world = World::new(plan, rng);
    world.sabotage = sabotage;
    world.run_until_complete();
    let end = world.net.now + secs(20);
    world.run_until(end);
    world.stop();
    Outcome { events: world.net.events, slowest: world.slowest }
}

impl World {
    fn new(plan: Plan, rng: fastrand::Rng) -> Self {
        let mut net = Net::new(rng);
        net.least_rate = plan.least_rate;
        net.finest_cut = plan.finest_cut;
        let mut places = Vec::new();
        let mut addrs = BTreeMap::new();
        for (n, node) in plan.nodes.iter().enumerate() {
            addrs.insert(addr_of(n), n);
            places.push(Place::Away(node.have.clone(), Addresses::default()));
            net.later(node.starts, Happening::Fate(Fate::Start(n)));
        }
        for nature in plan.foes {
            let place = places.len();
            let mut addr = addr_of(place);
            if plan.neighbours {
                let [.., last] = place.to_be_bytes();
                addr = SocketAddr::from(([81, 9, 9, last], 6881));
            }
            addrs.insert(addr, place);
            if nature.comes.is_some() {
                net.later(ms(place as u64 * 7), Happening::Fate(Fate::Come(place)));
            }
            let who = Who { place, life: 0 };
            places.push(Place::Foe(Box::new(Foe::new(who, addr, nature, plan.geometry))));
        }
        for (at, fate) in plan.fates {
            net.later(at, Happening::Fate(fate));
        }
        Self {
            net,
            lives: vec![0; places.len()],
            since: vec![Time::ZERO; plan.nodes.len()],
            places,
            nodes: plan.nodes,
            geometry: plan.geometry,
            addrs,
            ghosts: plan.ghosts,
            quiet_at: plan.quiet_at,
            ending: false,
            sabotage: None,
            slowest: Duration::ZERO,
        }
    }

    /// Every node has to get everything, in time.
    fn run_until_complete(&mut self) {
        self.run_until(self.quiet_at);
        let end = self.net.now + BOUND;
        while !self.is_complete() {
            let Some(happening) = self.net.next(end) else { break };
            self.happen(happening);
        }
        for place in 0..self.nodes.len() {
            let Place::Node(node) = &self.places[place] else { panic!("node {place} is away") };
            let Some(at) = node.complete_at else {
                panic!(
                    "node {place} has {} of {} pieces {BOUND:?} after the last trouble: {:?}, closed: {:?}, {:#?}",
                    node.core.have().count_ones(),
                    self.geometry.pieces(),
                    node.core.progress(),
                    node.closes,
                    node.core.views().map(|(_, view)| view.clone()).collect::<Vec<_>>(),
                )
            };
            self.slowest = self.slowest.max(at.saturating_since(self.since[place]));
        }
    }

    fn is_complete(&self) -> bool {
        let complete = |place: &Place| match place {
            Place::Node(node) => node.complete_at.is_some(),
            Place::Foe(_) => true,
            Place::Away(..) => false,
        };
        self.places.iter().all(complete)
    }

    fn run_until(&mut self, end: Time) {
        while let Some(happening) = self.net.next(end) {
            self.happen(happening);
        }
        self.net.now = end;
    }

    /// Stops all nodes, and looks that nothing of them is left.
    fn stop(&mut self) {
        self.ending = true;
        for place in &mut self.places {
            if let Place::Node(node) = place {
                node.check_memory(self.net.now);
                node.stop(&mut self.net);
            }
        }
        let end = self.net.now + secs(30);
        self.run_until(end);
        for place in &self.places {
            if let Place::Node(node) = place {
                node.check_end();
            }
        }
        let ours = (0..self.nodes.len()).collect();
        let left = self.net.open(&ours);
        assert!(left.is_empty(), "never closed: {left:?}");
    }

    fn who(&self, place: usize) -> Who {
        Who { place, life: self.lives[place] }
    }

    /// The node, if it is the one that was meant.
    fn node(&mut self, who: Who) -> Option<(&mut Node, &mut Net)> {
        if self.lives[who.place] != who.life {
            return None;
        }
        match &mut self.places[who.place] {
            Place::Node(node) => Some((node, &mut self.net)),
            _ => None,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Dialed { by, token, to } => self.on_dialed(by, token, to),
            Happening::Bytes(at, bytes) => {
                if self.net.arrive(at, &bytes) {
                    self.look(at);
                }
            }
            Happening::Over { at, cut } => {
                if self.net.on_over(at, cut) {
                    self.on_over(at, cut);
                }
            }
            Happening::Room(at) => self.look(at),
            Happening::Alarm(at) => self.on_alarm(at),
            Happening::Wake(who) => {
                if let Some((node, net)) = self.node(who) {
                    node.wake(net);
                }
            }
            Happening::ToCore(who, inputs) => {
                if let Some((node, net)) = self.node(who) {
                    node.tell_core_all(net, inputs);
                }
            }
            Happening::ToConnection(end, order) => {
                let Some(who) = self.net.owner(end) else { return };
                if let Some((node, net)) = self.node(who) {
                    node.obey(net, end, order);
                }
            }
            Happening::Written(who, piece) => {
                if let Some((node, net)) = self.node(who)
                    && !node.on_written(net, piece)
                {
                    node.stop(net);
                }
            }
            Happening::Fate(fate) => self.befall(fate),
        }
    }

    fn on_dialed(&mut self, by: Who, token: u32, to: SocketAddr) {
        if self.lives[by.place] != by.life {
            return;
        }
        let from = match &self.places[by.place] {
            Place::Node(node) => node.addr,
            Place::Foe(foe) => foe.addr,
            Place::Away(..) => return,
        };
        let target = self.addrs.get(&to).copied().filter(|place| match &self.places[*place] {
            Place::Node(_) => true,
            Place::Foe(foe) => foe.nature.listens,
            Place::Away(..) => false,
        });
        let ends = target.map(|place| self.net.connect((by, from), (self.who(place), to)));
        match &mut self.places[by.place] {
            Place::Node(node) => {
                node.on_dialed(&mut self.net, PeerKey(token), ends.map(|(end, _)| end));
            }
            Place::Foe(foe) => {
                if let Some((end, _)) = ends {
                    foe.on_wire(&mut self.net, end, true);
                }
            }
            Place::Away(..) => {}
        }
        let Some((place, (_, end))) = target.zip(ends) else { return };
        match &mut self.places[place] {
            Place::Node(node) => node.on_incoming(&mut self.net, end),
            Place::Foe(foe) => foe.on_wire(&mut self.net, end, false),
            Place::Away(..) => {}
        }
    }

    fn look(&mut self, at: End) {
        let Some(who) = self.net.owner(at) else { return };
        match &mut self.places[who.place] {
            Place::Node(node) => node.look(&mut self.net, at),
            Place::Foe(foe) => foe.hear(&mut self.net, at),
            Place::Away(..) => {}
        }
    }

    fn on_over(&mut self, at: End, cut: bool) {
        let Some(who) = self.net.owner(at) else { return };
        match &mut self.places[who.place] {
            Place::Node(node) if cut => node.on_cut(&mut self.net, at),
            Place::Node(node) => node.look(&mut self.net, at),
            Place::Foe(foe) => foe.on_over(&mut self.net, at),
            Place::Away(..) => {}
        }
    }

    fn on_alarm(&mut self, at: End) {
        let Some(who) = self.net.owner(at) else { return };
        match &mut self.places[who.place] {
            Place::Node(node) => node.look(&mut self.net, at),
            Place::Foe(foe) => foe.wake(&mut self.net, at),
            Place::Away(..) => {}
        }
    }

    fn befall(&mut self, fate: Fate) {
        if self.ending {
            return;
        }
        match fate {
            Fate::Announce(place) => self.announce(place),
            Fate::Come(place) => self.come(place),
            Fate::Cut(place) => {
                if let Some(end) = self.net.any_wire(place) {
                    self.net.cut(end);
                }
            }
            Fate::Dead(place) => {
                if let Some(end) = self.net.any_wire(place) {
                    self.net.kill(end);
                }
            }
            Fate::Stall(place, time) => {
                if let Some(end) = self.net.any_wire(place) {
                    self.net.stall(end, time);
                }
            }
            Fate::Crash(place, back) => self.crash(place, back),
            Fate::DiskBreaks(place, back) => {
                if let Place::Node(node) = &mut self.places[place] {
                    node.disk_breaks = true;
                    // Whatever it was about to write, it is over then.
                    self.net.later(secs(10), Happening::Fate(Fate::Crash(place, back)));
                }
            }
            Fate::FewDescriptors(place, count) => {
                if let Place::Node(node) = &mut self.places[place] {
                    node.descriptors = count;
                }
            }
            Fate::Start(place) => self.start(place),
        }
    }

    fn start(&mut self, place: usize) {
        let Place::Away(have, addresses) = &self.places[place] else { return };
        let (have, addresses) = (have.clone(), addresses.clone());
        let plan = &self.nodes[place];
        let who = Who { place, life: self.lives[place] };
        let addr = addr_of(place);
        let mut node = Node::new(who, addr, &plan.config, plan.pace, have, &mut self.net);
        node.sabotage = self.sabotage;
        if self.net.rng.bool() {
            node.recall(&mut self.net, &addresses);
        }
        node.wake(&mut self.net);
        self.places[place] = Place::Node(Box::new(node));
        self.since[place] = self.net.now;
        self.announce(place);
    }

    fn crash(&mut self, place: usize, back: Duration) {
        let Place::Node(node) = &self.places[place] else { return };
        let (have, addresses) = node.remains(self.net.now);
        let away = Place::Away(have, addresses);
        if let Place::Node(node) = std::mem::replace(&mut self.places[place], away) {
            node.crash(&mut self.net);
        }
        self.lives[place] += 1;
        self.net.later(back, Happening::Fate(Fate::Start(place)));
    }

    /// A source names everybody, and a few who are not there.
    fn announce(&mut self, place: usize) {
        let mut peers: Vec<SocketAddr> = self
            .addrs
            .iter()
            .filter(|(_, other)| **other != place)
            .map(|(addr, _)| *addr)
            .collect();
        self.net.rng.shuffle(&mut peers);
        let ghosts = (0..self.ghosts).map(|_| {
            let [_, a, b, c] = self.net.rng.u32(..).to_be_bytes();
            SocketAddr::from(([200, a, b, c], 6881))
        });
        let ghosts: Vec<SocketAddr> = ghosts.collect();
        let who = self.who(place);
        if let Some((node, net)) = self.node(who) {
            node.check_memory(net.now);
            // The worst comes first. A tracker names 200 at the most, peers as many as they like.
            let (told, rumoured) = ghosts.split_at(ghosts.len().min(100));
            for (source, peers) in [(Source::Pex, rumoured), (Source::Tracker, told)] {
                node.tell_core(net, Input::Found { source, peers: peers.to_vec() });
            }
            node.tell_core(net, Input::Found { source: Source::Tracker, peers });
        }
        let every = draw::announce_every(&mut self.net.rng);
        self.net.later(every, Happening::Fate(Fate::Announce(place)));
    }

    fn come(&mut self, place: usize) {
        let Place::Foe(foe) = &self.places[place] else { return };
        let (who, every) = (foe.who, foe.nature.comes);
        let to = addr_of(self.net.rng.usize(..self.nodes.len()));
        self.net.dial(who, 0, to);
        if let Some(every) = every {
            self.net.later(every, Happening::Fate(Fate::Come(place)));
        }
    }
}
