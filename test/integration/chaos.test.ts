import { afterAll, beforeAll, expect, it } from 'vitest'
import { ChaosRounds, type Disturbance } from '../support/chaos/round.ts'

/** The same acts in each run, at moments that differ; `npm run test:long` plays random ones. */
const seed = Number(process.env.CHAOS_SEED ?? 661_745)
const ROUNDS: Disturbance[] = [
  'nothing',
  'nothing',
  'devicesDie',
  'devicesDie',
  'devicesAreReset',
  'engineDies',
  'engineDies',
  'serversRestart',
  'serverDies',
  'clocksStep',
]

let rounds: ChaosRounds
beforeAll(async () => {
  rounds = await ChaosRounds.start({
    seed,
    devices: 8,
    faults: [['noTimer', 'dropsSession'], ['neverOnboards'], ['deaf', 'powerLoss'], ['rejectsWrite']],
    informIntervalS: 100,
    timeScale: 20,
  })
})
afterAll(() => rounds?.stop(), 60_000)

it(`devices, records and plans agree after ${ROUNDS.length} rounds in which plans are steered and anything dies (seed ${seed})`, {
  timeout: 1_500_000,
}, async () => {
  await rounds.run(ROUNDS, 6)
  expect([...rounds.seen]).toEqual(expect.arrayContaining(['retired', 'rolledBack', 'fail']))
})
