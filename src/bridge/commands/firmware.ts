import { sleep } from '../../base/index.ts'
import type { RouterRow } from '../../routeros/index.ts'
import { AgentError, type CommandCall, type CommandResult } from '../../usp/index.ts'
import { failureOf } from '../write/router-failure.ts'
import { allowedUrl, badArgument, isSet } from './arguments.ts'
import { type BridgeCommand, type CommandTools, ownCommand } from './command.ts'
import { DOWNLOAD_MS, fetchFile, merged } from './fetch-file.ts'
import { restart } from './restarts.ts'

const IMAGE = 'Device.DeviceInfo.FirmwareImage.{i}.'
/** A URL that means the update channel of MikroTik instead of a file. */
const CHANNEL_URL = /^routeros-channel:(stable|long-term|testing|development)$/
/** The command that downloads nothing. */
const CHECK = 'X_MIKROTIK_CheckForUpdates()'
const CHECK_MS = 60_000
/** The longest wait for the start of a time window, in seconds: one week. */
const MAX_START = 604_800

/** Firmware by the update channel, or from a server of the operator (TR-181 Device.DeviceInfo.FirmwareImage). */
export const FIRMWARE: readonly BridgeCommand[] = [
  {
    object: IMAGE,
    name: 'Download()',
    needs: ['/system/package/update'],
    // The router installs a file of any server; that of the channel is signed and chosen by MikroTik.
    level: ({ args }) => (CHANNEL_URL.test(args.URL ?? '') && !['true', '1'].includes(args.AutoActivate ?? '') ? 2 : 3),
    prepare: prepareDownload,
  },
  {
    object: IMAGE,
    name: 'Activate()',
    needs: ['/system/package/update'],
    level: () => 3,
    prepare: prepareActivate,
  },
  {
    object: 'Device.DeviceInfo.',
    name: CHECK,
    own: {
      ...ownCommand(CHECK, true),
      output: ['Status', 'Channel', 'InstalledVersion', 'LatestVersion'].map((name) => ({ name, type: 'string' })),
    },
    needs: ['/system/package/update'],
    level: () => 1,
    prepare: prepareCheck,
  },
]

/** Asks the update server of MikroTik for the newest version of the channel that is set. */
async function prepareCheck({ signal }: CommandCall, { router, rows }: CommandTools) {
  const command = rows.words.run('/system/package/update', 'check-for-updates')
  return async (): Promise<CommandResult> => {
    const found = merged((await router.command(command, { signal, deadlineMs: CHECK_MS })).rows)
    return {
      output: {
        Status: found.status ?? '',
        Channel: found.channel ?? '',
        InstalledVersion: found['installed-version'] ?? '',
        LatestVersion: found['latest-version'] ?? '',
      },
    }
  }
}

async function prepareDownload(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  checkImage(call)
  const activates = isSet(call, 'AutoActivate')
  for (const name of ['Username', 'Password'])
    if ((call.args[name] ?? '') !== '') throw badArgument(name, 'must be empty: the router sends no credentials')
  if ((call.args.CheckSum ?? '') !== '')
    throw badArgument('CheckSum', 'must be empty: the router cannot verify it, and installs signed packages only')
  const channel = CHANNEL_URL.exec(call.args.URL ?? '')?.[1]
  const download = channel === undefined ? await fromServer(call, tools) : () => fromChannel(channel, call, tools)
  return async () => {
    try {
      await download()
    } catch (error) {
      const { code, message } = failureOf(error, 'operate')
      // 9010: the download failed (TR-181 TransferComplete!).
      throw new AgentError(code, message, 9010)
    }
    return activates ? { output: {}, afterwards: () => activate(call, tools) } : { output: {} }
  }
}

/** Only the row of the target can be downloaded and activated: the other is the version that runs. */
function checkImage({ object }: CommandCall): void {
  if (object.split('.').at(-2) === '1') throw new AgentError(7022, 'image 1 is the one that runs; use image 2')
}

async function fromChannel(channel: string, { signal }: CommandCall, { router, rows }: CommandTools): Promise<void> {
  const { words } = rows
  await router.command(words.set('/system/package/update', undefined, { channel }), { signal })
  const check = await router.command(words.run('/system/package/update', 'check-for-updates'), {
    signal,
    deadlineMs: CHECK_MS,
  })
  // The command reports its progress; the last row is its result.
  const found = merged(check.rows)
  const [installed, latest] = [found['installed-version'], found['latest-version']]
  if (latest === undefined || latest === '')
    throw new AgentError(7022, `the router found no version in the channel: ${found.status ?? 'it gave no reason'}`)
  if (installed === latest) throw new AgentError(7022, `the router runs the version of the channel already, ${latest}`)
  checkMajor(installed, latest)
  const done = merged(
    (await router.command(words.run('/system/package/update', 'download'), { signal, deadlineMs: DOWNLOAD_MS })).rows,
  )
  if (!/downloaded/i.test(done.status ?? ''))
    throw new AgentError(7022, `the download failed: ${done.status ?? 'the router gave no reason'}`)
}

