import { X509Certificate } from 'node:crypto'
import { type Script, StepFailed } from '../script.ts'
import { AGENT, addRow, CERTIFICATES, CREDENTIALS, ROLES, rowsOf } from './rows.ts'

/** The name of a role that we add. */
export const ROLE_NAME = 'Isthmus'

/** Everything below `Device.`, for the Controller that manages the box (TR-369 on Role.{i}.Permission.{i}). */
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
 * The rows by which the box trusts us: a role that may do our work, and, when the Controller speaks TLS, its certificate with a credential
 * that gives it this role.
 */
export async function trust(script: Script): Promise<void> {
  await script.step('role', () => role(script))
  await script.step('permission', () => permission(script))
  const { tls, certificate } = script.plan.settings.controller
  if (!tls || certificate === undefined) return
  await script.step('certificate', () => addCertificate(script, certificate))
  await script.step('credential', () => credential(script))
}

async function role(script: Script): Promise<{ facts?: Record<string, string> }> {
  if (script.fact('role') !== undefined) return {}
  const { row, created } = await addRow(script, 'role', ROLES, {
    needed: { Name: ROLE_NAME, Enable: 'true' },
    wished: {},
  })
  return { facts: { role: row.slice(0, -1), ownRole: 'true', created } }
}

async function permission(script: Script): Promise<Record<string, never>> {
  if (script.fact('ownRole') !== 'true') return {}
  // It goes with its role: nothing of its own to take away.
  await addRow(script, 'permission', `${script.fact('role')}.Permission.`, { needed: FULL_PERMISSION, wished: {} })
  return {}
}

/** Puts our certificate on the box; its row is found by the serial number. CWMP has no way to take a certificate off again. */
async function addCertificate(script: Script, pem: string): Promise<{ facts?: Record<string, string> }> {
  if (script.fact('certificate') !== undefined) return {}
  const values = [{ path: `${AGENT}AddCertificate`, value: pem }]
  // A box that has it may refuse to take it again; what counts is that it is there.
  const added = await script.run('certificate', { verb: 'set', values }, 'cwmp', { tolerate: true })
  const found = await script.read('certificateReadBack', [CERTIFICATES], 'cwmp')
  const serial = certificateSerial(pem)
  const row = rowsOf(CERTIFICATES, found).find(
    (candidate) => plainSerial(found.get(`${candidate}SerialNumber`)?.value ?? '') === serial,
  )
  if (row === undefined) {
    const error = added.result?.error ?? added.result?.results.find((result) => result.error !== undefined)?.error
    throw new StepFailed(
      error?.code ?? 'noCertificate',
      `certificate: ${error?.text ?? 'the box did not keep it'}`,
      true,
    )
  }
  return { facts: { certificate: row.slice(0, -1) } }
}

async function credential(script: Script): Promise<{ facts?: Record<string, string> }> {
  if (script.fact('credential') !== undefined) return {}
  const { row, created } = await addRow(script, 'credential', CREDENTIALS, {
    needed: { Credential: script.fact('certificate') ?? '', Enable: 'true' },
    wished: { Role: script.fact('role') ?? '', AllowedUses: 'MTP-and-USP' },
  })
  return { facts: { credential: row, created } }
}

/** The serial number of a PEM certificate. */
export function certificateSerial(pem: string): string {
  return plainSerial(new X509Certificate(pem).serialNumber)
}

/** Boxes write serial numbers with and without colons, leading zeros and capitals. */
export function plainSerial(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^0-9A-F]/g, '')
    .replace(/^0+/, '')
}
