import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startRouter } from '../../src/simulator/index.ts'
import { startBridgeFleet } from '../support/bridge-fleet.ts'
import { rowOf, TestRows } from '../support/test-rows.ts'
import { until } from '../support/until.ts'

const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** State that a bridge reports of one emulated router whose account has these rights. */
async function reported(rights: string[], profile: 'v7.18' | 'home', policy: 'L0' | 'L1') {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-bridge-'))
  stops.push(() => rmSync(dir, { recursive: true, force: true }))
  const user = { name: 'isthmus', password: 'secret', group: rights }
  const router = await startRouter({ profile, users: [user] })
  stops.push(() => router.close())
  const rows = new TestRows([rowOf(router.port, { username: user.name, password: user.password }, policy)])
  const fleet = await startBridgeFleet(dir, rows)
  stops.push(() => fleet.stop())
  return rows.states
}

it('rights that an account lacks are named when its router is taken over', async () => {
  const states = await reported(['api', 'read'], 'v7.18', 'L1')
  const rights = () => states.at(-1)?.missingRights.filter((text) => text.includes('lacks the right')) ?? []
  await until(() => rights().length === 2)
  expect(rights().join('\n')).toMatch(/right `write`[\s\S]*right `test`/)
})

it('limits of a device-mode are named, and a router that is only watched needs no right to write', async () => {
  const states = await reported(['api', 'read', 'test'], 'home', 'L0')
  await until(() => (states.at(-1)?.missingRights.length ?? 0) > 0)
  const texts = states.at(-1)?.missingRights.join('\n')
  expect(texts).toContain('device-mode `home` forbids fetch')
  expect(texts).not.toContain('`write`')
})
