import { expect, it } from 'vitest'
import { silentLog, systemRandom } from '../../../src/base/index.ts'
import { loadModel } from '../../../src/datamodel/index.ts'
import { BrokerRefusal, type MqttLevel } from '../../../src/mqtt/index.ts'
import { Telemetry } from '../../../src/telemetry/index.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

/** Telemetry of an instance that is chosen or not, at a broker that is there or not. */
function world() {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const state = { isChosen: false, isThere: true, open: 0, dials: [] as MqttLevel[] }
  let close: (reason: string) => void = () => undefined
  const telemetry = new Telemetry({
    async dial(level, { onClose }) {
      state.dials.push(level)
      if (!state.isThere) throw new BrokerRefusal('not there', false)
      state.open++
      close = (reason) => {
        state.open--
        onClose(reason)
      }
      return {
        publish: async () => undefined,
        subscribe: async () => undefined,
        end: async () => {
          state.open--
        },
      }
    },
    prefix: 'network/mikrotik',
    devices: stores.devices,
    parameters: stores.parameters,
    events: stores.events,
    bridges: { router: async () => undefined, routersOfEndpoints: async () => [] },
    certificates: { ofName: async () => [] },
    model: loadModel('tr181-usp'),
    isChosen: async () => state.isChosen,
    clock,
    random: systemRandom,
    log: silentLog,
    onMessage: () => undefined,
    onValues: () => undefined,
  })
  const wait = async (ms: number) => {
    clock.advance(ms)
    await settled()
  }
  return { telemetry, state, wait, cut: () => close('cut off') }
}

it('is taken by the instance that is chosen, from the time at which it is', async () => {
  const { telemetry, state, wait } = world()
  await telemetry.start()
  await wait(5000)
  expect(state.dials).toEqual([])
  state.isChosen = true
  await wait(5000)
  expect(telemetry).toMatchObject({ isChosen: true, isConnected: true })
  state.isChosen = false
  await wait(5000)
  expect(telemetry).toMatchObject({ isChosen: false, isConnected: false })
  expect(state.open).toBe(0)
  state.isChosen = true
  await wait(5000)
  await telemetry.stop()
  expect(state.open).toBe(0)
})

it('connects again with growing pauses, and does not after it was stopped', async () => {
  const { telemetry, state, wait, cut } = world()
  state.isChosen = true
  await telemetry.start()
  await settled()
  expect(telemetry.isConnected).toBe(true)
  state.isThere = false
  cut()
  for (let i = 0; i < 600; i++) await wait(1000)
  expect(state.dials.length).toBeGreaterThan(10)
  expect(state.dials.length).toBeLessThan(30)
  state.isThere = true
  for (let i = 0; i < 61; i++) await wait(1000)
  expect(telemetry.isConnected).toBe(true)
  await telemetry.stop()
  const dials = state.dials.length
  await wait(600_000)
  expect(state.dials).toHaveLength(dials)
})
