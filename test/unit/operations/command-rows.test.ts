import { describe, expect, it } from 'vitest'
import type { Completion, Operation, OperationResult, PathOutcome } from '../../../src/domain/index.ts'
import { settled } from '../../support/manual-clock.ts'
import { createWorld, type World } from '../../support/operations-world.ts'

const SEARCH = 'Device.WiFi.SSID.*.X_T()'
const row = (n: number) => `Device.WiFi.SSID.${n}.X_T()`
const pending = (n: number): PathOutcome => ({ path: row(n), pending: true })
const busy = { code: '7005', text: 'busy', retryable: true }

/** A world in which the command was sent; `answer` resolves when the answer was stored. */
async function sent(): Promise<{ world: World; id: string; answer(results: PathOutcome[]): Promise<void> }> {
  const world = createWorld({ device: { owner: 'usp' } })
  const { id } = await world.submit({ verb: 'operate', command: SEARCH, input: {} })
  let release = (_result: OperationResult): void => undefined
  const answered = new Promise<OperationResult>((resolve) => {
    release = resolve
  })
  const contact = world.peer.contact('usp')
  const offered: typeof contact = {
    ...contact,
    async execute(operation: Operation, hooks) {
      if (operation.request.verb === 'get') return { outcome: 'done', results: [] }
      await hooks.beforeSend()
      return answered
    },
  }
  world.room.contact(offered).catch(() => undefined)
  await world.until(() => world.operation(id).state === 'sent')
  return {
    world,
    id,
    async answer(results) {
      release({ outcome: 'pending', results })
      await settled()
    },
  }
}

function ends(world: World, id: string, n: number, end: Partial<Completion>): Promise<void> {
  const { deviceId } = world.peer
  const at = world.clock.now()
  return world.room.completed({
    deviceId,
    kind: 'command',
    protocol: 'usp',
    commandKey: id,
    command: row(n),
    at,
    ...end,
  })
}

describe('a command over a search path', () => {
  it('ends with the last of its rows, and fails when one has failed', async () => {
    const { world, id, answer } = await sent()
    await answer([pending(1), pending(2)])
    await ends(world, id, 1, { output: { R: 'one' } })
    expect(world.operation(id)).toMatchObject({ state: 'sent', result: { outcome: 'pending' } })
    await ends(world, id, 1, { fault: busy })
    await ends(world, id, 3, { fault: busy })
    await ends(world, id, 2, { fault: busy })
    expect(world.operation(id)).toMatchObject({ state: 'failed', result: { partial: true, error: busy } })
    expect(world.operation(id).result?.results).toEqual([
      { path: row(1), output: { R: 'one' } },
      { path: row(2), error: busy },
    ])
  })

  it('waits for the rows that were accepted though another one was refused', async () => {
    const { world, id, answer } = await sent()
    await answer([{ path: row(1), error: busy }, pending(2)])
    expect(world.operation(id).state).toBe('sent')
    await ends(world, id, 2, { output: {} })
    expect(world.operation(id)).toMatchObject({ state: 'failed', result: { partial: true, error: busy } })
  })

  it('is done when all rows are, also those that ended before the answer', async () => {
    const { world, id, answer } = await sent()
    await ends(world, id, 1, { output: { R: '1' } })
    await ends(world, id, 2, { output: { R: '2' } })
    expect(world.operation(id).state).toBe('sent')
    await answer([pending(1), pending(2)])
    await world.until(() => world.operation(id).state === 'done')
    expect(world.operation(id).result?.results).toEqual([
      { path: row(1), output: { R: '1' } },
      { path: row(2), output: { R: '2' } },
    ])
  })

  it('of one row ends by its key, whatever path the end names', async () => {
    const { world, id, answer } = await sent()
    await answer([pending(1)])
    await ends(world, id, 7, { output: { R: '1' } })
    expect(world.operation(id)).toMatchObject({ state: 'done', result: { results: [{ path: row(1) }] } })
  })

  it('whose answer names no rows ends with its first end', async () => {
    const { world, id, answer } = await sent()
    await answer([])
    await ends(world, id, 1, { output: { R: '1' } })
    expect(world.operation(id)).toMatchObject({ state: 'done', result: { output: { R: '1' } } })
  })

  it('keeps the outputs of its rows up to a size', async () => {
    const { world, id, answer } = await sent()
    await answer([pending(1), pending(2), pending(3)])
    for (const n of [1, 2, 3]) await ends(world, id, n, { output: { R: 'x'.repeat(900_000) } })
    const outputs = world.operation(id).result?.results.map(({ output }) => output?.R?.length ?? output)
    expect(outputs).toEqual([900_000, 900_000, { omitted: '1' }])
  })
})
