import { AppError } from '../../base/index.ts'
import { isWithin, parentOf } from '../../datamodel/index.ts'
import type { DeviceChange, EndpointId, PathOutcome } from '../../device/index.ts'
import { type Outcome, type Script, StepFailed } from '../script.ts'

const AGENT = 'Device.USPAgent.'
const CONTROLLERS = `${AGENT}Controller.`
const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'

/**
 * Over CWMP: see what is there, bind the Endpoint ID, write Controller and MTP rows (disabled), read them back, enable them, ask for an
 * OnBoardRequest. Rows are added disabled so that a cut in the middle leaves nothing running.
 */
export async function preparing(script: Script): Promise<Outcome> {
  await script.step('snapshot', async () => ({ facts: await snapshot(script) }))
  const conflict = await bind(script)
  if (conflict !== undefined) return conflict
  await script.step('controller', () => addController(script))
  await script.step('mtp', () => addMtp(script))
  await script.step('readBack', () => readBack(script))
  await script.step('enable', () => enable(script))
  await script.step('onBoard', async () => {
    const values = [{ path: `${script.fact('controllerRow')}SendOnBoardRequest`, value: 'true' }]
    // An Agent dials an enabled Controller by itself; asking only makes it sooner.
    await script.run('onBoard', { verb: 'set', values }, 'cwmp', { tolerate: true })
    return {}
  })
  return { kind: 'event', event: 'prepared' }
}

/** What the way back needs, and what is there already from an earlier attempt. */
async function snapshot(script: Script): Promise<Record<string, string>> {
  const values = await script.read('snapshot', [AGENT, INTERVAL], 'cwmp')
  const endpointId = values.get(`${AGENT}EndpointID`)?.value ?? ''
  if (endpointId === '') throw new StepFailed('noEndpointId', 'Device.USPAgent.EndpointID is empty', false)
  const facts: Record<string, string> = { endpointId, interval: values.get(INTERVAL)?.value ?? '' }
  const own = [...values].find(
    ([path, outcome]) =>
      /^Device\.USPAgent\.Controller\.\d+\.EndpointID$/.test(path) &&
      outcome.value === script.plan.settings.controller.endpointId,
  )
  if (own !== undefined) {
    facts.controllerRow = parentOf(`${own[0]}.`)
    // A row of an earlier attempt is ours to take away; one that was there before the first is not.
    if (script.member.attempt > 1) facts.createdRow = 'true'
    const mtp = [...values.keys()].find(
      (path) =>
        isWithin(path, `${facts.controllerRow}MTP.`) &&
        path.endsWith('.Protocol') &&
        values.get(path)?.value === 'WebSocket',
    )
    if (mtp !== undefined) facts.mtpRow = parentOf(`${mtp}.`)
  }
  const role = roleOf(values)
  if (role !== undefined) facts.role = role
  return facts
}

/** A role that lets us do our work: named so, else the first that is not the untrusted one. */
function roleOf(values: Map<string, PathOutcome>): string | undefined {
  const untrusted = values.get(`${AGENT}ControllerTrust.UntrustedRole`)?.value?.replace('LocalAgent', 'USPAgent')
  const names = [...values]
    .filter(([path]) => /ControllerTrust\.Role\.\d+\.Name$/.test(path))
    .map(([path, outcome]) => ({ row: path.slice(0, -'.Name'.length), name: outcome.value ?? '' }))
  return (names.find(({ name }) => /full/i.test(name)) ?? names.find(({ row }) => row !== untrusted))?.row
}

/** The Endpoint ID that we read over an authenticated CWMP session is this device's; a device or an Endpoint ID bound otherwise is a Conflict. */
async function bind(script: Script): Promise<Outcome | undefined> {
  const endpointId = (script.fact('endpointId') ?? '') as EndpointId
  const device = await script.device()
  const now = script.deps.clock.now()
  if (device.binding !== undefined && device.binding.endpointId !== endpointId) {
    await openConflict(script, 'deviceBoundToOther', endpointId, { boundTo: device.binding.endpointId })
    return {
      kind: 'event',
      event: 'conflict',
      reason: { code: 'conflict', text: `the box shows ${endpointId}, but is bound to ${device.binding.endpointId}` },
    }
  }
  try {
    await script.step('bind', async () => {
      const change: DeviceChange = {
        deviceId: device.id,
        set: { binding: { endpointId, proof: 'bound', at: now } },
        newRevision: true,
        guard: { revision: device.revision },
        events: [
          {
            type: 'device.bound',
            at: now,
            deviceId: device.id,
            protocol: 'cwmp',
            data: { endpointId, proof: 'bound' },
          },
        ],
      }
      return device.binding?.proof === 'bound' ? {} : { change }
    })
    return undefined
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    const holder = await script.deps.devices.findByEndpoint(endpointId)
    if (holder === undefined || holder.id === device.id) throw error
    await openConflict(script, 'endpointAlreadyBound', endpointId, { boundTo: holder.id })
    return {
      kind: 'event',
      event: 'conflict',
      reason: { code: 'conflict', text: `${endpointId} is bound to ${holder.id}` },
    }
  }
}

