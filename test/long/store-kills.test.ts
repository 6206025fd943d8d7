import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { type DeviceId, deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { EmbeddedDatabase } from '../../src/store/index.ts'
import { ENGINE_CACHE } from '../support/global-setup.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'

const KILLS = 50
const DEVICES = 300

/** One busy device: what of its writes was acknowledged. */
interface Busy {
  id: DeviceId
  acknowledged: number
}

it(`a database that is killed ${KILLS} times under load takes writes again each time, and has all that it acknowledged`, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'isthmus-kills-'))
  const embedded = new EmbeddedDatabase({ dataDir, cacheDir: ENGINE_CACHE, log: silentLog })
  await embedded.start()
  const store = await testStore(embedded.uri)
  let over = false
  const devices = Array.from({ length: DEVICES }, (_, i): Busy => {
    const identity = { oui: '00256D', productClass: 'Box', serial: `K${i}` }
    return { id: deviceIdOf(identity), acknowledged: 0 }
  })
  /** Writes and reads without a pause; what is refused is asked for again. */
  const keepBusy = async (device: Busy, i: number) => {
    const identity = { oui: '00256D', productClass: 'Box', serial: `K${i}` }
    await store.devices.commit({ deviceId: device.id, create: newDevice(device.id, identity, 'cwmp', 1) })
    while (!over) {
      const events = [{ type: 'device.booted' as const, at: device.acknowledged, deviceId: device.id, data: {} }]
      await store.devices.commit({ deviceId: device.id, countWork: true, events }).then(
        () => {
          device.acknowledged++
        },
        (error: unknown) => expect(error).toMatchObject({ code: 'unavailable' }),
      )
      await store.devices.get(device.id).catch(() => undefined)
    }
  }
  const busy = devices.map(keepBusy)
  const total = () => devices.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  try {
    await until(() => total() > DEVICES)
    for (let kill = 0; kill < KILLS; kill++) {
      const killed = embedded.pid ?? 0
      process.kill(killed, 'SIGKILL')
      await until(() => embedded.pid !== killed)
      const before = total()
      // Each device has written once more: no flush is stuck, and nobody is left out.
      await until(() => total() >= before + DEVICES, 60_000)
    }
    over = true
    await Promise.all(busy)
    for (const { id, acknowledged } of devices)
      expect.soft((await store.devices.get(id))?.work.seq, id).toBeGreaterThanOrEqual(acknowledged)
  } finally {
    over = true
    await Promise.allSettled(busy)
    await store.close()
    await embedded.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 1_800_000)
