import { expect, it } from 'vitest'
import { type Log, silentLog, systemClock } from '../../src/base/index.ts'
import { deviceIdOf } from '../../src/domain/index.ts'
import { EngineProcess } from '../support/engine-process.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'
import { startController } from '../support/usp-controller.ts'

const LINKS = 20

it('links that end while the database hangs are noted once it answers, with their reason', async () => {
  const engine = new EngineProcess()
  await engine.start()
  const store = await testStore(engine.uri)
  let failures = 0
  const log: Log = {
    ...silentLog,
    warn: (_fields, message) => {
      if (message === 'tried again later') failures++
    },
    child: () => log,
  }
  const world = await startController({ devices: store.devices, audit: store.audit, clock: systemClock, log })
  const identities = Array.from({ length: LINKS }, (_, i) => ({ oui: '00256D', productClass: 'Box', serial: `S${i}` }))
  const records = () => Promise.all(identities.map((identity) => store.devices.get(deviceIdOf(identity))))
  try {
    const agents = []
    for (const identity of identities) {
      const agent = await world.connect(`os::00256D-${identity.serial}`)
      agent.serve(identity)
      agent.hello()
      await world.contact()
      agents.push(agent)
    }
    expect((await records()).map((device) => device?.usp?.linked)).toEqual(identities.map(() => true))
    await engine.hold()
    for (const agent of agents) agent.socket.terminate()
    await until(() => world.controller.linkCount === 0)
    await until(() => failures > 0, 90_000)
    engine.release()
    await until(async () => (await records()).every((device) => device?.usp?.linked === false), 90_000)
    const reasons = (await records()).map((device) => device?.usp?.lastDisconnect?.reason)
    expect(reasons).toEqual(identities.map(() => 'connectionLost'))
    const events = await store.events.since(undefined, 1000)
    expect(events.filter(({ type }) => type === 'device.disconnected')).toHaveLength(LINKS)
  } finally {
    engine.release()
    await world.stop()
    await store.close()
    await engine.stop()
  }
})
