import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createIdSource, systemClock, systemRandom } from '../../src/base/index.ts'
import { ensureFirstKey, tellFirstKey } from '../../src/cli/parts/first-key.ts'
import { type ApiKey, type ApiKeyStore, matchesApiKey, splitApiKey } from '../../src/security/index.ts'
import { createMemoryApiKeys } from '../support/memory-api-keys.ts'

let dataDir: string
let keys: Map<string, ApiKey>
let isBroken: boolean
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'isthmus-first-key-'))
  keys = new Map()
  isBroken = false
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const stored = () => [...keys.values()]
const apiKeys = (): ApiKeyStore => {
  const store = createMemoryApiKeys(keys)
  return {
    ...store,
    put: async (key) => {
      if (isBroken) throw new Error('the database is gone')
      await store.put(key)
    },
  }
}
const ensure = (firstApiKey?: string) =>
  ensureFirstKey({
    dataDir,
    ...(firstApiKey === undefined ? {} : { firstApiKey }),
    apiKeys: apiKeys(),
    random: systemRandom,
    newId: createIdSource(systemClock, systemRandom),
    clock: systemClock,
  })
const file = () => join(dataDir, 'first-api-key')
const secretOf = (text: string | undefined) => splitApiKey(text ?? '')?.secret ?? ''
const said = (first: { key: string | undefined; file: string | undefined }, isTerminal: boolean) => {
  const lines: string[] = []
  tellFirstKey({ firstKey: first.key, firstKeyFile: first.file }, isTerminal, (line) => lines.push(line))
  return lines.join('\n')
}

it('is stored once, with its text in a file that its owner alone reads', async () => {
  const first = await ensure()
  expect(first.file).toBe(file())
  expect(readFileSync(file(), 'utf8').trim()).toBe(first.key)
  if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(stored().map((key) => matchesApiKey(key, secretOf(first.key)))).toEqual([true])
  expect(await ensure()).toEqual({ key: undefined, file: file() })
  expect(stored()).toHaveLength(1)
})

it('is the same after a cut between the file and the database', async () => {
  isBroken = true
  await expect(ensure()).rejects.toThrow('gone')
  const text = readFileSync(file(), 'utf8').trim()
  isBroken = false
  expect((await ensure()).key).toBe(text)
  expect(matchesApiKey(stored()[0] as ApiKey, secretOf(text))).toBe(true)
})

it('is shown on a terminal, and its file goes', async () => {
  const first = await ensure()
  expect(said(first, true)).toContain(first.key)
  expect(existsSync(file())).toBe(false)
  expect(said(await ensure(), true)).toBe('')
})

it('is never said where it may be kept as a log; its file is named at each start until it is gone', async () => {
  const first = await ensure()
  expect(said(first, false)).toBe(`The first API key is in ${file()}; remove the file when you have the key.`)
  expect(said(await ensure(), true)).toContain(file())
  rmSync(file())
  expect(said(await ensure(), false)).toBe('')
})

it('that is given is stored and neither kept nor said', async () => {
  const given = 'isthmus_0123456789ab_abcdefghijklmnopqrstuvwx'
  const first = await ensure(given)
  expect(matchesApiKey(stored()[0] as ApiKey, secretOf(given))).toBe(true)
  expect(first).toEqual({ key: undefined, file: undefined })
  expect(said(first, true)).toBe('')
  await expect(ensureGiven('nonsense')).rejects.toThrow(/the form is isthmus_/)
})

function ensureGiven(text: string) {
  keys.clear()
  return ensure(text)
}
