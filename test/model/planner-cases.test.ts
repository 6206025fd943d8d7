import { describe, expect, it } from 'vitest'
import type { MemberState } from '../../src/domain/index.ts'
import type { Command, PlanInput } from '../support/planner-model/commands.ts'
import type { Quirks } from '../support/planner-model/data-model.ts'
import { EASY, Play } from '../support/planner-model/play.ts'
import type { DeviceInput } from '../support/planner-model/world.ts'

const QUIRKS: Quirks = {
  fullRole: false,
  trustReadOnly: false,
  own: 'none',
  ownInFactory: false,
  keepsSocket: false,
  noTimer: false,
  plain: false,
  noDisable: false,
  reusesNumbers: false,
  wakeable: true,
  renumbers: false,
}

function device(quirks: Partial<Quirks> = {}, more: Partial<DeviceInput> = {}): DeviceInput {
  return { quirks: { ...QUIRKS, ...quirks }, known: true, sameEndpoint: false, boundToOther: false, ...more }
}

const HOUR = 3_600_000
const pass = (ms = HOUR): Command => ({ do: 'pass', ms })
const plan = (start: boolean, settings: Partial<PlanInput> = {}): Command => ({
  do: 'plan',
  settings: { ...EASY, ...settings },
  start,
})

/**
 * Plays events over a plan that was just started, and checks all invariants: at each step, at rest, and after the
 * rollback of everything.
 */
async function story(
  devices: DeviceInput[],
  commands: Command[],
  { seed = 0, first = {} }: { seed?: number; first?: Partial<PlanInput> } = {},
): Promise<{ afterRest: MemberState[] }> {
  const play = new Play({ seed, devices })
  await play.begin({ ...EASY, ...first }, commands)
  await play.quiet()
  const afterRest = [...play.world.stores.inside.plans.members.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ state }) => state)
  await play.back()
  return { afterRest }
}

