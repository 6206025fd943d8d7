import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { IntentFile } from '../../../../src/bridge/write/intent-file.ts'
import type { IntendedStep } from '../../../../src/bridge/write/intents.ts'

let dir: string
let path: string
let files: IntentFile[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-intents-'))
  path = join(dir, 'router', 'intents')
})
afterEach(async () => {
  await Promise.all(files.map((file) => file.close()))
  files = []
  await rm(dir, { recursive: true, force: true })
})

/** As a process opens it; the one before may have been killed. */
async function open(): Promise<IntentFile> {
  const file = await IntentFile.open(path)
  files.push(file)
  return file
}

const STEP: IntendedStep = { kind: 'add', menu: '/ip/pool', path: 'Device.', values: { name: 'p' }, existing: [] }

it.each(['process', 'machine'] as const)(
  'a request that was not ended is there after a kill, with the steps that may have reached the router: %s',
  async (outlives) => {
    const first = await open()
    expect(first.open).toBeUndefined()
    await first.begin({ steps: [STEP, STEP], begun: 1 }, outlives)
    expect((await open()).open).toEqual({ steps: [STEP, STEP], begun: 1 })
    await first.reach(2)
    expect(first.open).toEqual({ steps: [STEP, STEP], begun: 2 })
    const second = await open()
    expect(second.open).toEqual({ steps: [STEP, STEP], begun: 2 })
    await second.end()
    expect(second.open).toBeUndefined()
    expect((await open()).open).toBeUndefined()
  },
)

it('the file does not grow without end', async () => {
  const intents = await open()
  const long: IntendedStep = { ...STEP, values: { name: 'x'.repeat(2000) } }
  for (let i = 0; i < 1001; i++) {
    await intents.begin({ steps: [long], begun: 1 }, 'process')
    await intents.end()
  }
  expect((await stat(path)).size).toBeLessThan(100_000)
})
