import { describe, expect, it } from 'vitest'
import { StreamShares } from '../../../src/api/http/stream-shares.ts'

describe('the shares of event streams', () => {
  const shares = () => new StreamShares({ total: 4, perKey: 2, perAddress: 3 })

  it('are limited by key, by address and in all', () => {
    const byKey = shares()
    for (const address of ['a', 'b']) byKey.take('k', address)
    expect(() => byKey.take('k', 'c')).toThrow(/this API key has 2 event streams open/)
    const byAddress = shares()
    for (const key of ['k', 'l', 'm']) byAddress.take(key, 'a')
    expect(() => byAddress.take('n', 'a')).toThrow(/this address has 3 event streams open/)
    byAddress.take('n', 'b')
    expect(() => byAddress.take('o', 'c')).toThrow(/4 event streams are open at this server/)
  })

  it('are returned once when a stream ends', () => {
    const few = shares()
    const [leave] = [few.take('k', 'a'), few.take('k', 'a')]
    leave?.()
    leave?.()
    few.take('k', 'a')
    expect(() => few.take('k', 'a')).toThrow()
  })
})
