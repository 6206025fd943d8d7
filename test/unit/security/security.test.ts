import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/base/index.ts'
import {
  type ChainedEntry,
  type ChainKey,
  chain,
  createSecretBox,
  GENESIS,
  matchesApiKey,
  newApiKey,
  splitApiKey,
  verifyChain,
} from '../../../src/security/index.ts'

const device = createSecretBox('server key', systemRandom)
const mac = (text: string) => device.mac('audit chain', text)
const KEY: ChainKey = { keyedFrom: 1, anchor: GENESIS, mac }

describe('the audit chain', () => {
  function entries(n: number, key = KEY): ChainedEntry[] {
    const list: ChainedEntry[] = []
    for (let i = 0; i < n; i++) {
      const entry = {
        at: i,
        actor: 'system',
        action: 'test',
        target: 'x',
        result: 'ok' as const,
        after: { b: 1, a: i },
      }
      list.push(chain(entry, i + 1, list[i - 1]?.hash ?? GENESIS, key))
    }
    return list
  }

  it('holds as it was written, also when the database returns fields in another order', async () => {
    const list = entries(3).map((entry) => ({ ...entry, after: { a: entry.after?.a, b: entry.after?.b } }))
    expect(await verifyChain(list, KEY)).toEqual({ entries: 3, lastHash: list[2]?.hash })
  })

  it('shows the first entry that was changed, taken out or put in', async () => {
    const list = entries(4)
    const changed = list.map((entry, i) => (i === 2 ? { ...entry, actor: 'mallory' } : entry))
    expect(await verifyChain(changed, KEY)).toEqual({ entries: 2, lastHash: list[1]?.hash, firstBroken: 3 })
    expect(
      await verifyChain(
        list.filter((_, i) => i !== 1),
        KEY,
      ),
    ).toMatchObject({ entries: 1, firstBroken: 3 })
    expect(await verifyChain(list.slice(1), KEY)).toMatchObject({ entries: 0, firstBroken: 2 })
  })

  it('shows an entry that was replaced and hashed again', async () => {
    const list = entries(4)
    const [, second, third] = list as [ChainedEntry, ChainedEntry, ChainedEntry, ChainedEntry]
    const { hash: _hash, previous: _previous, seq: _seq, ...entry } = third
    const forged = chain({ ...entry, actor: 'mallory' }, 3, second.hash, KEY)
    const replaced = list.map((one) => (one.seq === 3 ? forged : one))
    expect(await verifyChain(replaced, KEY)).toEqual({ entries: 3, lastHash: forged.hash, firstBroken: 4 })
    // With the reference mended as well, the hash of the entry behind it is wrong.
    const mended = replaced.map((one) => (one.seq === 4 ? { ...one, previous: forged.hash } : one))
    expect(await verifyChain(mended, KEY)).toEqual({ entries: 3, lastHash: forged.hash, firstBroken: 4 })
    // A chain that begins with an entry of its own does not follow from the start of all.
    const begun = [chain(entry, 1, 'f'.repeat(64), KEY)]
    expect(await verifyChain(begun, KEY)).toEqual({ entries: 0, lastHash: GENESIS, firstBroken: 1 })
  })
})

describe('the key of the audit chain', () => {
  const entry = { at: 1, actor: 'system', action: 'test', target: 'x', result: 'ok' as const }
  /** A chain as it is made with one key up to an entry, and with another from there on. */
  function chained(keys: ChainKey[]): ChainedEntry[] {
    const list: ChainedEntry[] = []
    for (const key of keys) list.push(chain(entry, list.length + 1, list.at(-1)?.hash ?? GENESIS, key))
    return list
  }
  const plain: ChainKey = { ...KEY, keyedFrom: Number.POSITIVE_INFINITY }

  it('shows a chain that was computed again without the key, or with another one', async () => {
    const other: ChainKey = { ...KEY, mac: (text) => createSecretBox('guess', systemRandom).mac('audit chain', text) }
    for (const forged of [plain, other])
      expect(await verifyChain(chained([forged, forged]), KEY)).toMatchObject({ entries: 0, firstBroken: 1 })
  })

  it('begins where the entries of earlier versions end, and the last of those is known', async () => {
    const old = chained([plain, plain])
    const key: ChainKey = { ...KEY, keyedFrom: 3, anchor: old[1]?.hash ?? '' }
    const whole = [...old, chain(entry, 3, key.anchor, key)]
    expect(await verifyChain(whole, key)).toMatchObject({ entries: 3 })
    expect(await verifyChain([...old, chain(entry, 3, key.anchor, plain)], key)).toMatchObject({ firstBroken: 3 })
    // The old part made anew as a whole, with nothing behind it yet.
    const forged = [chain({ ...entry, actor: 'mallory' }, 1, GENESIS, plain)]
    forged.push(chain(entry, 2, forged[0]?.hash ?? '', plain))
    expect(await verifyChain(forged, key)).toMatchObject({ entries: 1, firstBroken: 2 })
  })

  it('is another one for each purpose and each server key', () => {
    const macs = [device.mac('a', 'x'), device.mac('b', 'x'), createSecretBox('other', systemRandom).mac('a', 'x')]
    expect(new Set(macs).size).toBe(3)
    expect(macs[0]).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('API keys', () => {
  it('match by their secret only, and not any more once revoked', () => {
    const { key, text } = newApiKey(systemRandom, '01hxyzabcdefghjk', 'test', 'read', 1)
    const parts = splitApiKey(text)
    expect(parts?.id).toBe(key.id)
    expect(matchesApiKey(key, parts!.secret)).toBe(true)
    expect(matchesApiKey(key, `${parts!.secret.slice(0, -1)}~`)).toBe(false)
    expect(matchesApiKey({ ...key, revokedAt: 2 }, parts!.secret)).toBe(false)
    expect(JSON.stringify(key)).not.toContain(parts!.secret)
    expect(splitApiKey('isthmus_bad')).toBeUndefined()
  })
})

describe('the secret device', () => {
  const device = createSecretBox('key', systemRandom)

  it('opens a text that it sealed, for the same owner and key only', () => {
    const sealed = device.seal('päss word', 'device-1')
    expect(device.open(sealed, 'device-1')).toBe('päss word')
    expect(sealed).not.toContain('päss')
    expect(() => device.open(sealed, 'device-2')).toThrow(/cannot be opened/)
    expect(() => createSecretBox('other', systemRandom).open(sealed, 'device-1')).toThrow(/cannot be opened/)
    expect(() => device.open(`${sealed.slice(0, -2)}AA`, 'device-1')).toThrow(/cannot be opened/)
    expect(() => device.open('nonsense', 'device-1')).toThrow(/cannot be opened/)
  })
})
