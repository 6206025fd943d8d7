import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { AuditFile, BridgeFleet, Confirmations, routerOpener } from '../../src/bridge/index.ts'
import { startRouter } from '../../src/simulator/index.ts'
import { Codec, NotifyFile } from '../../src/usp/index.ts'
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
  const states: { missingRights: string[]; reachable: boolean }[] = []
  const fleet = new BridgeFleet({
    folder: dir,
    rows: {
      controllers: [],
      start: async (onRows) =>
        onRows([
          {
            id: 'one',
            address: '127.0.0.1',
            port: router.port,
            transport: 'api',
            policy,
            tags: [],
            mqtt: false,
            revision: 1,
            login: { username: user.name, password: user.password },
          },
        ]),
      stop: async () => undefined,
      report: (_id, state) => states.push(state),
      proofOf: async () => undefined,
      forget: () => undefined,
    },
    open: routerOpener({ ca: undefined, allowPlain: false }, { clock: systemClock, log: silentLog }),
    firmwareHosts: [],
    backupHosts: [],
    notifies: await NotifyFile.open(join(dir, 'notifies.jsonl'), silentLog),
    confirmations: new Confirmations(systemClock),
    audit: new AuditFile(join(dir, 'audit.jsonl'), systemClock),
    codec: new Codec(),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  stops.push(() => fleet.stop())
  await fleet.start()
  return states
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
