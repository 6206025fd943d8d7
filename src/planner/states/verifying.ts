import { sameValue } from '../../datamodel/index.ts'
import { type Outcome, type Script, StepFailed } from '../script.ts'
import { notifies, ownCode } from './notifies.ts'

const INFO = 'Device.DeviceInfo.'

/**
 * Over USP, with CWMP beside it: is this the same box, does it say the same, does it do what it is told, do its notifications arrive, and does
 * CWMP still answer as the way back.
 */
export async function verifying(script: Script): Promise<Outcome> {
  await script.step('identity', () => identity(script))
  await script.step('versions', () => versions(script))
  await script.step('parity', () => parity(script))
  await script.step('set', () => harmlessSet(script))
  await notifies(script)
  return { kind: 'event', event: 'verified' }
}

async function identity(script: Script): Promise<Record<string, never>> {
  const device = await script.device()
  const values = await script.read(
    'identity',
    ['ManufacturerOUI', 'ProductClass', 'SerialNumber'].map((name) => INFO + name),
    'usp',
  )
  const found = (name: string) => values.get(INFO + name)?.value ?? ''
  if (
    found('ManufacturerOUI').toUpperCase() !== device.oui ||
    found('SerialNumber') !== device.serial ||
    found('ProductClass') !== device.productClass
  ) {
    throw new StepFailed(
      'identity',
      `over USP the box is ${found('ManufacturerOUI')}-${found('ProductClass')}-${found('SerialNumber')}`,
      false,
    )
  }
  return {}
}

async function versions(script: Script): Promise<Record<string, never>> {
  const device = await script.device()
  const theirs = (device.usp?.versions ?? '').split(',').map((version) => version.trim())
  if (!theirs.some((version) => /^1\.[0-4]$/.test(version)))
    throw new StepFailed('versions', `no common USP version: ${device.usp?.versions ?? 'none told'}`, false)
  return {}
}

/** The same parameters over both protocols: the data-model instance is shared, so paths and numbers are too. */
async function parity(script: Script): Promise<Record<string, never>> {
  const paths = [...new Set([`${INFO}SoftwareVersion`, ...script.plan.settings.parityPaths])]
  const overUsp = await script.read('parityUsp', paths, 'usp')
  const overCwmp = await script.read('parityCwmp', paths, 'cwmp')
  for (const path of paths) {
    const usp = overUsp.get(path)
    const cwmp = overCwmp.get(path)
    if (usp?.value === undefined && cwmp?.value === undefined) continue
    if (usp?.value === undefined || cwmp?.value === undefined)
      throw new StepFailed('parity', `${path} is missing over ${usp === undefined ? 'USP' : 'CWMP'}`, false)
    // Boxes that call every value a string over CWMP are common: what either side knows as the type counts.
    const types = [cwmp.type, usp.type].map((type) => type ?? 'string')
    if (!types.some((type) => sameValue(type, usp.value ?? '', cwmp.value ?? '')))
      throw new StepFailed(
        'parity',
        `${path} is ${JSON.stringify(usp.value)} over USP and ${JSON.stringify(cwmp.value)} over CWMP`,
        true,
      )
  }
  return {}
}

/** Our own Controller row is ours to write: its ControllerCode means nothing to the box. */
async function harmlessSet(script: Script): Promise<Record<string, never>> {
  const path = ownCode(script)
  const value = `isthmus-${script.plan.id.slice(-8)}-${script.member.attempt}`
  await script.run('set', { verb: 'set', values: [{ path, value }] }, 'usp')
  const found = (await script.read('setReadBack', [path], 'usp')).get(path)?.value
  if (found !== value) throw new StepFailed('set', `${path} was set and is ${JSON.stringify(found)}`, true)
  return {}
}
