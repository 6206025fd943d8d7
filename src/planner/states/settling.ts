import { type Device, type DeviceChange, STRONG_PROOFS } from '../../device/index.ts'
import { type Outcome, type Script, StepFailed } from '../script.ts'

const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'
/** A link may be lost this long while soaking: boxes reboot. */
const LINK_GRACE_MS = 90_000
const LOOK_MS = 5000

/** DUAL: USP owns the box, CWMP stays alive, and both are watched for the soak time. */
export async function dual(script: Script): Promise<Outcome> {
  const { clock } = script.deps
  await script.step('owner', async () => ({ change: ownerChange(await script.device(), 'usp', clock.now()) }))
  const device = await script.device()
  const now = clock.now()
  const lostForMs =
    device.usp?.linked === true ? 0 : now - Math.max(device.usp?.disconnectedAt ?? 0, script.member.enteredAt)
  if (lostForMs > LINK_GRACE_MS)
    return {
      kind: 'event',
      event: 'fail',
      reason: { code: 'linkLost', text: 'the USP link did not come back' },
      retryable: true,
    }
  const leftMs = script.member.enteredAt + script.plan.settings.soakMs - now
  if (leftMs > 0) return { kind: 'wait', waiting: 'soak', untilMs: Math.min(leftMs, LOOK_MS) }
  return lostForMs > 0 ? { kind: 'wait', waiting: 'agent', untilMs: LOOK_MS } : { kind: 'event', event: 'soakOver' }
}

/** RETIRING: CWMP goes to sleep with a long inform interval; never before the identity is strongly proven. */
export async function retiring(script: Script): Promise<Outcome> {
  const { retire, dormantIntervalS } = script.plan.settings
  if (retire === 'none') return { kind: 'event', event: 'retired' }
  const proof = (await script.device()).binding?.proof
  if (proof === undefined || !STRONG_PROOFS.includes(proof))
    throw new StepFailed('weakProof', `the identity is only proven by ${proof ?? 'nothing'}`, false)
  await script.step('dormant', async () => {
    await script.run('dormant', { verb: 'set', values: [{ path: INTERVAL, value: String(dormantIntervalS) }] }, 'cwmp')
    const found = (await script.read('dormantReadBack', [INTERVAL], 'cwmp')).get(INTERVAL)?.value
    if (found !== String(dormantIntervalS)) throw new StepFailed('readBack', `${INTERVAL} is ${found}`, true)
    return {}
  })
  return { kind: 'event', event: 'retired' }
}

/** ROLLING_BACK: the owner first, so that nobody writes over USP any more; then what we added and changed, in reverse. */
export async function rollingBack(script: Script): Promise<Outcome> {
  const { clock } = script.deps
  await script.step('owner', async () => ({ change: ownerChange(await script.device(), 'cwmp', clock.now()) }))
  try {
    await undo(script)
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    const device = await script.device()
    const event = error.reason.code === 'offline' && device.usp?.linked !== true ? 'stranded' : 'rollbackFailed'
    return { kind: 'event', event, reason: { code: error.reason.code, text: `rollback: ${error.reason.text}` } }
  }
  return { kind: 'event', event: 'rolledBack' }
}

async function undo(script: Script): Promise<void> {
  const row = script.fact('controllerRow')
  if (row !== undefined && script.fact('createdRow') === 'true') {
    await script.step('delete', async () => {
      const operation = await script.run('delete', { verb: 'delete', paths: [row] }, 'cwmp', { tolerate: true })
      const error = operation.result?.error
      // A row that is not there any more is what was wanted.
      if (operation.state === 'failed' && error?.code !== '9005')
        throw new StepFailed(error?.code ?? 'failed', `delete: ${error?.text ?? 'failed'}`, true)
      return {}
    })
  }
  const interval = script.fact('interval')
  if (interval !== undefined && interval !== '' && script.member.cursor['RETIRING.dormant'] !== undefined) {
    await script.step('interval', async () => {
      await script.run('interval', { verb: 'set', values: [{ path: INTERVAL, value: interval }] }, 'cwmp')
      return {}
    })
  }
}

/** Nothing to change when it is the owner already: repeating is safe. */
function ownerChange(device: Device, owner: 'cwmp' | 'usp', now: number): DeviceChange {
  if (device.owner === owner) return { deviceId: device.id }
  return {
    deviceId: device.id,
    set: { owner },
    newRevision: true,
    guard: { owner: device.owner },
    events: [
      {
        type: 'device.ownerChanged',
        at: now,
        deviceId: device.id,
        protocol: owner,
        data: { from: device.owner, to: owner },
      },
    ],
  }
}
