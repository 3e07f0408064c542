// SPDX-License-Identifier: MIT

import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { Die, NO_PROTOCOL, REFUSED, RESET, UNREACHABLE, USAGE } from './exit.js'
import { readKey } from './key.js'
import { StreamReader } from './streams.js'

export const PING = '/ipfs/ping/1.0.0'
export const MANY = 2048 // streams of one protocol; js's own limit is 32 in and 64 out

export async function newNode (o, listen = []) {
  return createLibp2p({
    privateKey: await readKey(o.key),
    addresses: { listen, announce: o.announce ?? [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // a benchmark opens hundreds of connections from one address
    connectionManager: { maxConnections: 100000, inboundConnectionThreshold: 100000, maxIncomingPendingConnections: 1000 },
    nodeInfo: { userAgent: 'interop-js/3.3.11' },
    services: { identify: identify(), identifyPush: identifyPush(), ping: ping() }
  })
}

export function parseAddr (s) {
  try {
    return multiaddr(s)
  } catch (err) {
    throw new Die(USAGE, `${s}: ${err.message}`)
  }
}

// js reports a wrong peer only in the text of the error; and an id that is a hash (RSA, ECDSA) is
// not compared when it dials, so it is compared here.
export async function connect (node, addr) {
  let conn
  try {
    conn = await node.dial(addr, { signal: AbortSignal.timeout(20000) })
  } catch (err) {
    const wrong = /does not match expected/.test(err.message) || err.name === 'UnexpectedPeerError'
    if (wrong) throw new Die(REFUSED, `${addr}: another peer is there`)
    throw new Die(UNREACHABLE, `${addr}: ${err.message}`)
  }
  const expected = addr.getComponents().findLast(c => c.name === 'p2p')?.value
  if (expected != null && !conn.remotePeer.equals(peerIdFromString(expected))) {
    conn.abort(new Error('wrong peer'))
    throw new Die(REFUSED, `${addr}: another peer is there`)
  }
  return conn
}

export async function openStream (conn, proto) {
  try {
    const s = await conn.newStream(proto, { maxOutboundStreams: MANY, signal: AbortSignal.timeout(20000) })
    s.maxReadBufferLength = Infinity // bounded by the window; while paused js would reset the stream at 4 MiB
    return s
  } catch (err) {
    if (err.name === 'UnsupportedProtocolError') throw new Die(NO_PROTOCOL, `${proto}: the peer does not support it`)
    throw new Die(RESET, `${proto}: ${err.message}`)
  }
}

// flush waits until the peer has received all that was written before: any answer
// on another stream, even a refusal, shows that it arrived.
export async function flush (conn) {
  try {
    const s = await conn.newStream(PING, { maxOutboundStreams: MANY, signal: AbortSignal.timeout(10000) })
    const r = new StreamReader(s)
    s.send(new Uint8Array(32))
    await Promise.race([r.exactly(32), new Promise(resolve => setTimeout(resolve, 10000).unref())])
    await s.close()
  } catch {}
}
