// SPDX-License-Identifier: MIT

//! A rust-libp2p peer for the interoperability tests and the benchmarks.
//! Its command line is that of ../README.md, the same as the Go and JavaScript peers'.

mod data;
mod dial;
mod exit;
mod node;
mod serve;
mod streams;

use std::{io::Write, os::unix::fs::OpenOptionsExt};

use exit::{Die, LOCAL, USAGE};
use libp2p::{identity::Keypair, Multiaddr};

#[derive(Default)]
pub struct Options {
    key: Option<String>,
    once_out: Option<String>,
    announce: Vec<Multiaddr>,
    ip6: bool,
    tls: bool, // propose and accept TLS too, before Noise
}

pub fn usage() -> Die {
    Die(
        USAGE,
        "usage: peer listen [--key FILE] [--ip6] [--announce ADDR] [--once-out PROTO] [--tls|--noise] | \
         dial [--key FILE] [--tls|--noise] ADDR ping N|identify|raw PROTO|resetafter PROTO N|many PROTO K N | \
         idle ADDR K | newkey ed25519|secp256k1|ecdsa FILE | id FILE"
            .into(),
    )
}

pub fn number(s: &str) -> Result<u64, Die> {
    s.parse()
        .map_err(|_| Die(USAGE, format!("not a number: {s}")))
}

fn parse_options(args: &[String]) -> Result<(Options, Vec<&str>), Die> {
    let mut o = Options::default();
    let mut rest = vec![];
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(usage);
        match arg.as_str() {
            "--key" => o.key = Some(value()?),
            "--once-out" => o.once_out = Some(value()?),
            "--announce" => {
                let a = value()?;
                o.announce
                    .push(a.parse().map_err(|e| Die(USAGE, format!("{a}: {e}")))?);
            }
            "--ip6" => o.ip6 = true,
            "--tls" => o.tls = true,
            "--noise" => o.tls = false,
            s if s.starts_with("--") => return Err(usage()),
            s => rest.push(s),
        }
    }
    Ok((o, rest))
}

fn read_key(file: Option<&str>) -> Result<Keypair, Die> {
    let Some(file) = file else {
        return Ok(Keypair::generate_ed25519());
    };
    let bytes = std::fs::read(file).map_err(|e| Die(LOCAL, format!("{file}: {e}")))?;
    Keypair::from_protobuf_encoding(&bytes).map_err(|e| Die(USAGE, format!("{file}: {e}")))
}

fn new_key(kind: &str, file: &str) -> Result<Keypair, Die> {
    let key = match kind {
        "ed25519" => Keypair::generate_ed25519(),
        "secp256k1" => Keypair::generate_secp256k1(),
        "ecdsa" => Keypair::generate_ecdsa(),
        "rsa" => return Err(Die(USAGE, "rust-libp2p makes no RSA keys".into())),
        _ => return Err(Die(USAGE, format!("no such type of key: {kind}"))),
    };
    let bytes = key
        .to_protobuf_encoding()
        .map_err(|e| Die(LOCAL, e.to_string()))?;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut f| f.write_all(&bytes))
        .map_err(|e| Die(LOCAL, format!("{file}: {e}")))?;
    Ok(key)
}

async fn run(all: &[String]) -> Result<(), Die> {
    let (cmd, all) = all.split_first().ok_or_else(usage)?;
    let (o, args) = parse_options(all)?;
    match (cmd.as_str(), args.as_slice()) {
        ("listen", []) => serve::listen(&o, read_key(o.key.as_deref())?).await,
        ("dial", args) if args.len() >= 2 => {
            dial::dial(&o, read_key(o.key.as_deref())?, args).await
        }
        ("idle", [addr, k]) => dial::idle(&o, addr, number(k)?).await,
        ("newkey", [kind, file]) => data::write_stdout(
            format!("{}\n", new_key(kind, file)?.public().to_peer_id()).as_bytes(),
        ),
        ("id", [file]) => data::write_stdout(
            format!("{}\n", read_key(Some(file))?.public().to_peer_id()).as_bytes(),
        ),
        _ => Err(usage()),
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Err(Die(code, text)) = run(&args).await {
        eprintln!("peer: {}", text.lines().next().unwrap_or("failed"));
        std::process::exit(code);
    }
    std::process::exit(0); // a thread may still be reading stdin
}
