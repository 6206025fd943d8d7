import fc from 'fast-check'
import { type Sequence, sequences } from './commands.ts'
import { Play } from './play.ts'

export interface CheckOptions {
  runs: number
  seed: number
  /** Events of a sequence at most. */
  length?: number
  /** The path to a failure of this seed, from its message. */
  path?: string
}

/**
 * Plays random sequences. Rejects with the shortest one found that breaks an invariant, and with the seed and path that
 * lead to it again.
 */
export async function check({ runs, seed, length = 30, path }: CheckOptions): Promise<void> {
  const { stackTraceLimit } = Error
  // Members wait by errors, and a trace costs as much as the rest of a step. A failure is played again with its path.
  if (path === undefined) Error.stackTraceLimit = 0
  try {
    await assertAll({ runs, seed, length, path })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function assertAll({ runs, seed, length, path }: Required<Omit<CheckOptions, 'path'>> & { path: string | undefined }) {
  return fc.assert(fc.asyncProperty(sequences(length), play), {
    numRuns: runs,
    seed,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
  })
}

/** Plays one sequence. A promise that was rejected and that nobody looked at is a defect of the sequence as well. */
export async function play(sequence: Sequence): Promise<void> {
  const rejected: unknown[] = []
  const note = (error: unknown) => void rejected.push(error)
  process.on('unhandledRejection', note)
  try {
    await new Play(sequence).run(sequence)
    // Node tells of rejections once nothing else is left to do.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', note)
  }
  if (rejected.length > 0) throw new Error('a promise was rejected, and nobody looked at it', { cause: rejected[0] })
}
