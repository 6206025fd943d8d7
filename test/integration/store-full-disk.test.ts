import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { EmbeddedDatabase } from '../../src/store/index.ts'
import { ENGINE_CACHE } from '../support/global-setup.ts'
import { holdProcess } from '../support/held-process.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'

type Store = Awaited<ReturnType<typeof testStore>>

const READING = 'x'.repeat(400_000)

/** The targets of the entries that were acknowledged, up to the first that was not. */
async function appendUntilRefused(store: Store, acknowledged: string[]): Promise<unknown> {
  for (;;) {
    const target = `t${acknowledged.length}`
    try {
      const entry = { at: 1, actor: 'system', action: 'test', target, result: 'ok' as const }
      await store.audit.append({ ...entry, after: { READING } })
      await store.events.append([{ type: 'device.booted', at: acknowledged.length, data: { target } }])
      acknowledged.push(target)
    } catch (error) {
      return error
    }
  }
}
const isReady = (store: Store) =>
  store.ready().then(
    () => true,
    () => false,
  )

it('a full disk: writes are refused and the server is not ready; with space again all acknowledged writes are there', async () => {
  // Without the right to mount a disk, the engine is held and killed instead; its output on a full disk is covered by a
  // stand-in in store-engine.test.ts.
  const disk = SmallDisk.mount(320)
  const folder = disk?.folder ?? mkdtempSync(join(tmpdir(), 'isthmus-disk-'))
  const embedded = new EmbeddedDatabase({ dataDir: folder, cacheDir: ENGINE_CACHE, log: silentLog })
  await embedded.start()
  const store = await testStore(embedded.uri, { patienceMs: 1500 })
  const acknowledged: string[] = []
  try {
    await until(() => isReady(store))
    const engine = embedded.pid
    disk?.fill(6_000_000)
    if (disk === undefined) await holdProcess(engine ?? 0)
    const refusal = await appendUntilRefused(store, acknowledged)
    expect(refusal).toMatchObject({ code: 'unavailable' })
    await until(async () => !(await isReady(store)))
    disk?.clear()
    if (disk === undefined) process.kill(engine ?? 0, 'SIGKILL')
    await until(() => isReady(store), 60_000)
    expect(embedded.pid).not.toBe(engine)
    await store.events.append([{ type: 'device.booted', at: 0, data: { target: 'after' } }])
    const events = await store.events.since(undefined, 10_000)
    expect(events.map(({ data }) => data.target)).toEqual(expect.arrayContaining([...acknowledged, 'after']))
    const { entries, firstBroken } = await store.audit.verify(10_000)
    expect(firstBroken).toBeUndefined()
    expect(entries).toBeGreaterThanOrEqual(acknowledged.length)
  } finally {
    await store.close()
    await embedded.stop()
    if (disk === undefined) rmSync(folder, { recursive: true, force: true })
    else disk.unmount()
  }
})