/** Short sequences that once broke an invariant: each is the shortest that was found. */
describe('a planner among devices, servers and people', () => {
  it('moves a device and brings it back', async () => {
    expect(await story([device()], [])).toEqual({ afterRest: ['MIGRATED'] })
  })

  it('verifies an Agent without timers by the Notify of a changed value', async () => {
    expect(await story([device({ noTimer: true })], [])).toEqual({ afterRest: ['MIGRATED'] })
  })

  it('deletes an MTP row that it added below the Controller row of another, because the device was reset on the way', async () => {
    const quirks = {
      trustReadOnly: true,
      plain: true,
      noDisable: true,
      reusesNumbers: true,
      wakeable: false,
      renumbers: true,
    }
    const commands: Command[] = [
      { do: 'kill', server: 0, calls: 18, when: 'before' },
      { do: 'boot', device: 0 },
      pass(1000),
      { do: 'reset', device: 0, unheard: true },
    ]
    const first = { maxInFlight: 5, maxAttempts: 2, silentAfterMs: HOUR }
    expect(await story([device(quirks)], commands, { first })).toEqual({ afterRest: ['MIGRATED'] })
  })

  it('ends an abort that is asked for while a rollback is paused', async () => {
    const commands: Command[] = [
      { do: 'rollbackSome', plan: 0, device: 0, paced: false },
      { do: 'act', plan: 0, action: 'pause' },
      { do: 'act', plan: 0, action: 'abort' },
    ]
    expect(await story([device()], commands)).toEqual({ afterRest: ['ROLLED_BACK'] })
  })

  it('leaves no time at a member that ended while a run of it broke off', async () => {
    const quirks = { trustReadOnly: true, plain: true, noDisable: true, wakeable: false, renumbers: true }
    const commands: Command[] = [
      pass(60_000),
      pass(60_000),
      { do: 'resolve' },
      { do: 'named', plan: 0, device: 0, action: 'abort' },
      { do: 'server' },
      { do: 'conflict', device: 0 },
      { do: 'act', plan: 0, action: 'start' },
      { do: 'database', down: true },
      pass(86_400_000),
    ]
    const first = { maxInFlight: 5, maxAttempts: 2, silentAfterMs: HOUR, tls: true }
    const { afterRest } = await story([device(quirks, { known: false })], commands, { first, seed: 21 })
    expect(afterRest).toEqual(['CANCELLED'])
  })

  it('finds that a device was deleted although the server died before it told anybody', async () => {
    const { afterRest } = await story([device()], [pass(), { do: 'forget', device: 0, unheard: true }])
    expect(afterRest).toEqual(['CANCELLED'])
  })

  it('finds that a migrated device was reset although the server died before it told anybody', async () => {
    const { afterRest } = await story([device()], [pass(), { do: 'reset', device: 0, unheard: true }])
    expect(afterRest).toEqual(['REGRESSED'])
  })

  it('finds that a device was deleted while it is judged', async () => {
    // The order of the deletion and of the planner's own look at the device is left to the seed.
    for (let seed = 0; seed < 60; seed++) {
      await story(
        [device({ wakeable: false }, { known: false })],
        [{ do: 'conflict', device: 0 }, pass(5000), { do: 'forget', device: 0, unheard: true }],
        { seed },
      )
    }
  })

  it('takes no reset from before the snapshot for one after it', async () => {
    const { afterRest } = await story(
      [device({}, { known: false })],
      [{ do: 'server' }, plan(true), { do: 'reset', device: 0, unheard: true }],
    )
    expect(afterRest.sort()).toEqual(['BLOCKED', 'MIGRATED'])
  })

  it('moves a device again that was reset on the way', async () => {
    const { afterRest } = await story(
      [device()],
      [pass(2000), { do: 'reset', device: 0, unheard: false }, { do: 'server' }],
      { first: { soakMs: 40_000 } },
    )
    expect(afterRest).toEqual(['MIGRATED'])
  })

  it('keeps no snapshot of a device that was reset to factory settings', async () => {
    await story([device({ own: 'mtp' })], [pass(), { do: 'reset', device: 0, unheard: false }, pass(), plan(true)])
  })

  it('gives a Controller row back that has another number now', async () => {
    await story([device({ own: 'mtp', renumbers: true })], [pass(), { do: 'boot', device: 0 }])
  })

  it('takes a row away that gets another number while the device is brought back', async () => {
    await story(
      [device({ renumbers: true, plain: true, trustReadOnly: true, noDisable: true })],
      [{ do: 'named', plan: 0, device: 0, action: 'abort' }, pass(1000), { do: 'boot', device: 0 }],
      { first: { tls: true } },
    )
  })

  it('takes no row for the device’s own that a plan added after a reset', async () => {
    await story(
      [device({ own: 'bare' })],
      [
        pass(),
        { do: 'reset', device: 0, unheard: true },
        pass(1000),
        { do: 'forget', device: 0, unheard: true },
        pass(48 * HOUR),
        plan(true),
      ],
    )
  })

  it('takes the credential of an earlier plan away as well', async () => {
    await story([device()], [pass(), { do: 'forget', device: 0, unheard: false }, pass(48 * HOUR), plan(true)], {
      first: { tls: true },
    })
  })

  it('brings a device of a deleted plan back whose rollback failed', async () => {
    const { afterRest } = await story(
      [device()],
      [
        pass(),
        { do: 'fault', device: 0, what: 'refusesDelete', on: true },
        { do: 'removePlan', plan: 0 },
        { do: 'rollbackDevice', device: 0 },
      ],
    )
    expect(afterRest).toEqual(['FAILED'])
  })

  it.each([
    ['aborted', 'abort'],
    ['resumed', 'resume'],
  ] as const)(
    'ends a plan whose group is deleted before its devices are members, when it is %s',
    async (_how, action) => {
      // Wherever the server dies while it starts the plan.
      for (let calls = 1; calls < 24; calls++)
        await story(
          [device()],
          [
            plan(false),
            { do: 'kill', server: 0, calls, when: 'after' },
            { do: 'act', plan: 1, action: 'start' },
            { do: 'server' },
            { do: 'removeGroup' },
            pass(60_000),
            { do: 'act', plan: 1, action },
          ],
        )
    },
  )

  it('begins nothing anew in a plan that is being aborted', async () => {
    const { afterRest } = await story(
      [device(), device()],
      [
        { do: 'cwmp', device: 0, here: false },
        { do: 'act', plan: 0, action: 'rollback' },
        pass(60_000),
        { do: 'named', plan: 0, device: 1, action: 'retry' },
      ],
    )
    expect(afterRest).toEqual(['ROLLED_BACK', 'ROLLED_BACK'])
  })
})
