// SPDX-License-Identifier: MIT

import { readFileSync, writeFileSync } from 'node:fs'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { Die, USAGE } from './exit.js'

const TYPES = { ed25519: 'Ed25519', rsa: 'RSA', secp256k1: 'secp256k1', ecdsa: 'ECDSA' }

export async function readKey (file) {
  if (file == null) return generateKeyPair('Ed25519')
  const bytes = readFileSync(file)
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (err) {
    throw new Die(USAGE, `${file}: ${err.message}`)
  }
}

export const showId = key => peerIdFromPrivateKey(key).toString()

export async function newKey (type, file) {
  if (TYPES[type] == null) throw new Die(USAGE, `no such type of key: ${type}`)
  if (type === 'ecdsa') throw new Die(USAGE, 'js-libp2p has no ECDSA peer ids')
  const key = await generateKeyPair(TYPES[type])
  writeFileSync(file, privateKeyToProtobuf(key), { mode: 0o600, flag: 'wx' })
  return showId(key)
}