/** Checks a URL and resolves with the work that loads it. */
async function fromServer(call: CommandCall, tools: CommandTools): Promise<() => Promise<void>> {
  const { rows, policy } = tools
  const url = allowedUrl(call, policy.firmwareHosts, 'firmware hosts')
  const file = url.pathname.split('/').at(-1) ?? ''
  const [resource = {}] = await rows.all('/system/resource', ['version', 'architecture-name'])
  const running = (resource.version ?? '').split(' ')[0]
  const named = packageOf(file, resource['architecture-name'] ?? '')
  if (named === undefined)
    throw badArgument('URL', `must end in a package for ${resource['architecture-name']}, e.g. ${exampleOf(resource)}`)
  checkMajor(running, named)
  const load = await fetchFile(url, file, call, tools)
  const others = await extraPackages(tools, running)
  if (others.length > 0)
    throw new AgentError(7022, `the router has other packages, which one file does not update: ${others.join(', ')}`)
  const size = call.args.FileSize ?? ''
  return async () => {
    const stored = await load()
    if (size !== '' && size !== '0' && stored.size !== size)
      throw new AgentError(7022, `the file has ${stored.size} bytes instead of ${size}`)
  }
}

/** The version in the name of a package for an architecture; undefined when it is another name. */
function packageOf(file: string, architecture: string): string | undefined {
  const version = String.raw`(\d+\.\d+(?:\.\d+)?(?:(?:beta|rc)\d+)?)`
  const arch = architecture.replaceAll(/[^a-z0-9_]/gi, '')
  const forms = [
    `^routeros-${version}-${arch}\\.npk$`,
    `^routeros-${arch}-${version}\\.npk$`,
    ...(/^x86/.test(arch) ? [`^routeros-${version}\\.npk$`] : []),
  ]
  return forms.map((form) => new RegExp(form).exec(file)?.[1]).find((found) => found !== undefined)
}

function exampleOf({ version = '', 'architecture-name': architecture = '' }: RouterRow): string {
  const number = version.split(' ')[0]
  return version.startsWith('6') ? `routeros-${architecture}-${number}.npk` : `routeros-${number}-${architecture}.npk`
}

function checkMajor(running: string | undefined, next: string): void {
  const major = (text = '') => text.split('.')[0]
  if (major(running) !== major(next))
    throw new AgentError(7022, `the bridge does not change the major version, from ${running} to ${next}`)
}

/** Packages beside the main one, as version 7 has them. In version 6 the main package has all of them. */
async function extraPackages({ rows }: CommandTools, running = ''): Promise<string[]> {
  if (running.startsWith('6')) return []
  const packages = await rows.all('/system/package', ['name', 'disabled', 'available'])
  return packages.flatMap(({ name, disabled, available }) =>
    name === undefined || name === 'routeros' || disabled === 'true' || available === 'true' ? [] : [name],
  )
}

async function prepareActivate(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  checkImage(call)
  const startS = startOf(call)
  if (!(await isDownloaded(tools))) throw new AgentError(7022, 'no image is downloaded')
  return async () => {
    if (startS > 0) await sleep(tools.clock, startS * 1000, call.signal)
    if (!(await isDownloaded(tools))) throw new AgentError(7022, 'the downloaded image is not there any more')
    return { output: {}, afterwards: () => activate(call, tools) }
  }
}

/** Seconds until the first time window. Other modes than these need somebody at the router. */
function startOf({ args }: CommandCall): number {
  const windows = Object.keys(args).flatMap((name) => /^TimeWindow\.(\d+)\.Start$/.exec(name)?.[1] ?? [])
  const first = windows.map(Number).sort((a, b) => a - b)[0]
  if (first === undefined) throw badArgument('TimeWindow.1.Start', 'is missing')
  const [start = '', end = '', mode = ''] = ['Start', 'End', 'Mode'].map((name) => args[`TimeWindow.${first}.${name}`])
  if (!/^\d{1,9}$/.test(start) || Number(start) > MAX_START)
    throw badArgument(`TimeWindow.${first}.Start`, `must be at most ${MAX_START} s`)
  if (!/^\d{1,9}$/.test(end) || Number(end) < Number(start))
    throw badArgument(`TimeWindow.${first}.End`, 'must not be before Start')
  if (mode !== 'AnyTime' && mode !== 'Immediately')
    throw badArgument(`TimeWindow.${first}.Mode`, 'must be AnyTime or Immediately')
  return Number(start)
}

async function isDownloaded({ rows }: CommandTools): Promise<boolean> {
  const [update] = await rows.all('/system/package/update', ['status'])
  if (/downloaded/i.test(update?.status ?? '')) return true
  return (await rows.all('/file', ['name'])).some(({ name = '' }) => /^routeros-[\w.-]+\.npk$/.test(name))
}

/** Restarts into the image. Since 7.18 a restart alone installs nothing that is scheduled. */
function activate({ commandKey }: CommandCall, tools: CommandTools): void {
  const why = { cause: 'RemoteReboot', commandKey } as const
  restart(tools.rows.words.run('/system', 'reboot'), tools, why)
}
