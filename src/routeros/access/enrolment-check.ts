import type { RouterCommand, RouterOs, RouterRow } from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'
import { parseBoolean } from '../values/numbers.ts'

/** One thing that a network engineer should know of a router, or has to change on it. */
interface EnrolmentFinding {
  /** `error`: the router cannot be used so. `warning`: something will not work, or is unsafe. */
  severity: 'error' | 'warning' | 'info'
  code: 'missingRight' | 'untestedRight' | 'deviceMode' | 'flagged' | 'account' | 'service' | 'version' | 'identity'
  /** The right of the group (RouterOS manual, user groups), or the feature of the device-mode. */
  subject?: string
  message: string
}

/** A router as it says of itself, and what was found. */
interface EnrolmentReport {
  identity: {
    /** Of the board; of a CHR or x86 the identity of its licence. */
    serial?: string
    model?: string
    version?: string
    architecture?: string
    /** Name that the operator gave it. */
    name?: string
  }
  findings: EnrolmentFinding[]
}

interface EnrolmentOptions {
  /** Name of the account. */
  user: string
  /**
   * `watch`: nothing is changed on the router, and no right to do so is needed. `manage`: the right to write is tried by
   * setting the name of the router to what it is.
   */
  purpose: 'watch' | 'manage'
}

/** Features of the device-mode (RouterOS manual, since 7.17 preset at the factory) and what is impossible without them. */
const FEATURES: Readonly<Record<string, string>> = {
  fetch: 'firmware and files cannot be downloaded from a URL',
  'install-any-version': 'versions below the allowed ones cannot be installed',
}

/** Errors of one command that leave the connection as it is. */
const ANSWERS = new Set(['trap', 'refused', 'timeout', 'tooLarge', 'busy'])

/** Oldest versions that are tested: 6.49, and all of 7. */
const OLDEST = [6, 49] as const

/**
 * Looks at a router before it is taken over: its identity, rights of the account, device-mode, services. A lack
 * is a finding, never an error of the call. RouterOsError when the connection ends meanwhile.
 */
export async function enrolmentCheck(router: RouterOs, { user, purpose }: EnrolmentOptions): Promise<EnrolmentReport> {
  const findings: EnrolmentFinding[] = []
  const look = new Look(router, findings)
  const resource = await look.row('/system/resource/print', ['version', 'board-name', 'architecture-name'])
  const name = (await look.row('/system/identity/print', ['name']))?.name
  const board = await look.row('/system/routerboard/print', ['model', 'serial-number'])
  const license = board?.['serial-number']
    ? undefined
    : await look.row('/system/license/print', ['system-id', 'software-id'])
  const serial = board?.['serial-number'] || license?.['system-id'] || license?.['software-id']
  const version = resource?.version
  if (serial === undefined && look.mayRead)
    findings.push({
      severity: 'error',
      code: 'identity',
      message: 'the router has no serial number: neither /system/routerboard nor /system/license shows one',
    })
  findings.push(...versionFindings(version))
  if (user === 'admin')
    findings.push({
      severity: 'warning',
      code: 'account',
      message: 'the account is admin, which may do everything: make one of its own with the rights that are needed',
    })
  if (look.mayRead) {
    if (purpose === 'manage') await look.tryWrite(name)
    await look.tryTest()
    findings.push(...deviceModeFindings(await look.row('/system/device-mode/print')))
    findings.push(
      ...serviceFindings(await look.rows('/ip/service/print', ['name', 'disabled', 'address', 'certificate'])),
    )
  }
  const model = board?.model || resource?.['board-name']
  const architecture = resource?.['architecture-name']
  return {
    identity: {
      ...(serial === undefined ? {} : { serial }),
      ...(model === undefined ? {} : { model }),
      ...(version === undefined ? {} : { version }),
      ...(architecture === undefined ? {} : { architecture }),
      ...(name === undefined ? {} : { name }),
    },
    findings,
  }
}

/** Reads of menus that a router may not have, and trials of rights. */
class Look {
  mayRead = true
  private readonly router: RouterOs
  private readonly findings: EnrolmentFinding[]

  constructor(router: RouterOs, findings: EnrolmentFinding[]) {
    this.router = router
    this.findings = findings
  }

