import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IntentFile } from '../../src/bridge/index.ts'
import type { WriteStep } from '../../src/bridge/write/write-step.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/index.ts'
import { BridgeRouter } from '../support/bridge-router.ts'
import { until } from '../support/until.ts'

const STEPS: WriteStep[] = [
  { kind: 'set', menu: '/system/identity', match: { properties: {} }, values: { name: 'core' }, path: 'a' },
  { kind: 'add', menu: '/ip/address', values: { address: '10.9.9.1/24', interface: 'bridge' }, path: 'b' },
  {
    kind: 'set',
    menu: '/interface/ethernet',
    match: { properties: { name: 'ether5' } },
    values: { disabled: 'yes' },
    path: 'c',
  },
]

describe('a bridge that is killed with kill -9 in the middle of a write', () => {
  let dir: string
  let router: EmulatedRouter
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'isthmus-kill-'))
  })
  afterEach(async () => {
    await router.close()
    await rm(dir, { recursive: true, force: true })
  })

  it.each(['/system/identity/set', '/ip/address/add', '/interface/ethernet/set'])(
    'after the router has done %s: the next bridge puts the router back',
    async (path) => {
      router = await startRouter({ profile: 'v7.18', faults: { steps: [{ path, act: 'doThenSilence' }] } })
      const before = stateOf(router)
      const changed = { ...before }
      const file = join(dir, 'intents')
      const script = resolve(import.meta.dirname, '../support/writing-bridge.ts')
      const args = ['--import', 'tsx', script, String(router.port), file, JSON.stringify(STEPS)]
      const child = spawn(process.execPath, args, { stdio: 'ignore' })
      const done = {
        '/system/identity/set': 'name',
        '/ip/address/add': 'addresses',
        '/interface/ethernet/set': 'ports',
      }[path]
      await until(() => stateOf(router)[done ?? ''] !== changed[done ?? ''])
      child.kill('SIGKILL')
      await once(child, 'exit')
      const intents = await IntentFile.open(file)
      const bridge = await BridgeRouter.at(router, intents)
      expect(intents.open?.steps).toHaveLength(3)
      await bridge.writer.settle()
      expect(intents.open).toBeUndefined()
      expect(stateOf(router)).toEqual(before)
      await Promise.all([bridge.session.close(), intents.close()])
    },
  )
})

function stateOf({ store }: EmulatedRouter): Record<string, string> {
  const of = (table: string, ...names: string[]) =>
    store
      .table(table)
      .map(({ values }) => names.map((name) => values[name] ?? '').join(' '))
      .join()
  return {
    name: of('/system/identity', 'name'),
    addresses: of('/ip/address', 'address', 'interface'),
    ports: of('interface', 'name', 'disabled'),
  }
}