function openConflict(
  script: Script,
  kind: 'deviceBoundToOther' | 'endpointAlreadyBound',
  endpointId: string,
  details: Record<string, string>,
): Promise<unknown> {
  const { deviceId } = script.member
  const at = script.deps.clock.now()
  return script.deps.conflicts.open(
    { id: script.deps.newId(), deviceId, kind, endpointId, proof: 'bound', details, at },
    { type: 'device.conflict', at, deviceId, protocol: 'cwmp', data: { kind, endpointId, ...details } },
  )
}

async function addController(script: Script): Promise<{ facts?: Record<string, string> }> {
  if (script.fact('controllerRow') !== undefined) return {}
  const { controller } = script.plan.settings
  const values: Record<string, string> = {
    EndpointID: controller.endpointId,
    Enable: 'false',
    PeriodicNotifInterval: String(controller.periodicNotifIntervalS),
  }
  const role = script.fact('role')
  if (role !== undefined) values.AssignedRole = role
  return {
    facts: {
      controllerRow: createdBy(await script.run('controller', { verb: 'add', object: CONTROLLERS, values }, 'cwmp')),
      createdRow: 'true',
    },
  }
}

async function addMtp(script: Script): Promise<{ facts?: Record<string, string> }> {
  const row = script.fact('controllerRow') ?? ''
  if (script.fact('mtpRow') === undefined) {
    const added = await script.run(
      'mtp',
      { verb: 'add', object: `${row}MTP.`, values: { Protocol: 'WebSocket', Enable: 'false', ...webSocket(script) } },
      'cwmp',
    )
    return { facts: { mtpRow: createdBy(added) } }
  }
  const values = Object.entries(webSocket(script)).map(([name, value]) => ({
    path: `${script.fact('mtpRow')}${name}`,
    value,
  }))
  await script.run('mtpAgain', { verb: 'set', values }, 'cwmp')
  return {}
}

function webSocket(script: Script): Record<string, string> {
  const { host, port, path, tls } = script.plan.settings.controller
  return {
    'WebSocket.Host': host,
    'WebSocket.Port': String(port),
    'WebSocket.Path': path,
    'WebSocket.EnableEncryption': String(tls),
    'WebSocket.KeepAliveInterval': '60',
  }
}

/** A box may say yes and do nothing: what was written is read before it is switched on. */
async function readBack(script: Script): Promise<Record<string, never>> {
  const row = script.fact('controllerRow') ?? ''
  const mtp = script.fact('mtpRow') ?? ''
  const values = await script.read('readBack', [row], 'cwmp')
  const wanted: Record<string, string> = {
    [`${row}EndpointID`]: script.plan.settings.controller.endpointId,
    [`${mtp}Protocol`]: 'WebSocket',
  }
  for (const [name, value] of Object.entries(webSocket(script))) wanted[mtp + name] = value
  for (const [path, value] of Object.entries(wanted)) {
    const found = values.get(path)?.value
    const same = found === value || (value === 'true' && found === '1') || (value === 'false' && found === '0')
    if (!same)
      throw new StepFailed('readBack', `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(value)}`, true)
  }
  return {}
}

async function enable(script: Script): Promise<Record<string, never>> {
  const values = [script.fact('mtpRow'), script.fact('controllerRow')].map((row) => ({
    path: `${row}Enable`,
    value: 'true',
  }))
  await script.run('enable', { verb: 'set', values }, 'cwmp')
  return {}
}

function createdBy(operation: { result?: { results: PathOutcome[] } }): string {
  const created = operation.result?.results.find((result) => result.created !== undefined)?.created
  if (created === undefined) throw new StepFailed('noRow', 'the box did not say which row it added', true)
  return created
}
