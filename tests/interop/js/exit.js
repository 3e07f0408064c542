// SPDX-License-Identifier: MIT

// Exit codes: those of the project's own tools.
export const LOCAL = 1
export const USAGE = 2
export const UNREACHABLE = 3
export const REFUSED = 4
export const NO_PROTOCOL = 7
export const RESET = 8

export class Die extends Error {
  constructor (code, message) {
    super(message)
    this.name = 'Die'
    this.code = code
  }
}
