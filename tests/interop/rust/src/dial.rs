// SPDX-License-Identifier: MIT

use std::{future::Future, pin::pin, sync::Arc, task::Poll, time::Duration};

use libp2p::{
    identify,
    identity::Keypair,
    multiaddr::Protocol,
    ping,
    swarm::{Stream, SwarmEvent},
    Multiaddr, PeerId,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Notify,
};
use tokio_util::compat::FuturesAsyncReadCompatExt;

use crate::{
    data::{reset, stdin, write_pattern, write_stdout, BUFFER},
    exit::{Die, LOCAL, NO_PROTOCOL, RESET, USAGE},
    node::{self, protocol, BehaviourEvent, Control, Node},
    number, usage, Options,
};

pub fn parse_addr(s: &str) -> Result<(PeerId, Multiaddr), Die> {
    let addr: Multiaddr = s.parse().map_err(|e| Die(USAGE, format!("{s}: {e}")))?;
    match addr.iter().last() {
        Some(Protocol::P2p(id)) => Ok((id, addr)),
        _ => Err(Die(USAGE, format!("{s}: it does not end in /p2p/ID"))),
    }
}

fn quoted(s: impl ToString) -> String {
    let mut out = String::from("\"");
    for c in s.to_string().chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

fn list<T: ToString>(items: &[T]) -> String {
    format!(
        "[{}]",
        items
            .iter()
            .map(|i| quoted(i.to_string()))
            .collect::<Vec<_>>()
            .join(",")
    )
}

fn show(info: &identify::Info) -> String {
    format!(
        "{{\"peer\":{},\"agent\":{},\"protocolVersion\":{},\"protocols\":{},\"listenAddrs\":{},\"observedAddr\":{},\"signedPeerRecord\":{}}}\n",
        quoted(info.public_key.to_peer_id()),
        quoted(&info.agent_version),
        quoted(&info.protocol_version),
        list(&info.protocols),
        list(&info.listen_addrs),
        quoted(&info.observed_addr),
        info.signed_peer_record.is_some(),
    )
}

async fn pings(node: &mut Node, mut n: u64) -> Result<(), Die> {
    while n > 0 {
        match node.events.recv().await {
            Some(SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { result, .. }))) => {
                match result {
                    Ok(rtt) => {
                        write_stdout(format!("{}\n", rtt.as_micros()).as_bytes())?;
                        n -= 1;
                    }
                    Err(ping::Failure::Unsupported) => {
                        return Err(Die(
                            NO_PROTOCOL,
                            "ping: the peer does not support it".into(),
                        ));
                    }
                    Err(e) => return Err(Die(RESET, format!("ping: {e}"))),
                }
            }
            Some(SwarmEvent::ConnectionClosed { .. }) => {
                return Err(Die(RESET, "ping: the connection closed".into()))
            }
            Some(_) => {}
            None => return Err(Die(LOCAL, "the swarm ended".into())),
        }
    }
    Ok(())
}

/// Is the stream still open for writing? rust's yamux reports a reset to readers as an end of the
/// stream; only a write shows the difference, and only before a half-close.
async fn writable(w: &mut (impl AsyncWrite + Unpin)) -> Result<(), Die> {
    let mut probe = pin!(w.write(&[]));
    std::future::poll_fn(|cx| match probe.as_mut().poll(cx) {
        Poll::Ready(Err(e)) => Poll::Ready(Err(reset(e))),
        _ => Poll::Ready(Ok(())),
    })
    .await
}

