import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MTPS, mtpOf } from '../../src/usp/mtp/index.ts'

const SRC = resolve(import.meta.dirname, '../../src')
const MTP = 'usp/mtp/'
/** Rooms that work with any MTP. */
const NEUTRAL = ['usp/controller/', 'planner/', 'operations/', 'domain/']

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return files(path)
    return path.endsWith('.ts') ? [path] : []
  })
}

const sources = files(SRC).map((path) => ({
  path,
  name: relative(SRC, path).split(sep).join('/'),
  text: readFileSync(path, 'utf8'),
}))

/** Returns the files of `src` that a file imports, and the packages by their names. */
function importsOf({ path, text }: { path: string; text: string }): string[] {
  return [...text.matchAll(/\bfrom\s+'([^']+)'/g)].map(([, specifier = '']) =>
    specifier.startsWith('.')
      ? relative(SRC, resolve(dirname(path), specifier))
          .split(sep)
          .join('/')
      : specifier,
  )
}

/** Returns the folder of the MTP that a file of `src` belongs to; undefined for all other files. */
function folderOf(name: string): string | undefined {
  const [folder = '', ...rest] = name.startsWith(MTP) ? name.slice(MTP.length).split('/') : []
  return rest.length === 0 ? undefined : folder
}

describe('the folder of an MTP', () => {
  it('is known to the other files of usp/mtp by its index.ts alone, and to nobody else', () => {
    const broken = sources.flatMap((source) =>
      importsOf(source)
        .filter((target) => folderOf(target) !== undefined && folderOf(target) !== folderOf(source.name))
        .filter((target) => !source.name.startsWith(MTP) || target !== `${MTP}${folderOf(target)}/index.ts`)
        .map((target) => `${source.name} -> ${target}`),
    )
    expect(broken).toEqual([])
  })

  it('alone knows its package, subprotocol and close codes', () => {
    const outside = sources.filter(({ name }) => folderOf(name) !== 'websocket')
    expect(outside.filter((source) => importsOf(source).includes('ws')).map(({ name }) => name)).toEqual([])
    const knowing = outside.filter(({ text }) => /v1\.usp|\b10(?:03|06|08|13)\b/.test(text))
    const rooms = ['usp/controller/', 'usp/agent/', 'planner/']
    expect(knowing.map(({ name }) => name).filter((name) => rooms.some((room) => name.startsWith(room)))).toEqual([])
  })

  it.each(NEUTRAL)('is not named in %s', (room) => {
    const naming = sources.filter(({ name, text }) => name.startsWith(room) && /web_?socket/i.test(text))
    expect(naming.map(({ name }) => name)).toEqual([])
    expect(sources.some(({ name }) => name.startsWith(room))).toBe(true)
  })
})

describe('the table of MTPs', () => {
  it.each(MTPS)('has a row of $protocol that is complete', ({ protocol, needed, host, secret }) => {
    expect(mtpOf(protocol).protocol).toBe(protocol)
    const address = { host: 'controller.example', port: 8443, path: '/usp', tls: true }
    expect(needed[host]?.(address, 'x'.repeat(22))).toBe('controller.example')
    expect(needed[secret]?.(address, 'x'.repeat(22))).toMatch(/\/x{22}$/)
  })

  it('gives a plan that names none the first one, and refuses a name that it does not have', () => {
    expect(mtpOf(undefined)).toBe(MTPS[0])
    expect(() => mtpOf('pigeon')).toThrow('there is no MTP pigeon')
  })
})
