import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IdentityClaims } from '../../../../src/bridge/agents/identity-claims.ts'

describe('the Endpoint IDs of a bridge', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-claims-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const all = () => true

  it('belong to the row that had them first, also after a restart', async () => {
    const first = await IdentityClaims.open(folder)
    expect(await first.claim('os::A', 'one', all)).toBeUndefined()
    expect(await first.claim('os::A', 'two', all)).toBe('one')
    const second = await IdentityClaims.open(folder)
    expect(await second.claim('os::A', 'two', all)).toBe('one')
    expect(await second.claim('os::A', 'one', all)).toBeUndefined()
  })

  it('are free when their row does not exist any more', async () => {
    const claims = await IdentityClaims.open(folder)
    await claims.claim('os::A', 'one', all)
    expect(await claims.claim('os::A', 'two', (row) => row === 'two')).toBeUndefined()
    expect(await claims.claim('os::A', 'one', all)).toBe('two')
  })

  it('change places when two routers have changed their addresses', async () => {
    const claims = await IdentityClaims.open(folder)
    await Promise.all([claims.claim('os::A', 'one', all), claims.claim('os::B', 'two', all)])
    expect(await claims.claim('os::B', 'one', all)).toBe('two')
    expect(await claims.claim('os::A', 'two', all)).toBeUndefined()
    expect(await claims.claim('os::B', 'one', all)).toBeUndefined()
    const again = await IdentityClaims.open(folder)
    expect(await again.claim('os::A', 'one', all)).toBe('two')
  })

  it('are not guessed from a damaged file', async () => {
    writeFileSync(join(folder, 'claims.json'), '{"os::A":')
    await expect(IdentityClaims.open(folder)).rejects.toThrow(/claims\.json cannot be read; remove it/)
  })
})
