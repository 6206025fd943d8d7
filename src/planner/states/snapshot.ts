import { isWithin, parentOf } from '../../datamodel/index.ts'
import type { PathOutcome } from '../../device/index.ts'
import { type Script, StepFailed } from '../script.ts'
import {
  AGENT,
  CERTIFICATES,
  CREDENTIALS,
  INFORM_INTERVAL,
  ROLES,
  rowsOf,
  WEBSOCKET_WISHES,
  webSocketValues,
} from './rows.ts'
import { certificateSerial, plainSerial } from './trust.ts'

/** What the way back needs, and what is on the box already: rows of an earlier attempt, a role, our certificate. */
export async function snapshot(script: Script): Promise<Record<string, string>> {
  const values = await script.read('snapshot', [AGENT, INFORM_INTERVAL], 'cwmp')
  const endpointId = values.get(`${AGENT}EndpointID`)?.value ?? ''
  if (endpointId === '') throw new StepFailed('noEndpointId', 'Device.USPAgent.EndpointID is empty', false)
  return {
    endpointId,
    interval: values.get(INFORM_INTERVAL)?.value ?? '',
    ...ownRow(script, values),
    ...trusted(script, values),
  }
}

/** The row that names us already. One that was there before the first attempt is given back as it was, not taken away. */
function ownRow(script: Script, values: Map<string, PathOutcome>): Record<string, string> {
  const { controller } = script.plan.settings
  const own = [...values].find(
    ([path, outcome]) =>
      /^Device\.USPAgent\.Controller\.\d+\.EndpointID$/.test(path) && outcome.value === controller.endpointId,
  )
  const row = own === undefined ? '' : parentOf(`${own[0]}.`)
  const preexisting = script.fact('preexisting') ?? row
  if (row === '') return { preexisting }
  const facts: Record<string, string> = { preexisting, controllerRow: row }
  const protocol = [...values].find(
    ([path, outcome]) => isWithin(path, `${row}MTP.`) && path.endsWith('.Protocol') && outcome.value === 'WebSocket',
  )
  if (protocol !== undefined) facts.mtpRow = parentOf(`${protocol[0]}.`)
  if (row === preexisting) facts.before = script.fact('before') ?? valuesBefore(script, values, row, facts.mtpRow)
  else facts.created = row
  return facts
}

/** The values that preparing is going to change, for the way back. */
function valuesBefore(script: Script, values: Map<string, PathOutcome>, row: string, mtp: string | undefined): string {
  const own = ['Enable', 'AssignedRole', 'PeriodicNotifInterval', 'Credential', 'ControllerCode', 'ProvisioningCode']
  const paths = own.map((name) => row + name)
  if (mtp !== undefined)
    paths.push(
      ...['Enable', ...Object.keys({ ...webSocketValues(script.plan.settings), ...WEBSOCKET_WISHES })].map(
        (name) => mtp + name,
      ),
    )
  const before = paths.flatMap((path) => {
    const value = values.get(path)?.value
    return value === undefined ? [] : [{ path, value }]
  })
  return JSON.stringify(before)
}

function trusted(script: Script, values: Map<string, PathOutcome>): Record<string, string> {
  const facts: Record<string, string> = {}
  const role = roleOf(values)
  if (role !== undefined) facts.role = role
  const pem = script.plan.settings.controller.certificate
  if (pem === undefined) return facts
  const serial = certificateSerial(pem)
  const certificate = rowsOf(CERTIFICATES, values).find(
    (row) => plainSerial(values.get(`${row}SerialNumber`)?.value ?? '') === serial,
  )
  if (certificate === undefined) return facts
  facts.certificate = certificate.slice(0, -1)
  const credential = rowsOf(CREDENTIALS, values).find(
    (row) => values.get(`${row}Credential`)?.value?.replace(/\.$/, '') === facts.certificate,
  )
  if (credential !== undefined) facts.credential = credential
  return facts
}

/** A role that lets us do our work: named so, else one that may read and write everything; none when no role is like that. */
function roleOf(values: Map<string, PathOutcome>): string | undefined {
  const trust = (name: string) =>
    values.get(`${AGENT}ControllerTrust.${name}`)?.value?.replace('LocalAgent', 'USPAgent').replace(/\.$/, '')
  const useless = [trust('UntrustedRole'), trust('BannedRole')]
  const roles = rowsOf(ROLES, values)
    .map((row) => ({ row: row.slice(0, -1), name: values.get(`${row}Name`)?.value ?? '' }))
    .filter(({ row }) => !useless.includes(row) && values.get(`${row}.Enable`)?.value !== 'false')
  return (roles.find(({ name }) => /full/i.test(name)) ?? roles.find(({ row }) => mayAll(row, values)))?.row
}

function mayAll(role: string, values: Map<string, PathOutcome>): boolean {
  return rowsOf(`${role}.Permission.`, values).some((row) => {
    const value = (name: string) => values.get(row + name)?.value ?? ''
    const targets = value('Targets').split(',')
    const enabled = ['true', '1'].includes(value('Enable'))
    return enabled && targets.some((target) => target.trim() === 'Device.') && /^rw/.test(value('Param'))
  })
}
