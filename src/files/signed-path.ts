import { type Mac, TimedCodes } from '../security/index.ts'

/** A file by its kind and id, and the name that its address ends in. */
export interface FileAddress {
  kind: string
  id: string
  name: string
}

const PURPOSE = 'address of a file'
const FORM = /^[A-Za-z0-9._-]{1,64}$/
const PATH =
  /\/files\/([A-Za-z0-9._-]{1,64})\/([A-Za-z0-9._-]{1,64})\/([0-9a-z]{1,10}\.[0-9a-f]{32})\/([A-Za-z0-9._-]{1,64})$/

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
  return `/files/${file.kind}/${file.id}/${new TimedCodes(PURPOSE, mac).of(textOf(file), until)}/${file.name}`
}

/**
 * Returns the file that a path names; undefined for a path of another form, one that this server has not signed, and one
 * whose time is over. A reverse proxy may have put a path of its own before `/files/`.
 */
export function readSignedPath(path: string, now: number, mac: Mac): FileAddress | undefined {
  const [, kind = '', id = '', code = '', name = ''] = PATH.exec(path) ?? []
  const file = { kind, id, name }
  return new TimedCodes(PURPOSE, mac).isGood(code, textOf(file), now) ? file : undefined
}

function textOf({ kind, id, name }: FileAddress): string {
  return JSON.stringify(['GET', kind, id, name])
}