  /** Rows of a menu; none where the router does not have it, or does not show it. */
  async rows(path: string, proplist?: readonly string[]): Promise<readonly RouterRow[]> {
    const reply = await this.attempt(
      { path, ...(proplist === undefined ? {} : { proplist }) },
      'read',
      'the router cannot be read',
    )
    return reply ?? []
  }

  async row(path: string, proplist?: readonly string[]): Promise<RouterRow | undefined> {
    return (await this.rows(path, proplist))[0]
  }

  async tryWrite(name: string | undefined): Promise<void> {
    if (name === undefined) return
    const command: RouterCommand = { path: '/system/identity/set', args: { name }, writes: true }
    await this.attempt(command, 'write', 'nothing can be changed on the router')
    this.findings.push({
      severity: 'info',
      code: 'untestedRight',
      subject: 'reboot',
      message: 'the right `reboot` cannot be tried without a restart; restarts and upgrades need it',
    })
  }

  async tryTest(): Promise<void> {
    const command: RouterCommand = { path: '/ping', args: { address: '127.0.0.1', count: '1' } }
    await this.attempt(command, 'test', 'ping, traceroute and scans of radios are refused')
  }

  /** Resolves with the rows, or undefined when the router refused. */
  private async attempt(
    command: RouterCommand,
    right: string,
    consequence: string,
  ): Promise<readonly RouterRow[] | undefined> {
    try {
      return (await this.router.command(command)).rows
    } catch (error) {
      if (!(error instanceof RouterOsError) || !ANSWERS.has(error.kind)) throw error
      if (/not enough permissions/.test(error.message)) this.missing(right, consequence)
      return undefined
    }
  }

  private missing(right: string, consequence: string): void {
    if (right === 'read') this.mayRead = false
    if (this.findings.some(({ code, subject }) => code === 'missingRight' && subject === right)) return
    this.findings.push({
      severity: right === 'test' ? 'warning' : 'error',
      code: 'missingRight',
      subject: right,
      message: `the group of the account lacks the right \`${right}\`: ${consequence}`,
    })
  }
}

function versionFindings(version: string | undefined): EnrolmentFinding[] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? []
  if (major === undefined || minor === undefined) return []
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])
  if (!isOld) return []
  return [
    {
      severity: 'warning',
      code: 'version',
      message: `RouterOS ${version} is older than ${OLDEST.join('.')}, the oldest version that is tested`,
    },
  ]
}

function deviceModeFindings(row: RouterRow | undefined): EnrolmentFinding[] {
  if (row === undefined) return []
  const findings: EnrolmentFinding[] = Object.entries(FEATURES).flatMap(([feature, consequence]) => {
    if (parseBoolean(row[feature] ?? '') !== false) return []
    return [
      {
        severity: 'info' as const,
        code: 'deviceMode' as const,
        subject: feature,
        message:
          `the device-mode \`${row.mode ?? 'unknown'}\` forbids ${feature}: ${consequence}; ` +
          'it is changed on the device itself, with its button or power',
      },
    ]
  })
  if (parseBoolean(row.flagged ?? '') === true)
    findings.push({
      severity: 'warning',
      code: 'flagged',
      message:
        'the router has flagged its configuration as suspicious, and refuses some of it: look for changes that nobody made',
    })
  return findings
}

function serviceFindings(rows: readonly RouterRow[]): EnrolmentFinding[] {
  const findings: EnrolmentFinding[] = []
  const isOn = (name: string) => rows.find((row) => row.name === name && parseBoolean(row.disabled ?? 'false') !== true)
  const [plain, secure] = [isOn('api'), isOn('api-ssl')]
  const add = (subject: string, message: string) =>
    findings.push({ severity: 'warning', code: 'service', subject, message })
  if (plain !== undefined)
    add('api', 'the plain API is on, which takes passwords in clear text: switch it off where API-SSL is used')
  if (secure !== undefined && (secure.certificate ?? 'none') === 'none')
    add('api-ssl', 'API-SSL has no certificate, so that nothing shows which router answers: give it one')
  for (const service of [plain, secure])
    if (service !== undefined && (service.address ?? '') === '')
      add(service.name ?? '', `the service ${service.name} takes connections from everywhere: limit it by address=`)
  return findings
}
