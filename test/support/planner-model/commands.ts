import fc from 'fast-check'
import type { PlanSettings } from '../../../src/domain/index.ts'
import { DORMANT_S } from './settings.ts'
import type { DeviceInput } from './world.ts'

/** Settings of a plan that differ from one to the next. */
export type PlanInput = Pick<
  PlanSettings,
  | 'maxInFlight'
  | 'startsPerMinute'
  | 'maxAttempts'
  | 'soakMs'
  | 'retire'
  | 'silentAfterMs'
  | 'onSilent'
  | 'failureGatePercent'
  | 'gateMinSample'
  | 'dormantIntervalS'
> & { tls: boolean }

/** One random event. Indexes are taken modulo the number of things there are. */
export type Command =
  | { do: 'pass'; ms: number }
  | { do: 'stepClock'; ms: number }
  | { do: 'cwmp'; device: number; here: boolean }
  | { do: 'agent'; device: number; to: 'ok' | 'deaf' | 'dead' }
  | { do: 'boot'; device: number }
  | { do: 'reset'; device: number; unheard: boolean }
  | { do: 'forget'; device: number; unheard: boolean }
  | { do: 'lose'; device: number; how: 'done' | 'notDone'; after: number }
  | { do: 'fault'; device: number; what: 'refusesDelete' | 'refusesAll' | 'liesOverUsp'; on: boolean }
  | { do: 'occupy'; device: number; ms: number }
  | { do: 'conflict'; device: number }
  | { do: 'resolve' }
  | { do: 'plan'; settings: PlanInput; start: boolean }
  | { do: 'act'; plan: number; action: 'start' | 'pause' | 'resume' | 'abort' | 'retry' | 'rollback' }
  | { do: 'rollbackSome'; plan: number; device: number; paced: boolean }
  | { do: 'named'; plan: number; device: number; action: 'retry' | 'abort' | 'rollback' }
  | { do: 'rollbackDevice'; device: number }
  | { do: 'removePlan'; plan: number }
  | { do: 'removeGroup' }
  | { do: 'kill'; server: number; calls: number; when: 'before' | 'after' }
  | { do: 'server' }
  | { do: 'database'; down: boolean }

/** One sequence: devices, a seed for all that is left to chance, and the events. */
export interface Sequence {
  seed: number
  devices: DeviceInput[]
  first: PlanInput
  commands: Command[]
}

const index = fc.nat(2)
const rarely = fc.nat(3).map((n) => n === 0)

const planInput: fc.Arbitrary<PlanInput> = fc.record({
  maxInFlight: fc.constantFrom(5, 1),
  startsPerMinute: fc.constantFrom(0, 6),
  maxAttempts: fc.constantFrom(2, 1, 3),
  soakMs: fc.constantFrom(0, 40_000),
  retire: fc.constantFrom('dormant' as const, 'none' as const),
  silentAfterMs: fc.constantFrom(3_600_000, 0, 600_000),
  onSilent: fc.constantFrom('report' as const, 'rollback' as const),
  failureGatePercent: fc.constantFrom(100, 30),
  gateMinSample: fc.constantFrom(1000, 1),
  dormantIntervalS: fc.constant(DORMANT_S),
  tls: rarely,
})

const device: fc.Arbitrary<DeviceInput> = fc.record({
  quirks: fc.record({
    fullRole: fc.boolean(),
    trustReadOnly: rarely,
    own: fc.constantFrom(
      'none' as const,
      'none' as const,
      'none' as const,
      'bare' as const,
      'mtp' as const,
      'dials' as const,
    ),
    ownInFactory: fc.boolean(),
    keepsSocket: fc.boolean(),
    noTimer: fc.boolean(),
    plain: rarely,
    noDisable: rarely,
    reusesNumbers: fc.boolean(),
    wakeable: fc.nat(3).map((n) => n !== 3),
    renumbers: rarely,
  }),
  known: fc.boolean(),
  sameEndpoint: fc.nat(9).map((n) => n === 9),
  boundToOther: fc.nat(9).map((n) => n === 9),
})

const SECOND = 1000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const passes = fc.constantFrom(SECOND, 300, 5 * SECOND, 20 * SECOND, 60 * SECOND, 600 * SECOND, HOUR, DAY, 3 * DAY)

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 14, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: passes }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('stepClock' as const),
      ms: fc.constantFrom(-HOUR, HOUR, -DAY, DAY, -30 * DAY, 30 * DAY),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cwmp' as const), device: index, here: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('agent' as const),
      device: index,
      to: fc.constantFrom('ok' as const, 'deaf' as const, 'dead' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('boot' as const), device: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reset' as const), device: index, unheard: rarely }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), device: index, unheard: rarely }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      device: index,
      how: fc.constantFrom('done' as const, 'notDone' as const),
      after: fc.nat(8),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      device: index,
      what: fc.constantFrom('refusesDelete' as const, 'refusesAll' as const, 'liesOverUsp' as const),
      on: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('occupy' as const), device: index, ms: fc.constantFrom(30_000, HOUR) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('conflict' as const), device: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resolve' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('plan' as const), settings: planInput, start: fc.nat(3).map((n) => n > 0) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('act' as const),
      plan: index,
      action: fc.constantFrom('start', 'pause', 'resume', 'abort', 'retry', 'rollback'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rollbackSome' as const),
      plan: index,
      device: index,
      paced: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('named' as const),
      plan: index,
      device: index,
      action: fc.constantFrom('retry', 'abort', 'rollback'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rollbackDevice' as const), device: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removePlan' as const), plan: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removeGroup' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('kill' as const),
      server: index,
      calls: fc.oneof(fc.nat(30), fc.nat(300)),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('server' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('database' as const), down: fc.boolean() }) },
)

const some = (count: number) => fc.array(device, { minLength: count, maxLength: count })

/** Random sequences of up to `length` events. */
export function sequences(length: number): fc.Arbitrary<Sequence> {
  return fc.record({
    seed: fc.nat(0xffffff),
    devices: fc.oneof(
      { weight: 6, arbitrary: some(1) },
      { weight: 3, arbitrary: some(2) },
      { weight: 1, arbitrary: some(3) },
    ),
    first: planInput,
    commands: fc.array(command, { maxLength: length, size: 'max' }),
  })
}
