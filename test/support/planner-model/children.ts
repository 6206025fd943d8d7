import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Portion {
  runs: number
  seed: number
  length: number
}

/** Most of what a sequence makes dies young: with more room for it, collecting costs a tenth less. */
const FLAGS = ['--min-semi-space-size=16', '--max-semi-space-size=32', '--import', 'tsx']

/** The seed that the environment gives, or another one. */
export function seedOf(env: NodeJS.ProcessEnv, otherwise: number): number {
  return Number(env.PLANNER_MODEL_SEED ?? otherwise)
}

/**
 * Plays portions of sequences, so many processes at once. Rejects with the output of the first one that finds a broken
 * invariant.
 */
export async function playAll(portions: readonly Portion[], processes: number): Promise<void> {
  const left = [...portions]
  const work = async () => {
    for (let portion = left.shift(); portion !== undefined; portion = left.shift()) await playOne(portion)
  }
  await Promise.all(Array.from({ length: processes }, work))
}

function playOne({ runs, seed, length }: Portion): Promise<void> {
  const args = [...FLAGS, join(import.meta.dirname, 'main.ts'), String(runs), String(seed), String(length)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (told += text.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) {
        console.log(told.trim())
        resolve()
        return
      }
      const again = `node --import tsx test/support/planner-model/main.ts ${runs} ${seed} ${length} PATH`
      reject(new Error(`${told.slice(0, 20_000)}\n\nPlay it again with the path that stands above:\n${again}`))
    })
  })
}
