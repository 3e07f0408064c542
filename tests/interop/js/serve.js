// SPDX-License-Identifier: MIT

import { createHash } from 'node:crypto'
import { MANY, flush } from './node.js'
import { StreamReader, sendAll, sendPattern, writeOutput } from './streams.js'

async function echo (s) {
  await new StreamReader(s).each(c => sendAll(s, c))
  await s.close()
}

async function sink (s) {
  const sum = createHash('sha256')
  await new StreamReader(s).each(c => { sum.update(c) })
  await sendAll(s, Buffer.from(sum.digest('hex') + '\n'))
  await s.close()
}

async function source (s) {
  const r = new StreamReader(s)
  const line = await r.line()
  if (!/^[0-9]+$/.test(line)) throw new Error('not a number')
  await sendPattern(s, Number(line))
  await s.close()
  await r.each(() => {})
}

async function reset (s) {
  await new StreamReader(s).exactly(1)
  s.abort(new Error('as asked'))
}

async function hold (s) {
  s.pause() // no window updates from now on
}

// serve registers the test protocols. Its promise is resolved when the stream of onceOut has ended.
export async function serve (node, onceOut) {
  const handle = (proto, fn) => node.handle(proto, async (s, conn) => {
    s.maxReadBufferLength = Infinity // the window bounds it
    try {
      await fn(s, conn)
    } catch (err) {
      if (s.status === 'open' || s.status === 'closing') s.abort(err)
    }
  }, { maxInboundStreams: MANY, maxOutboundStreams: MANY })
  await handle('/test/echo/1.0.0', echo)
  await handle('/test/sink/1.0.0', sink)
  await handle('/test/source/1.0.0', source)
  await handle('/test/reset/1.0.0', reset)
  await handle('/test/hold/1.0.0', hold)
  if (onceOut == null) return { through: new Promise(() => {}) }
  let taken = false
  const through = Promise.withResolvers()
  await handle(onceOut, async (s, conn) => {
    if (taken) throw new Error('taken')
    taken = true
    try {
      await new StreamReader(s).each(writeOutput)
      await s.close()
      await flush(conn)
      through.resolve()
    } catch (err) {
      through.reject(err)
      throw err
    }
  })
  return { through: through.promise }
}
