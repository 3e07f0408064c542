// SPDX-License-Identifier: MIT

use libp2p::{
    identity::Keypair,
    ping,
    swarm::{Stream, SwarmEvent},
};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use crate::{
    data::{each, reset, write_pattern, write_stdout, BUFFER},
    exit::{Die, LOCAL},
    node::{self, protocol},
    Options,
};

const ECHO: &str = "/test/echo/1.0.0";
const SINK: &str = "/test/sink/1.0.0";
const SOURCE: &str = "/test/source/1.0.0";
const RESET: &str = "/test/reset/1.0.0";
const HOLD: &str = "/test/hold/1.0.0";

async fn echo(mut s: Compat<Stream>) -> Result<(), Die> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = s.read(&mut buffer).await.map_err(reset)?;
        if n == 0 {
            return s.shutdown().await.map_err(reset);
        }
        s.write_all(&buffer[..n]).await.map_err(reset)?;
        s.flush().await.map_err(reset)?;
    }
}

async fn sink(mut s: Compat<Stream>) -> Result<(), Die> {
    let mut sum = Sha256::new();
    each(&mut s, |bytes| {
        sum.update(bytes);
        Ok(())
    })
    .await?;
    let line = format!("{:x}\n", sum.finalize());
    s.write_all(line.as_bytes()).await.map_err(reset)?;
    s.shutdown().await.map_err(reset)
}

async fn source(s: Compat<Stream>) -> Result<(), Die> {
    let mut s = BufReader::new(s);
    let mut line = String::new();
    (&mut s)
        .take(32)
        .read_line(&mut line)
        .await
        .map_err(reset)?;
    let n = line.trim_end_matches('\n').parse().map_err(reset)?;
    write_pattern(&mut s, n).await.map_err(reset)?;
    s.shutdown().await.map_err(reset)?;
    each(&mut s, |_| Ok(())).await
}

async fn serve(name: &str, s: Stream) -> Result<(), Die> {
    let mut s = s.compat();
    match name {
        ECHO => echo(s).await,
        SINK => sink(s).await,
        SOURCE => source(s).await,
        RESET => {
            let _ = s.read_exact(&mut [0]).await;
            Ok(()) // a stream that is dropped open is reset
        }
        _ => std::future::pending().await, // HOLD; it keeps the stream
    }
}

pub async fn listen(o: &Options, key: Keypair) -> Result<(), Die> {
    let mut names = vec![ECHO, SINK, SOURCE, RESET, HOLD];
    names.extend(o.once_out.as_deref());
    let protocols = names.into_iter().map(protocol).collect::<Result<_, _>>()?;
    let at = if o.ip6 {
        "/ip6/::1/tcp/0"
    } else {
        "/ip4/127.0.0.1/tcp/0"
    }
    .parse()
    .expect("an address");
    let mut node = node::start(o, key, Some(at), protocols, ping::Config::new())?;
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|e| Die(LOCAL, e.to_string()))?;
    let mut taken = false;
    let (through_in, mut through) = tokio::sync::mpsc::channel(1);
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            _ = tokio::signal::ctrl_c() => return Ok(()),
            Some(end) = through.recv() => return end,
            Some(e) = node.events.recv() => match e {
                SwarmEvent::NewListenAddr { address, .. } => write_stdout(format!("{address}/p2p/{}\n", node.id).as_bytes())?,
                SwarmEvent::ListenerError { error, .. } => return Err(Die(LOCAL, error.to_string())),
                _ => {}
            },
            Some((peer, name, stream)) = node.inbound.recv() => {
                if o.once_out.as_deref() != Some(name.as_ref()) {
                    tokio::spawn(async move { serve(name.as_ref(), stream).await });
                } else if !taken {
                    taken = true;
                    let (control, through) = (node.control.clone(), through_in.clone());
                    tokio::spawn(async move {
                        let mut s = stream.compat();
                        let mut end = each(&mut s, write_stdout).await;
                        if end.is_ok() {
                            end = s.shutdown().await.map_err(reset);
                            control.flush(peer).await;
                        }
                        let _ = through.send(end).await;
                    });
                }
            }
        }
    }
}
