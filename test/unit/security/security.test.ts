import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/base/index.ts'
import {
  type ChainedEntry,
  chain,
  createSecretBox,
  GENESIS,
  matchesApiKey,
  newApiKey,
  splitApiKey,
  verifyChain,
} from '../../../src/security/index.ts'

describe('the audit chain', () => {
  function entries(n: number): ChainedEntry[] {
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
      list.push(chain(entry, i + 1, list[i - 1]?.hash ?? GENESIS))
    }
    return list
  }

  it('holds as written, also when the database gives fields back in another order', async () => {
    const list = entries(3).map((entry) => ({ ...entry, after: { a: entry.after?.a, b: entry.after?.b } }))
    expect(await verifyChain(list)).toEqual({ entries: 3, lastHash: list[2]?.hash })
  })

  it('shows the first entry that was changed, taken out or put in', async () => {
    const list = entries(4)
    const changed = list.map((entry, i) => (i === 2 ? { ...entry, actor: 'mallory' } : entry))
    expect(await verifyChain(changed)).toEqual({ entries: 2, lastHash: list[1]?.hash, firstBroken: 3 })
    expect(await verifyChain(list.filter((_, i) => i !== 1))).toMatchObject({ entries: 1, firstBroken: 3 })
    expect(await verifyChain(list.slice(1))).toMatchObject({ entries: 0, firstBroken: 2 })
  })

  it('shows that an entry was replaced whose hash was computed anew', async () => {
    const list = entries(4)
    const [, second, third] = list as [ChainedEntry, ChainedEntry, ChainedEntry, ChainedEntry]
    const { hash: _hash, previous: _previous, seq: _seq, ...entry } = third
    const forged = chain({ ...entry, actor: 'mallory' }, 3, second.hash)
    const replaced = list.map((one) => (one.seq === 3 ? forged : one))
    expect(await verifyChain(replaced)).toEqual({ entries: 3, lastHash: forged.hash, firstBroken: 4 })
    // With the reference mended as well, the hash of the entry behind it is wrong.
    const mended = replaced.map((one) => (one.seq === 4 ? { ...one, previous: forged.hash } : one))
    expect(await verifyChain(mended)).toEqual({ entries: 3, lastHash: forged.hash, firstBroken: 4 })
    // A chain that begins with an entry of its own does not follow from the start of all.
    const begun = [chain(entry, 1, 'f'.repeat(64))]
    expect(await verifyChain(begun)).toEqual({ entries: 0, lastHash: GENESIS, firstBroken: 1 })
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

describe('the secret box', () => {
  const box = createSecretBox('key', systemRandom)

  it('opens what it sealed, for the same owner and key only', () => {
    const sealed = box.seal('päss word', 'device-1')
    expect(box.open(sealed, 'device-1')).toBe('päss word')
    expect(sealed).not.toContain('päss')
    expect(() => box.open(sealed, 'device-2')).toThrow(/cannot be opened/)
    expect(() => createSecretBox('other', systemRandom).open(sealed, 'device-1')).toThrow(/cannot be opened/)
    expect(() => box.open(`${sealed.slice(0, -2)}AA`, 'device-1')).toThrow(/cannot be opened/)
    expect(() => box.open('nonsense', 'device-1')).toThrow(/cannot be opened/)
  })
})
