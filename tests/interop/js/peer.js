// SPDX-License-Identifier: MIT

// A js-libp2p peer for the interoperability tests and the benchmarks.
// Its command line is that of ../README.md, the same as the Go and Rust peers'.

import { writeFileSync } from 'node:fs'
import { Die, LOCAL, RESET, UNREACHABLE, USAGE } from './exit.js'
import { readKey, newKey, showId } from './key.js'
import { PING, newNode, parseAddr, connect, openStream, flush } from './node.js'
import { StreamReader, readInput, writeOutput, sendAll, sendPattern } from './streams.js'
import { serve } from './serve.js'

const USAGE_TEXT = 'usage: peer listen [--key FILE] [--ip6] [--announce ADDR] [--once-out PROTO] | ' +
  'dial [--key FILE] ADDR ping N|identify|raw PROTO|resetafter PROTO N|many PROTO K N | ' +
  'idle ADDR K | newkey ed25519|rsa|secp256k1|ecdsa FILE | id FILE'

const usage = () => new Die(USAGE, USAGE_TEXT)

function number (s) {
  if (!/^[0-9]+$/.test(s)) throw new Die(USAGE, `not a number: ${s}`)
  return Number(s)
}

function parseOptions (args) {
  const o = { announce: [] }
  const rest = []
  for (let i = 0; i < args.length; i++) {
    const value = () => {
      if (++i >= args.length) throw usage()
      return args[i]
    }
    switch (args[i]) {
      case '--key': o.key = value(); break
      case '--once-out': o.onceOut = value(); break
      case '--announce': o.announce.push(value()); break
      case '--ip6': o.ip6 = true; break
      case '--noise': break // there is nothing else here
      default:
        if (args[i].startsWith('--')) throw usage()
        rest.push(args[i])
    }
  }
  return [o, rest]
}

function untilTerm () {
  const idle = setInterval(() => {}, 1 << 30)
  return new Promise(resolve => {
    for (const s of ['SIGTERM', 'SIGINT']) {
      process.once(s, () => { clearInterval(idle); resolve() })
    }
  })
}

// a stream that is stuck must not keep the process
const stop = nodes => Promise.race([
  Promise.all(nodes.map(node => node.stop())),
  new Promise(resolve => setTimeout(resolve, 3000))
])

const print = line => writeFileSync(1, line + '\n')

async function listen (o) {
  const node = await newNode(o, [o.ip6 ? '/ip6/::1/tcp/0' : '/ip4/127.0.0.1/tcp/0'])
  const { through } = await serve(node, o.onceOut)
  const bare = node.components.transportManager.getAddrs()[0] // not what --announce says
  print(`${bare}/p2p/${node.peerId}`)
  await Promise.race([untilTerm(), through])
  await stop([node])
}

async function dialPing (conn, n) {
  const s = await openStream(conn, PING)
  const r = new StreamReader(s)
  for (; n > 0; n--) {
    const data = crypto.getRandomValues(new Uint8Array(32))
    const start = process.hrtime.bigint()
    s.send(data)
    const back = await r.exactly(32)
    if (back == null) throw new Die(RESET, 'ping: ended early')
    print((process.hrtime.bigint() - start) / 1000n)
    if (Buffer.compare(data, back) !== 0) throw new Die(RESET, 'ping: other bytes came back')
  }
  await s.close()
}

async function dialIdentify (node, addr) {
  const done = new Promise((resolve, reject) => {
    node.addEventListener('peer:identify', e => resolve(e.detail))
    setTimeout(() => reject(new Die(UNREACHABLE, 'identify: no answer')), 20000).unref()
  })
  done.catch(() => {})
  await connect(node, addr)
  const r = await done
  print(JSON.stringify({
    peer: r.peerId.toString(),
    agent: r.agentVersion ?? '',
    protocolVersion: r.protocolVersion ?? '',
    protocols: r.protocols,
    listenAddrs: r.listenAddrs.map(String),
    observedAddr: r.observedAddr?.toString() ?? '',
    signedPeerRecord: r.signedPeerRecord != null
  }))
}

async function dialRaw (conn, proto) {
  const s = await openStream(conn, proto)
  const upward = async () => {
    await readInput(chunk => sendAll(s, chunk))
    await s.close()
  }
  await Promise.all([upward(), new StreamReader(s).each(writeOutput)])
  await flush(conn)
}

async function dialMany (conn, proto, k, n) {
  await Promise.all(Array.from({ length: k }, async () => {
    const s = await openStream(conn, proto)
    const line = new StreamReader(s).line()
    line.catch(() => {})
    await sendPattern(s, n)
    await s.close()
    print(await line)
  }))
}

async function dial (o, [where, cmd, ...args]) {
  const addr = parseAddr(where)
  const node = await newNode(o)
  const is = (name, n) => cmd === name && args.length === n
  if (is('ping', 1)) {
    await dialPing(await connect(node, addr), number(args[0]))
  } else if (is('identify', 0)) {
    await dialIdentify(node, addr)
  } else if (is('raw', 1)) {
    await dialRaw(await connect(node, addr), args[0])
  } else if (is('resetafter', 2)) {
    const conn = await connect(node, addr)
    const s = await openStream(conn, args[0])
    await sendPattern(s, number(args[1]))
    s.abort(new Error('as asked'))
    await flush(conn)
  } else if (is('many', 3)) {
    await dialMany(await connect(node, addr), args[0], number(args[1]), number(args[2]))
  } else {
    throw usage()
  }
  await stop([node])
}

async function idle (o, where, k) {
  const addr = parseAddr(where)
  const nodes = []
  for (let i = 0; i < k; i++) {
    const node = await newNode({ ...o, key: undefined })
    const identified = new Promise(resolve => node.addEventListener('peer:identify', resolve, { once: true }))
    await connect(node, addr)
    await identified
    nodes.push(node)
  }
  print('ready')
  await untilTerm()
  await stop(nodes)
}

async function main ([cmd, ...all]) {
  const [o, args] = parseOptions(all)
  if (cmd === 'listen' && args.length === 0) return listen(o)
  if (cmd === 'dial' && args.length >= 2) return dial(o, args)
  if (cmd === 'idle' && args.length === 2) return idle(o, args[0], number(args[1]))
  if (cmd === 'newkey' && args.length === 2) return print(await newKey(args[0], args[1]))
  if (cmd === 'id' && args.length === 1) return print(showId(await readKey(args[0])))
  throw usage()
}

main(process.argv.slice(2)).then(() => process.exit(0), err => {
  const line = String(err.message || err).split('\n')[0]
  writeFileSync(2, `peer: ${line}\n`)
  process.exit(typeof err.code === 'number' ? err.code : codeOf(err))
})

function codeOf (err) {
  switch (err.name) {
    case 'StreamResetError': case 'StreamClosedError': case 'StreamStateError': return RESET
    default: return LOCAL
  }
}
