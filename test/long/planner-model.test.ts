import { availableParallelism } from 'node:os'
import { it } from 'vitest'
import { playAll, seedOf } from '../support/planner-model/children.ts'

const PORTIONS = 50
const RUNS = 20_000

/** As test/model/planner.test.ts, with longer sequences as well. */
it('a planner keeps its promises in 1,000,000 random sequences', { timeout: 4 * 3_600_000 }, async () => {
  const seed = seedOf(process.env, Date.now() % 1_000_000_000)
  const portions = Array.from({ length: PORTIONS }, (_, i) => ({
    runs: RUNS,
    seed: seed + i,
    length: i % 5 === 0 ? 40 : 16,
  }))
  await playAll(portions, Math.min(availableParallelism(), 4))
})
