import type { RunOptions } from '../../rollout/index.ts'
import type { Script } from '../machine/script.ts'
import { INFORM_INTERVAL } from './rows.ts'

/**
 * Restores the inform interval of a CPE that a plan has let sleep. `first`: before USP is taken away, because a sleeping
 * CPE without connection requests comes to each later step after a day only. A refusal is passed over then. `last`: looks
 * at the same operation again, and its refusal counts.
 */
export async function informAgain(script: Script, value: string, when: 'first' | 'last'): Promise<void> {
  const options: RunOptions = when === 'first' ? { tolerate: true, more: true } : {}
  await script.step(when === 'first' ? 'awake' : 'interval', async () => {
    await script.run('interval', { verb: 'set', values: [{ path: INFORM_INTERVAL, value }] }, 'cwmp', options)
    return {}
  })
}
