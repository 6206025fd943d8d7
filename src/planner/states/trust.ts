import type { Operation, OutcomeError } from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import type { Script, StepResult } from '../machine/script.ts'
import { certificateSerials, plainSerial } from './certificate-serials.ts'
import { AGENT, addRow, CERTIFICATES, CREDENTIALS, ROLES, rowsOf, withCreated } from './rows.ts'

/** The name of a role that we add. */
export const ROLE_NAME = 'Isthmus'

/** Everything below `Device.`, for the Controller that manages the device (TR-369 on Role.{i}.Permission.{i}). */
const FULL_PERMISSION = {
  Targets: 'Device.',
  Order: '1',
  Param: 'rw-n',
  Obj: 'rw-n',
  InstantiatedObj: 'rw-n',
  CommandEvent: 'r-xn',
  Enable: 'true',
}

/**
 * Faults of a table or command that CWMP may not use: 9001 refused, 9002 internal error, 9003 arguments, 9005 no such
 * name, 9008 not writable.
 */
const NOT_ALLOWED = /^900[12358]$/

/**
 * Writes the rows by which the device trusts us: a role that may do our work, and, when the Controller speaks TLS, its
 * certificate with a credential that gives it this role. Trust tables that CWMP cannot write are left as they are: many
 * devices take them from a trust store, and the TLS handshake shows whether the device trusts us.
 */
export async function trust(script: Script): Promise<void> {
  if (script.facts.role === undefined) await script.step('role', () => role(script))
  if (script.facts.ownRole === true) await script.step('permission', () => permission(script))
  const { tls, certificate, trust: wanted } = script.plan.settings.controller
  if (!tls || certificate === undefined || wanted === 'none') return
  if (script.facts.certificate === undefined)
    await script.step('certificate', () => addCertificate(script, certificate))
  await credentialOf(script)
}

async function credentialOf(script: Script): Promise<void> {
  const { certificate, credential: known } = script.facts
  if (certificate !== undefined && known === undefined)
    await script.step('credential', () => credential(script, certificate))
}

async function role(script: Script): Promise<StepResult> {
  try {
    const { row } = await addRow(script, 'role', ROLES, { needed: { Name: ROLE_NAME, Enable: 'true' }, wished: {} })
    return { facts: { role: row.slice(0, -1), ownRole: true }, ...(await withCreated(script, row)) }
  } catch (error) {
    return tolerated(error)
  }
}

async function permission(script: Script): Promise<StepResult> {
  // It goes with its role: nothing of its own to take away.
  const { row } = await addRow(script, 'permission', `${script.require('role')}.Permission.`, {
    needed: FULL_PERMISSION,
    wished: {},
  })
  return withCreated(script, row)
}

/**
 * Puts our certificate on the device; its row is found by the serial number. CWMP has no way to take a certificate off
 * again.
 */
async function addCertificate(script: Script, pem: string): Promise<StepResult> {
  // A device that has shown our TLS certificate to be good by a link needs no other proof.
  const { binding } = await script.device()
  if (binding?.proof === 'certificate') return {}
  const values = [{ path: `${AGENT}AddCertificate`, value: pem }]
  // A device that has it may refuse to take it again; what counts is that it is there.
  const added = await script.run('certificate', { verb: 'set', values }, 'cwmp', { tolerate: true, more: true })
  const found = await script.read('certificateReadBack', [CERTIFICATES], 'cwmp', { more: true })
  const serials = certificateSerials(pem)
  const row = rowsOf(CERTIFICATES, found).find((candidate) =>
    serials.includes(plainSerial(found.get(`${candidate}SerialNumber`)?.value ?? '')),
  )
  if (row === undefined) {
    const text = errorOf(added)?.text ?? 'the device did not keep our certificate'
    return { facts: { trustRefused: `certificate: ${text}` } }
  }
  const certificate = row.slice(0, -1)
  const snapshot = await script.snapshot()
  return { facts: { certificate }, ...(snapshot === undefined ? {} : { snapshot: { ...snapshot, certificate } }) }
}

async function credential(script: Script, certificate: string): Promise<StepResult> {
  try {
    const { row } = await addRow(script, 'credential', CREDENTIALS, {
      needed: { Credential: certificate, Enable: 'true' },
      wished: { Role: script.facts.role ?? '', AllowedUses: 'MTP-and-USP' },
    })
    return { facts: { credential: row }, ...(await withCreated(script, row)) }
  } catch (error) {
    return tolerated(error)
  }
}

/** A refusal of the table itself is noted and passed over; anything else is thrown. */
function tolerated(error: unknown): StepResult {
  if (!(error instanceof StepFailed) || !NOT_ALLOWED.test(error.reason.code)) throw error
  return { facts: { trustRefused: error.reason.text } }
}

function errorOf(operation: Operation): OutcomeError | undefined {
  return operation.result?.error ?? operation.result?.results.find((result) => result.error !== undefined)?.error
}
