// SPDX-License-Identifier: MIT

// Streams and files with back-pressure. js's own iterator over a stream has none, and the
// promise of its onDrain() stays resolved after the first time.

import fs from 'node:fs'
import net from 'node:net'
import { promisify } from 'node:util'
import { Die, LOCAL, RESET } from './exit.js'

const BUFFER = 256 * 1024
const HIGH = 4 * BUFFER

// The pattern's byte i is the low byte of i*2654435761 >> 13, so it repeats every 2^21.
const PERIOD = 1 << 21
const FACTOR = 2654435761 % PERIOD
let patternBytes

function pattern () {
  if (patternBytes == null) {
    patternBytes = new Uint8Array(PERIOD)
    for (let i = 0; i < PERIOD; i++) patternBytes[i] = Math.floor(i * FACTOR / 8192) & 255
  }
  return patternBytes
}

export async function sendPattern (s, n) {
  for (let i = 0; i < n;) {
    const at = i % PERIOD
    const part = pattern().subarray(at, Math.min(at + 64 * 1024, PERIOD, at + n - i))
    await sendAll(s, part)
    i += part.byteLength
  }
}

const reset = s => new Die(RESET, `${s.protocol}: the stream was reset`)

function drained (s) {
  return new Promise((resolve, reject) => {
    const done = () => { clean(); resolve() }
    const gone = () => { clean(); reject(reset(s)) }
    const clean = () => { s.removeEventListener('drain', done); s.removeEventListener('close', gone) }
    s.addEventListener('drain', done)
    s.addEventListener('close', gone)
  })
}

// js puts all that is queued into one frame, up to the window, and rust ends the connection at a
// frame over 1 MiB: so no more than BUFFER bytes are queued at once.
export async function sendAll (s, bytes) {
  for (let at = 0; at < bytes.byteLength; at += BUFFER) {
    if (s.writeStatus !== 'writable') throw reset(s)
    if (s.send(bytes.subarray(at, at + BUFFER))) continue
    while (s.writableNeedsDrain && s.writeStatus === 'writable') await drained(s)
  }
}

// StreamReader returns a stream's bytes, and distinguishes a half-close from a stream that was cut off:
// a closed connection ends js's streams without an error.
export class StreamReader {
  #chunks = []
  #size = 0
  #wake
  #ended = false
  #clean = false
  #stream

  constructor (s) {
    this.#stream = s
    if (s.status !== 'open' && s.status !== 'closing' && s.readBufferLength === 0) {
      this.#ended = true
      this.#clean = s.status === 'closed'
      return
    }
    this.#clean = s.remoteWriteStatus === 'closed'
    s.addEventListener('remoteCloseWrite', () => { this.#clean = true })
    s.addEventListener('end', () => this.#end())
    s.addEventListener('close', e => {
      if (e.error != null) this.#clean = false
      this.#end()
    })
    s.addEventListener('message', e => {
      this.#chunks.push(e.data.subarray())
      this.#size += e.data.byteLength
      if (this.#size > HIGH) this.#try('pause')
      this.#wake?.()
    })
    if (s.readableEnded) this.#ended = true
  }

  #end () {
    this.#ended = true
    this.#wake?.()
  }

  // pausing throws where the other end has closed already
  #try (what) {
    try {
      this.#stream[what]()
    } catch {}
  }

  // the next bytes, or null at a clean end
  async next () {
    while (this.#chunks.length === 0) {
      if (this.#ended && this.#stream.readBufferLength === 0) {
        // a reset is reported first as an end and then as a close
        await new Promise(resolve => setImmediate(resolve))
        if (this.#clean) return null
        throw reset(this.#stream)
      }
      await new Promise(resolve => { this.#wake = resolve })
    }
    const chunk = this.#chunks.shift()
    this.#size -= chunk.byteLength
    if (this.#size <= HIGH / 2 && this.#stream.readStatus === 'paused') this.#try('resume')
    return chunk
  }

  async each (take) {
    for (let c; (c = await this.next()) != null;) await take(c)
  }

  // n bytes, or null if the stream ended before
  async exactly (n) {
    let got = Buffer.alloc(0)
    while (got.length < n) {
      const c = await this.next()
      if (c == null) return null
      got = Buffer.concat([got, c])
    }
    if (got.length > n) this.#putBack(got.subarray(n))
    return got.subarray(0, n)
  }

  // a line without its newline
  async line () {
    let got = Buffer.alloc(0)
    while (!got.includes(10)) {
      const c = await this.next()
      if (c == null || got.length > 4096) throw new Die(RESET, `${this.#stream.protocol}: no line came`)
      got = Buffer.concat([got, c])
    }
    const end = got.indexOf(10)
    if (end + 1 < got.length) this.#putBack(got.subarray(end + 1))
    return got.subarray(0, end).toString()
  }

  #putBack (bytes) {
    this.#chunks.unshift(bytes)
    this.#size += bytes.length
  }
}

const read = promisify(fs.read)
const write = promisify(fs.write)

// readInput passes stdin to take. A pipe is read as a socket, because a thread that is blocked in read
// would keep the process from exiting.
export async function readInput (take) {
  const st = fs.fstatSync(0)
  if (st.isFIFO() || st.isSocket()) {
    for await (const chunk of new net.Socket({ fd: 0, readable: true, writable: false, readableHighWaterMark: BUFFER })) await take(chunk)
    return
  }
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(BUFFER) // libp2p keeps what it was given
    const { bytesRead } = await read(0, buffer, 0, BUFFER, null)
    if (bytesRead === 0) return
    await take(buffer.subarray(0, bytesRead))
  }
}

export async function writeOutput (chunk) {
  for (let at = 0; at < chunk.byteLength;) {
    try {
      at += (await write(1, chunk, at, chunk.byteLength - at, null)).bytesWritten
    } catch (err) {
      if (err.code !== 'EAGAIN') throw new Die(LOCAL, `stdout: ${err.message}`)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
}
