import { isWithin, parentOf } from '../../datamodel/index.ts'
import {
  bootstrapOf,
  type Device,
  type DeviceSnapshot,
  type MemberFacts,
  type PathOutcome,
  type PathValue,
  wasResetSince,
} from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import { type MtpRows, writtenNames } from '../../usp/index.ts'
import type { Script } from '../machine/script.ts'
import { shownEndpointId } from '../readiness/shown-endpoint-id.ts'
import { certificateSerials, plainSerial } from './certificate-serials.ts'
import { AGENT, CERTIFICATES, CREDENTIALS, INFORM_INTERVAL, mtpOfPlan, plainReference, ROLES, rowsOf } from './rows.ts'
import { ROLE_NAME } from './trust.ts'

type Values = Map<string, PathOutcome>

const MAX_READS = 3

/**
 * Reads the values that a rollback restores and the rows that the CPE has already, and stores them as the snapshot of
 * the device. When an earlier plan left a snapshot, because the record of the device was deleted meanwhile, that one
 * decides which rows the CPE had before, unless the CPE was reset to factory settings since. `device`: the record from
 * the same time.
 */
export async function snapshot(
  script: Script,
): Promise<{ facts: Partial<MemberFacts>; snapshot: DeviceSnapshot; device: Device }> {
  const { device, values } = await readSince(script)
  const shown = shownEndpointId(values.get(`${AGENT}EndpointID`)?.value ?? '')
  if ('problem' in shown) throw new StepFailed('noEndpointId', shown.problem, false)
  const { controller } = script.plan.settings
  const left = await script.snapshot()
  const earlier = wasResetSince(left?.bootstrapAt, device) ? undefined : left
  const bootstrapAt = bootstrapOf(device) || (earlier?.bootstrapAt ?? 0)
  const row = controllerRow(values, controller.endpointId)
  // A row that the CPE had and then lost counts as added by a plan when it is there again.
  const preexisting =
    earlier === undefined || row === undefined ? preexistingOf(values, row, mtpOfPlan(script)) : earlier.preexisting
  const interval = earlier?.slept === true ? earlier.interval : values.get(INFORM_INTERVAL)?.value
  const trusted = trustOf(script, values)
  const certificate = trusted.certificate ?? earlier?.certificate
  const stored: DeviceSnapshot = {
    deviceId: script.member.deviceId,
    planId: script.plan.id,
    at: script.deps.clock.now(),
    controller: { endpointId: controller.endpointId, host: controller.host },
    bootstrapAt,
    ...(interval === undefined ? {} : { interval }),
    slept: earlier?.slept ?? false,
    ...(preexisting === undefined ? {} : { preexisting }),
    trust: {
      role: rolesNamed(values).length > 0 && (earlier?.trust.role ?? true),
      credential: trusted.credential !== undefined && (earlier?.trust.credential ?? true),
    },
    ...(certificate === undefined ? {} : { certificate }),
    created: earlier?.created ?? [],
  }
  const facts: Partial<MemberFacts> = {
    endpointId: shown.endpointId,
    bootstrapAt,
    ...trusted,
    ...(interval === undefined ? {} : { interval }),
  }
  if (row !== undefined) {
    facts.controllerRow = row
    const mtp = mtpRow(values, row, mtpOfPlan(script))
    if (mtp !== undefined) facts.mtpRow = mtp
  }
  return { facts, snapshot: stored, device }
}

/**
 * Reads the data model and the record, both from the time between the same two factory resets. The read has the last
 * bootstrap in its name, so that a reset during the read, or before a restart of the server, causes a new read.
 */
async function readSince(script: Script): Promise<{ device: Device; values: Values }> {
  for (let tries = 0; tries < MAX_READS; tries++) {
    const before = bootstrapOf(await script.device())
    const values = await script.read(`snapshot ${before}`, [AGENT, INFORM_INTERVAL], 'cwmp', { more: true })
    const device = await script.device()
    if (bootstrapOf(device) === before) return { device, values }
  }
  throw new StepFailed('bootstrap', 'the device was reset to factory settings during each read', true)
}

