import type { DeviceSnapshot } from '../../domain/index.ts'
import type { Script } from '../machine/script.ts'
import { changeRow } from './bridge-row.ts'
import { informAgain } from './inform-again.ts'
import { linkEnds, linkIsGone } from './link-ends.ts'
import { INFORM_INTERVAL } from './rows.ts'

/** A bridge asks for its rows every five seconds, and ends the Agent then. */
const BRIDGE_ENDS_MS = 15_000

/** Reads over CWMP, so that the router has opened a session before it loses USP. */
export async function findAtBridge(script: Script): Promise<Record<string, never>> {
  await script.read('find', [INFORM_INTERVAL], 'cwmp', { more: true })
  return {}
}

/** Restores the interval, has the bridge end the Agent, with the policy of before, and waits for the end of the link. */
export async function undoAtBridge(script: Script, { bridge, slept, interval }: DeviceSnapshot): Promise<void> {
  if (bridge === undefined) return
  const sleeps = slept && interval !== undefined
  if (sleeps) await informAgain(script, interval, 'first')
  await script.step('row', async () => {
    await changeRow(script, bridge, () => ({ agent: false, policy: bridge.policy }))
    return { facts: { linkUntilMs: script.deps.time.now() + BRIDGE_ENDS_MS } }
  })
  await script.step('linkEnds', () => linkEnds(script))
  await script.step('linkGone', () => linkIsGone(script))
  if (sleeps) await informAgain(script, interval, 'last')
}
