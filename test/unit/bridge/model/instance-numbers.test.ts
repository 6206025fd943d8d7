import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { NumberFile } from '../../../../src/bridge/model/number-file.ts'
import { RouterModel } from '../../../../src/bridge/model/router-model.ts'
import { createManualClock } from '../../../support/manual-clock.ts'
import { type RouterTables, TableRouter } from '../../../support/table-router.ts'

const TABLE = 'Device.Ethernet.Interface.'

/** Something that happens to the ports of a router, or to the bridge. */
type Happening =
  | { kind: 'plug' | 'unplug'; port: number }
  | { kind: 'reboot'; order: number[] }
  | { kind: 'restartOfBridge' }

const port = fc.integer({ min: 1, max: 9 })
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constantFrom('plug' as const, 'unplug' as const), port }),
  fc.record({ kind: fc.constant('reboot' as const), order: fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 }) }),
  fc.record({ kind: fc.constant('restartOfBridge' as const) }),
)

it('a port has its number whatever happens, and no other port gets it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 12 }), async (happenings) => {
      const dir = await mkdtemp(join(tmpdir(), 'isthmus-instances-'))
      const ports = new Set([1, 2, 3])
      const tables: RouterTables = { '/system/resource': [{ version: '7.18' }], '/interface/ethernet': [] }
      let ids = 0
      const boot = (order: readonly number[]) => {
        // Rows come in another order, and with other `.id`, than before.
        const inOrder = [...ports].sort((a, b) => (order[a - 1] ?? 0) - (order[b - 1] ?? 0))
        tables['/interface/ethernet'] = inOrder.map((one) => ({
          '.id': `*${(++ids).toString(16).toUpperCase()}`,
          name: `lan-${one}`,
          'default-name': `ether${one}`,
        }))
      }
      const router = new TableRouter(tables)
      const clock = createManualClock()
      const served = { commands: () => [], events: () => [] }
      let numbers = await NumberFile.open(join(dir, 'numbers'))
      let model = new RouterModel({ router, numbers, clock, served })
      const given = new Map<string, string>()
      const look = async () => {
        clock.advance(2000)
        const paths = await model.instances(TABLE)
        const names = await model.get(paths.map((path) => `${path}Name`))
        expect(paths.length).toBe(ports.size)
        for (const path of paths) {
          const name = names.get(`${path}Name`) ?? ''
          expect(given.get(name) ?? path).toBe(path)
          expect([...given].filter(([other, held]) => held === path && other !== name)).toEqual([])
          given.set(name, path)
        }
      }
      boot([1, 2, 3])
      await look()
      for (const one of happenings) {
        if (one.kind === 'plug') ports.add(one.port)
        else if (one.kind === 'unplug') ports.delete(one.port)
        else if (one.kind === 'reboot') model.renew()
        else {
          await numbers.close()
          numbers = await NumberFile.open(join(dir, 'numbers'))
          model = new RouterModel({ router, numbers, clock, served })
        }
        boot('order' in one ? one.order : [])
        await look()
      }
      await numbers.close()
      await rm(dir, { recursive: true, force: true })
    }),
    { numRuns: 60 },
  )
})

it('rows that are alike are told apart by their order', async () => {
  const route = { 'dst-address': '10.0.0.0/8', gateway: '192.0.2.1', distance: '1', static: 'true' }
  const router = new TableRouter({
    '/system/resource': [{ version: '7.18' }],
    '/ip/route': [
      { '.id': '*1', ...route },
      { '.id': '*2', ...route },
    ],
  })
  const dir = await mkdtemp(join(tmpdir(), 'isthmus-instances-'))
  const numbers = await NumberFile.open(join(dir, 'numbers'))
  const served = { commands: () => [], events: () => [] }
  const model = new RouterModel({ router, numbers, clock: createManualClock(), served })
  const table = 'Device.Routing.Router.1.IPv4Forwarding.'
  expect(await model.instances(table)).toEqual([`${table}1.`, `${table}2.`])
  await numbers.close()
  await rm(dir, { recursive: true, force: true })
})
