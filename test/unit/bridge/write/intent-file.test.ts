import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { IntentFile } from '../../../../src/bridge/write/intent-file.ts'
import type { IntendedStep } from '../../../../src/bridge/write/intents.ts'

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-intents-'))
  path = join(dir, 'router', 'intents')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const STEP: IntendedStep = { kind: 'add', menu: '/ip/pool', path: 'Device.', values: { name: 'p' }, existing: [] }

it.each(['process', 'machine'] as const)(
  'a request that was not ended is there after a kill, with the steps that may have reached the router: %s',
  async (outlives) => {
    const first = await IntentFile.open(path)
    expect(first.open).toBeUndefined()
    await first.begin({ steps: [STEP, STEP], begun: 1 }, outlives)
    expect((await IntentFile.open(path)).open).toEqual({ steps: [STEP, STEP], begun: 1 })
    await first.reach(2)
    expect(first.open).toEqual({ steps: [STEP, STEP], begun: 2 })
    const second = await IntentFile.open(path)
    expect(second.open).toEqual({ steps: [STEP, STEP], begun: 2 })
    await second.end()
    expect(second.open).toBeUndefined()
    expect((await IntentFile.open(path)).open).toBeUndefined()
  },
)

it('the file does not grow without end', async () => {
  const intents = await IntentFile.open(path)
  const long: IntendedStep = { ...STEP, values: { name: 'x'.repeat(2000) } }
  for (let i = 0; i < 1001; i++) {
    await intents.begin({ steps: [long], begun: 1 }, 'process')
    await intents.end()
  }
  expect((await stat(path)).size).toBeLessThan(100_000)
  await intents.close()
})
