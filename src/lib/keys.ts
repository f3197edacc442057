import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SECRET_CHARACTERS = 30
const CHECKSUM_CHARACTERS = 6
const KEY = /^ltl_(live|test)_([0-9A-Za-z]{30})([0-9A-Za-z]{6})$/

export type KeyMode = 'live' | 'test'

/** Returns `ltl_<mode>_` + 30 random base62 characters (178 bits) + 6 characters of the CRC32 of all before. */
export function newApiKey(mode: KeyMode): string {
  const secret = Array.from({ length: SECRET_CHARACTERS }, () => BASE62[randomInt(BASE62.length)]).join('')
  return apiKeyOf(mode, secret)
}

export const apiKeyOf = (mode: KeyMode, secret: string): string => withChecksum(`ltl_${mode}_${secret}`)

/** Whether form and checksum are valid, so that a mistyped or invented key is refused without a look-up. */
export function isApiKey(text: string): boolean {
  return KEY.test(text) && withChecksum(text.slice(0, -CHECKSUM_CHARACTERS)) === text
}

const withChecksum = (body: string): string => body + base62(crc32(body)).padStart(CHECKSUM_CHARACTERS, '0')

const base62 = (value: number): string =>
  value < BASE62.length
    ? (BASE62[value] as string)
    : base62(Math.floor(value / BASE62.length)) + BASE62[value % BASE62.length]