async fn raw(s: Stream) -> Result<(), Die> {
    let (mut r, mut w) = tokio::io::split(s.compat());
    let ended = Arc::new(Notify::new());
    let read_ended = ended.clone();
    let up = async {
        let mut input = stdin();
        loop {
            tokio::select! {
                chunk = input.recv() => match chunk {
                    Some(Ok(bytes)) => w.write_all(&bytes).await.map_err(reset)?,
                    Some(Err(e)) => return Err(Die(LOCAL, format!("stdin: {e}"))),
                    None => return w.shutdown().await.map_err(reset),
                },
                _ = ended.notified() => writable(&mut w).await?,
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; BUFFER];
        loop {
            match r.read(&mut buffer).await.map_err(reset)? {
                0 => {
                    read_ended.notify_one();
                    return Ok(());
                }
                n => write_stdout(&buffer[..n])?,
            }
        }
    };
    tokio::try_join!(up, down).map(|_| ())
}

async fn one_of_many(control: Control, peer: PeerId, name: String, n: u64) -> Result<String, Die> {
    let s = control.open(peer, protocol(&name)?).await?;
    let (r, mut w) = tokio::io::split(s.compat());
    let up = async {
        write_pattern(&mut w, n).await.map_err(reset)?;
        w.shutdown().await.map_err(reset)
    };
    let down = async {
        let mut line = String::new();
        BufReader::new(r)
            .read_line(&mut line)
            .await
            .map_err(reset)?;
        if line.is_empty() {
            Err(reset("no line came"))
        } else {
            Ok(line)
        }
    };
    let (_, line) = tokio::try_join!(up, down)?;
    Ok(line)
}

pub async fn dial(o: &Options, key: Keypair, args: &[&str]) -> Result<(), Die> {
    let (peer, addr) = parse_addr(args[0])?;
    let interval = Duration::from_millis(if args[1] == "ping" { 1 } else { 15000 });
    let mut node = node::start(
        o,
        key,
        None,
        vec![],
        ping::Config::new().with_interval(interval),
    )?;
    match &args[1..] {
        ["ping", n] => {
            let n = number(n)?;
            node.connect(peer, &addr).await?;
            pings(&mut node, n).await?;
        }
        ["identify"] => {
            node.connect(peer, &addr).await?;
            write_stdout(show(&node.identified().await?).as_bytes())?;
        }
        ["raw", name] => {
            let name = protocol(name)?;
            node.connect(peer, &addr).await?;
            let s = node.control.open(peer, name).await?;
            tokio::spawn(raw(s))
                .await
                .unwrap_or_else(|e| Err(Die(LOCAL, e.to_string())))?;
            node.control.flush(peer).await;
        }
        ["resetafter", name, n] => {
            let (name, n) = (protocol(name)?, number(n)?);
            node.connect(peer, &addr).await?;
            let mut s = node.control.open(peer, name).await?.compat();
            write_pattern(&mut s, n).await.map_err(reset)?;
            drop(s); // open, so it is reset
            node.control.flush(peer).await;
        }
        ["many", name, k, n] => {
            let (k, n) = (number(k)?, number(n)?);
            node.connect(peer, &addr).await?;
            let all: Vec<_> = (0..k)
                .map(|_| tokio::spawn(one_of_many(node.control.clone(), peer, name.to_string(), n)))
                .collect();
            for one in all {
                let line = one.await.map_err(|e| Die(LOCAL, e.to_string()))??;
                write_stdout(line.as_bytes())?;
            }
        }
        _ => return Err(usage()),
    }
    node.leave(peer).await;
    Ok(())
}

/// Opens k connections, each from an identity of its own, and holds them.
pub async fn idle(o: &Options, to: &str, k: u64) -> Result<(), Die> {
    let (peer, addr) = parse_addr(to)?;
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|e| Die(LOCAL, e.to_string()))?;
    let mut controls = vec![];
    for _ in 0..k {
        let mut node = node::start(
            o,
            Keypair::generate_ed25519(),
            None,
            vec![],
            ping::Config::new(),
        )?;
        node.connect(peer, &addr).await?;
        node.identified().await?;
        controls.push(node.control);
        // its events would accumulate
        let mut events = node.events;
        tokio::spawn(async move { while events.recv().await.is_some() {} });
    }
    write_stdout(b"ready\n")?;
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
