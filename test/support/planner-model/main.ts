import { check } from './check.ts'

/** `node --import tsx main.ts RUNS SEED LENGTH [PATH]`: plays random sequences in a process of its own. */
const [runs = '1000', seed = String(Date.now() % 1e9), length = '16', path] = process.argv.slice(2)
try {
  await check({
    runs: Number(runs),
    seed: Number(seed),
    length: Number(length),
    ...(path === undefined || path === '' ? {} : { path }),
  })
  const cpu = process.cpuUsage()
  const ms = (cpu.user + cpu.system) / 1000 / Number(runs)
  console.log(`${runs} sequences of up to ${length} events, seed ${seed}: ${ms.toFixed(1)} ms of CPU each`)
} catch (error) {
  // The error that was thrown says which invariant broke; the one around it says how to play it again.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : ''
  console.log(`${error instanceof Error ? error.message : String(error)}\n\n${cause}`)
  process.exitCode = 1
}