/** Returns the Controller row with the Endpoint ID of this Controller. */
function controllerRow(values: Values, endpointId: string): string | undefined {
  const own = [...values].find(
    ([path, outcome]) => /^Device\.USPAgent\.Controller\.\d+\.EndpointID$/.test(path) && outcome.value === endpointId,
  )
  return own === undefined ? undefined : parentOf(`${own[0]}.`)
}

/** Returns the first MTP row of the plan's protocol below a Controller row. */
function mtpRow(values: Values, row: string, { protocol }: MtpRows): string | undefined {
  const found = [...values].find(
    ([path, outcome]) => isWithin(path, `${row}MTP.`) && path.endsWith('.Protocol') && outcome.value === protocol,
  )
  return found === undefined ? undefined : parentOf(`${found[0]}.`)
}

/** Returns the Controller row that exists before the first attempt: a rollback restores it and does not delete it. */
function preexistingOf(values: Values, row: string | undefined, mtp: MtpRows): DeviceSnapshot['preexisting'] {
  if (row === undefined) return undefined
  const mtps = rowsOf(`${row}MTP.`, values)
  return { row, mtps, values: valuesBefore(values, row, mtp) }
}

/** Returns the present values that PREPARING changes. */
function valuesBefore(values: Values, row: string, mtp: MtpRows): PathValue[] {
  const own = ['Enable', 'AssignedRole', 'PeriodicNotifInterval', 'Credential', 'ControllerCode', 'ProvisioningCode']
  const paths = own.map((name) => row + name)
  const before = mtpRow(values, row, mtp)
  if (before !== undefined) paths.push(...['Enable', ...writtenNames(mtp)].map((name) => before + name))
  return paths.flatMap((path) => {
    const value = values.get(path)?.value
    return value === undefined ? [] : [{ path, value }]
  })
}

/**
 * Returns a role with full permissions, the certificate of this Controller or its chain, and its credential, where the
 * CPE has them.
 */
function trustOf(script: Script, values: Values): Pick<MemberFacts, 'role' | 'certificate' | 'credential'> {
  const facts: Pick<MemberFacts, 'role' | 'certificate' | 'credential'> = {}
  const role = roleOf(values)
  if (role !== undefined) facts.role = role
  const pem = script.plan.settings.controller.certificate
  if (pem === undefined) return facts
  const serials = certificateSerials(pem)
  const certificate = rowsOf(CERTIFICATES, values).find((row) =>
    serials.includes(plainSerial(values.get(`${row}SerialNumber`)?.value ?? '')),
  )
  if (certificate === undefined) return facts
  facts.certificate = plainReference(certificate)
  const credential = rowsOf(CREDENTIALS, values).find(
    (row) => plainReference(values.get(`${row}Credential`)?.value ?? '') === facts.certificate,
  )
  if (credential !== undefined) facts.credential = credential
  return facts
}

function rolesNamed(values: Values): string[] {
  return rowsOf(ROLES, values).filter((row) => values.get(`${row}Name`)?.value === ROLE_NAME)
}

/**
 * Returns a role with full permissions: by its name, else one that may read and write `Device.`; undefined when there
 * is none.
 */
function roleOf(values: Values): string | undefined {
  const trust = (name: string) => plainReference(values.get(`${AGENT}ControllerTrust.${name}`)?.value ?? '')
  const useless = [trust('UntrustedRole'), trust('BannedRole')]
  const roles = rowsOf(ROLES, values)
    .map((row) => ({ row: row.slice(0, -1), name: values.get(`${row}Name`)?.value ?? '' }))
    .filter(({ row }) => !useless.includes(row) && values.get(`${row}.Enable`)?.value !== 'false')
  return (roles.find(({ name }) => /full/i.test(name)) ?? roles.find(({ row }) => mayAll(row, values)))?.row
}

function mayAll(role: string, values: Values): boolean {
  return rowsOf(`${role}.Permission.`, values).some((row) => {
    const value = (name: string) => values.get(row + name)?.value ?? ''
    const targets = value('Targets').split(',')
    const enabled = ['true', '1'].includes(value('Enable'))
    return enabled && targets.some((target) => target.trim() === 'Device.') && /^rw/.test(value('Param'))
  })
}
