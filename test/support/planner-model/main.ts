import { check } from './check.ts'

/** `node --import tsx main.ts RUNS SEED [PATH]`: plays sequences in a process of its own. */
const [runs = '1000', seed = String(Date.now() % 1e9), path] = process.argv.slice(2)
const begun = performance.now()
console.log(`planner model: ${runs} sequences of seed ${seed}`)
await check({ runs: Number(runs), seed: Number(seed), ...(path === undefined ? {} : { path }) })
console.log(`passed in ${Math.round((performance.now() - begun) / 1000)} s`)
