import { afterEach, describe, expect, it } from 'vitest'
import { deviceIdOf } from '../../../src/domain/index.ts'
import type { Fault, SimulatedKind } from '../../../src/simulator/index.ts'
import { startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { FACTS, makeDevice } from '../../support/simulated-device.ts'
import { until } from '../../support/until.ts'

let acs: TestAcs
const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** An ACS that counts the RPCs of first contacts. */
async function start(): Promise<{ contact(kind: SimulatedKind, faults: Fault[], n?: number): Promise<Cost> }> {
  let rpcs = 0
  let sessions = 0
  acs = await startAcs({
    discovery: 'subtree',
    policy: 'credential',
    enrolmentSecret: 'secret',
    onSession: (_outcome, count) => {
      rpcs += count
      sessions++
    },
  })
  stops.push(() => acs.stop())
  return {
    async contact(kind, faults, n = 1) {
      rpcs = sessions = 0
      const serial = `S-${n}`
      const acsUrl = `http://127.0.0.1:${acs.acs.port}/`
      const { device, clock } = makeDevice(kind, { facts: { ...FACTS, serial }, faults, acsUrl })
      stops.push(() => device.stop(true))
      device.start()
      const id = deviceIdOf({ ...FACTS, serial })
      await until(() => {
        clock.advance(500)
        return (
          acs.stores.inside.devices.get(id)?.cwmp?.discoveredFor === FACTS.softwareVersion && acs.acs.sessionCount === 0
        )
      })
      const parameters = [...acs.stores.inside.parameters.values()].filter(({ deviceId }) => deviceId === id).length
      return { rpcs, sessions, parameters }
    },
  }
}

interface Cost {
  rpcs: number
  sessions: number
  parameters: number
}

describe('the first contact of a simulated device', () => {
  it.each<[SimulatedKind, Fault[], number]>([
    ['tr181NoAgent', [], 12],
    ['legacyTr098', [], 12],
    ['tr181NoAgent', ['wholeTreeTimesOut'], 12],
    ['tr181NoAgent', ['emptyTable9005'], 12],
    ['tr181NoAgent', ['fault9002'], 95],
    ['tr181NoAgent', ['ghosts'], 110],
    ['tr181NoAgent', ['partialPath9005'], 60],
    ['tr181NoAgent', ['cutsBatches'], 30],
  ])('%s with %j takes %i RPCs at most, enrolment included', async (kind, faults, most) => {
    const { contact } = await start()
    const cost = await contact(kind, faults)
    expect(cost.parameters).toBeGreaterThan(60)
    expect(cost.rpcs).toBeLessThanOrEqual(most)
  })

  it.each<[Fault, number]>([
    ['ghosts', 12],
    ['partialPath9005', 12],
    ['fault9002', 90],
    ['cutsBatches', 26],
  ])('of a third one with %s takes what the first two taught: %i RPCs at most, in one session', async (fault, most) => {
    const { contact } = await start()
    const first = await contact('tr181NoAgent', [fault], 1)
    await contact('tr181NoAgent', [fault], 2)
    const third = await contact('tr181NoAgent', [fault], 3)
    expect(third.rpcs).toBeLessThanOrEqual(most)
    expect(third.sessions).toBe(1)
    expect(third.parameters).toBe(first.parameters)
  })
})
