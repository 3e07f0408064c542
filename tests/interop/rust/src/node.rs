// SPDX-License-Identifier: MIT

//! The node: a swarm in a task of its own, and the requests of the commands to it.

use std::time::Duration;

use futures::StreamExt;
use libp2p::{
    identify,
    identity::Keypair,
    noise, ping,
    swarm::{dial_opts::DialOpts, DialError, NetworkBehaviour, Stream, StreamProtocol, SwarmEvent},
    tcp, yamux, Multiaddr, PeerId, Swarm, SwarmBuilder,
};
use tokio::{
    io::AsyncReadExt as _,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::compat::FuturesAsyncReadCompatExt as _;

use crate::{
    exit::{Die, LOCAL, NO_PROTOCOL, REFUSED, RESET, UNREACHABLE},
    streams::{self, Inbound, OpenError, Reply},
    Options,
};

const PING: &str = "/ipfs/ping/1.0.0";

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    streams: streams::Behaviour,
}

pub type Event = SwarmEvent<BehaviourEvent>;

enum Command {
    Open(PeerId, StreamProtocol, Reply),
    Dial(PeerId, Multiaddr),
    Leave(PeerId),
}

#[derive(Clone)]
pub struct Control(mpsc::UnboundedSender<Command>);

pub struct Node {
    pub id: PeerId,
    pub control: Control,
    pub events: mpsc::UnboundedReceiver<Event>,
    pub inbound: mpsc::UnboundedReceiver<Inbound>,
}

pub fn protocol(name: &str) -> Result<StreamProtocol, Die> {
    StreamProtocol::try_from_owned(name.to_owned()).map_err(|e| Die(2, format!("{name}: {e}")))
}

fn swarm(o: &Options, key: Keypair, behaviour: Behaviour) -> Result<Swarm<Behaviour>, Die> {
    let failed = |e: &dyn std::fmt::Display| Die(LOCAL, e.to_string());
    let builder = SwarmBuilder::with_existing_identity(key).with_tokio();
    let idle = Duration::from_secs(1 << 24);
    macro_rules! build {
        ($security:expr) => {
            builder
                .with_tcp(tcp::Config::default(), $security, yamux::Config::default)
                .map_err(|e| failed(&e))?
                .with_behaviour(|_| behaviour)
                .map_err(|e| failed(&e))?
                .with_swarm_config(|c| {
                    c.with_idle_connection_timeout(idle)
                        .with_max_negotiating_inbound_streams(1024)
                })
                .build()
        };
    }
    Ok(if o.tls {
        build!((libp2p::tls::Config::new, noise::Config::new))
    } else {
        build!(noise::Config::new)
    })
}

/// Starts a node that listens on `listen`, if given, and serves `protocols`.
pub fn start(
    o: &Options,
    key: Keypair,
    listen: Option<Multiaddr>,
    protocols: Vec<StreamProtocol>,
    ping: ping::Config,
) -> Result<Node, Die> {
    let (inbound_in, inbound) = mpsc::unbounded_channel();
    let (events_in, events) = mpsc::unbounded_channel();
    let (commands_in, mut commands) = mpsc::unbounded_channel();
    let about = identify::Config::new("ipfs/0.1.0".into(), key.public())
        .with_agent_version("interop-rust/0.57.1".into());
    let behaviour = Behaviour {
        identify: identify::Behaviour::new(about),
        ping: ping::Behaviour::new(ping),
        streams: streams::Behaviour::new(protocols, inbound_in),
    };
    let mut swarm = swarm(o, key, behaviour)?;
    for a in &o.announce {
        swarm.add_external_address(a.clone());
    }
    if let Some(a) = listen {
        swarm.listen_on(a).map_err(|e| Die(LOCAL, e.to_string()))?;
    }
    let id = *swarm.local_peer_id();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Open(peer, name, reply)) => swarm.behaviour_mut().streams.open(peer, name, reply),
                    Some(Command::Dial(peer, addr)) => {
                        // an error here is reported as an event, too, except for a bad peer condition
                        let _ = swarm.dial(DialOpts::peer_id(peer).addresses(vec![addr]).build());
                    }
                    Some(Command::Leave(peer)) => {
                        let _ = swarm.disconnect_peer_id(peer);
                    }
                    None => return,
                },
                event = swarm.select_next_some() => {
                    let _ = events_in.send(event);
                }
            }
        }
    });
    Ok(Node {
        id,
        control: Control(commands_in),
        events,
        inbound,
    })
}

