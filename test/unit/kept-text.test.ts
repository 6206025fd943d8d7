import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { keptSecret, type Random, systemRandom } from '../../src/base/index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-secret-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const kept = (given?: string, random: Random = systemRandom) =>
  keptSecret(join(folder, 'data'), 'server.key', given, random)

it('makes a secret once, for its owner alone, and leaves nothing else behind', () => {
  const secret = kept()
  expect(secret.length).toBeGreaterThanOrEqual(32)
  expect(kept()).toBe(secret)
  expect(readdirSync(join(folder, 'data'))).toEqual(['server.key'])
  if (process.platform !== 'win32') expect(statSync(join(folder, 'data', 'server.key')).mode & 0o777).toBe(0o600)
})

it('uses what it is given and keeps nothing', () => {
  expect(kept('given')).toBe('given')
  expect(readdirSync(folder)).toEqual([])
})

it('never takes a file that was cut off for a secret', () => {
  kept()
  writeFileSync(join(folder, 'data', 'server.key'), '')
  const secret = kept()
  expect(secret.length).toBeGreaterThanOrEqual(32)
  expect(readFileSync(join(folder, 'data', 'server.key'), 'utf8').trim()).toBe(secret)
})

it('gives two that start at once the same', () => {
  let other = ''
  // The other one is through with all of it while this one draws its random bytes.
  const random: Random = {
    ...systemRandom,
    bytes(n) {
      if (other === '') {
        other = 'under way'
        other = kept()
      }
      return systemRandom.bytes(n)
    },
  }
  const mine = kept(undefined, random)
  expect(mine).toBe(other)
})
