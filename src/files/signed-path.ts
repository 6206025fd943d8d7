import { timingSafeEqual } from 'node:crypto'

/** A file by its kind and id, and the name that its address ends in. */
export interface FileAddress {
  kind: string
  id: string
  name: string
}

/** Makes a message authentication code in hex for a purpose; the key outlives this process. */
export type Mac = (purpose: string, text: string) => string

const PURPOSE = 'address of a file'
/** Hex digits of a code: 128 bits. */
const CODE_DIGITS = 32
const FORM = /^[A-Za-z0-9._-]{1,64}$/
const PATH =
  /\/files\/([A-Za-z0-9._-]{1,64})\/([A-Za-z0-9._-]{1,64})\/([0-9a-z]{1,10})\.([0-9a-f]{32})\/([A-Za-z0-9._-]{1,64})$/

/** Returns true for a path that has the form of the address of a file, signed or not. */
export function isFilePath(path: string): boolean {
  return PATH.test(path)
}

/**
 * Returns the path of a file, signed until a time in milliseconds. Its parts are 1 to 64 letters, digits, dots, `_` and
 * `-` each; anything else is a defect of the caller.
 */
export function signedPath(file: FileAddress, until: number, mac: Mac): string {
  for (const part of [file.kind, file.id, file.name])
    if (!FORM.test(part)) throw new Error(`a part of the address of a file has another form: ${part.slice(0, 64)}`)
  return `/files/${file.kind}/${file.id}/${until.toString(36)}.${codeOf(file, until, mac)}/${file.name}`
}

/**
 * Returns the file that a path names; undefined for a path of another form, one that this server has not signed, and one
 * whose time is over. A reverse proxy may have put a path of its own before `/files/`.
 */
export function readSignedPath(path: string, now: number, mac: Mac): FileAddress | undefined {
  const [, kind = '', id = '', time = '', code = '', name = ''] = PATH.exec(path) ?? []
  if (code === '') return undefined
  const until = Number.parseInt(time, 36)
  const file = { kind, id, name }
  // The time is judged last, so that a path of others costs the same whatever it says.
  const isOwn = timingSafeEqual(Buffer.from(code), Buffer.from(codeOf(file, until, mac)))
  return isOwn && now < until ? file : undefined
}

function codeOf({ kind, id, name }: FileAddress, until: number, mac: Mac): string {
  return mac(PURPOSE, JSON.stringify(['GET', kind, id, name, until])).slice(0, CODE_DIGITS)
}