impl Control {
    pub async fn open(&self, peer: PeerId, name: StreamProtocol) -> Result<Stream, Die> {
        let (reply, answer) = oneshot::channel();
        let _ = self.0.send(Command::Open(peer, name.clone(), reply));
        match answer.await {
            Ok(Ok(s)) => Ok(s),
            Ok(Err(OpenError::Unsupported)) => Err(Die(
                NO_PROTOCOL,
                format!("{name}: the peer does not support it"),
            )),
            Ok(Err(OpenError::Other(e))) => Err(Die(RESET, format!("{name}: {e}"))),
            Err(_) => Err(Die(RESET, format!("{name}: the connection is gone"))),
        }
    }

    /// Waits until the peer has received all that was written before: any answer on
    /// another stream, even a refusal, shows that it arrived.
    pub async fn flush(&self, peer: PeerId) {
        let round_trip = async {
            let mut s = self
                .open(peer, StreamProtocol::new(PING))
                .await
                .ok()?
                .compat();
            tokio::io::AsyncWriteExt::write_all(&mut s, &[0; 32])
                .await
                .ok()?;
            tokio::io::AsyncWriteExt::flush(&mut s).await.ok()?;
            s.read_exact(&mut [0; 32]).await.ok()
        };
        let _ = timeout(Duration::from_secs(10), round_trip).await;
    }
}

impl Node {
    pub async fn connect(&mut self, peer: PeerId, addr: &Multiaddr) -> Result<(), Die> {
        let _ = self.control.0.send(Command::Dial(peer, addr.clone()));
        let up = async {
            while let Some(e) = self.events.recv().await {
                match e {
                    SwarmEvent::ConnectionEstablished { .. } => return Ok(()),
                    SwarmEvent::OutgoingConnectionError {
                        error: DialError::WrongPeerId { .. },
                        ..
                    } => {
                        return Err(Die(REFUSED, format!("{addr}: another peer is there")));
                    }
                    SwarmEvent::OutgoingConnectionError { error, .. } => {
                        return Err(Die(UNREACHABLE, format!("{addr}: {error:?}")));
                    }
                    _ => {}
                }
            }
            Err(Die(LOCAL, "the swarm ended".into()))
        };
        timeout(Duration::from_secs(20), up)
            .await
            .unwrap_or(Err(Die(UNREACHABLE, format!("{addr}: no answer"))))
    }

    pub async fn identified(&mut self) -> Result<identify::Info, Die> {
        let got = async {
            while let Some(e) = self.events.recv().await {
                match e {
                    SwarmEvent::Behaviour(BehaviourEvent::Identify(
                        identify::Event::Received { info, .. },
                    )) => {
                        return Ok(info);
                    }
                    SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Error {
                        error,
                        ..
                    })) => {
                        return Err(Die(NO_PROTOCOL, format!("identify: {error}")));
                    }
                    SwarmEvent::ConnectionClosed { .. } => {
                        return Err(Die(RESET, "identify: the connection closed".into()));
                    }
                    _ => {}
                }
            }
            Err(Die(LOCAL, "the swarm ended".into()))
        };
        timeout(Duration::from_secs(20), got)
            .await
            .unwrap_or(Err(Die(UNREACHABLE, "identify: no answer".into())))
    }

    /// Closes the connection in good order (yamux sends Go Away) and waits for its end.
    pub async fn leave(&mut self, peer: PeerId) {
        let _ = self.control.0.send(Command::Leave(peer));
        let closed = async {
            while let Some(e) = self.events.recv().await {
                if matches!(e, SwarmEvent::ConnectionClosed { .. }) {
                    return;
                }
            }
        };
        let _ = timeout(Duration::from_secs(2), closed).await;
    }
}
