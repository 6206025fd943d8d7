import fc from 'fast-check'
import { expect } from 'vitest'
import { GuardedRouter, ValueRefused } from '../../src/bridge/index.ts'
import { type RouterCommand, RouterOsError } from '../../src/routeros/index.ts'
import { forbidden } from './hostile-words.ts'
import { randomCommand } from './random-commands.ts'
import { ScriptedRouterOs } from './scripted-router-os.ts'

/**
 * Gives random commands to a guarded router, and checks each that passes against a list of its own. Resolves with the
 * number of those that passed.
 */
export async function guardLetsOnlyListedWordsPass(numRuns: number): Promise<number> {
  let passed = 0
  const router = new ScriptedRouterOs(() => ({ rows: [{ name: 'x', password: 'p', 'on-up': 'code' }] }))
  const guarded = new GuardedRouter(router, () => 3)
  await fc.assert(
    fc.asyncProperty(randomCommand, async (command) => {
      const sent = await outcome(guarded, command)
      for (const { command: made } of router.commands) expect(forbidden(made)).toBeUndefined()
      for (const { command: made } of router.streams) expect(forbidden(made)).toBeUndefined()
      passed += sent
      router.commands.length = 0
      router.streams.length = 0
    }),
    { numRuns },
  )
  return passed
}

async function outcome(guarded: GuardedRouter, command: RouterCommand): Promise<number> {
  try {
    if (command.path.endsWith('/listen')) {
      guarded.stream(command, { onRow: () => undefined, onEnd: () => undefined })
      return 1
    }
    const { rows } = await guarded.command(command)
    expect(rows).toEqual([{ name: 'x' }])
    return 1
  } catch (error) {
    if (error instanceof RouterOsError) expect(error).toMatchObject({ kind: 'refused', sent: false })
    else expect(error).toBeInstanceOf(ValueRefused)
    return 0
  }
}
