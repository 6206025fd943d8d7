import { AgentError, type CommandCall, type CommandResult } from '../../usp/index.ts'
import { failureOf, isOpen } from '../write/router-failure.ts'
import { allowedUrl, badArgument, rowOf } from './arguments.ts'
import type { BridgeCommand, CommandTools } from './command.ts'
import { fetchFile } from './fetch-file.ts'

const FILE = 'Device.DeviceInfo.VendorConfigFile.{i}.'
/** A URL that means a backup on the router itself, in one of nine places. */
const ON_ROUTER = /^routeros-file:([1-9])$/
/** The file that a backup of a server is loaded into. */
const LOADED = 'isthmus-restore.backup'
/** Milliseconds for a backup of a large configuration on slow flash. */
const SAVE_MS = 60_000
/** Milliseconds for the answer to a load: the router may drop the connection, or say nothing at all. */
const LOAD_MS = 30_000

/**
 * Backup() and Restore() (TR-181 Device.DeviceInfo.VendorConfigFile). A backup has secrets: it is encrypted with the
 * password of the call. It stays on the router, because the connection has no transfer of files; one of a server of the
 * operator is loaded by the router itself. RouterOS restarts into a backup that it has loaded.
 */
export const CONFIG_FILES: readonly BridgeCommand[] = [
  { object: FILE, name: 'Backup()', needs: ['/system/resource'], level: () => 2, prepare: prepareBackup },
  { object: FILE, name: 'Restore()', needs: ['/system/resource'], level: () => 3, prepare: prepareRestore },
]

async function prepareBackup(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  const password = await passwordOf(call, tools)
  const file = placeOf(call)
  if (file === undefined) {
    allowedUrl(call, tools.policy.backupHosts, 'backup hosts')
    throw new AgentError(
      7022,
      'the connection to this router has no transfer of files: keep the backup on the router, with URL routeros-file:1 to :9',
    )
  }
  const { router, rows } = tools
  const save = { name: file, password, encryption: 'aes-sha256' }
  const command = rows.words.run('/system/backup', 'save', save)
  return async () => {
    await router.command(command, { signal: call.signal, deadlineMs: SAVE_MS })
    if (!(await isThere(file, tools))) throw new AgentError(7022, 'the backup is not on the router')
    return { output: {} }
  }
}

async function prepareRestore(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  const password = await passwordOf(call, tools)
  const place = placeOf(call)
  const url = place === undefined ? allowedUrl(call, tools.policy.backupHosts, 'backup hosts') : undefined
  const command = tools.rows.words.run('/system/backup', 'load', { name: place ?? LOADED, password })
  if (place !== undefined && !(await isThere(place, tools)))
    throw new AgentError(7022, 'there is no backup in this place of the router')
  const get = url === undefined ? async () => undefined : await fetchFile(url, LOADED, call, tools)
  return async () => {
    await get()
    try {
      await tools.router.command(command, { deadlineMs: LOAD_MS })
    } catch (error) {
      // A router that drops the connection or says nothing restarts into the backup.
      if (!isOpen(error)) throw failureOf(error, 'operate')
    }
    tools.onRestart({ cause: 'RemoteReboot', commandKey: call.commandKey })
    return { output: {} }
  }
}

/** The name of the backup in the place that a URL names; undefined for a URL of a server. */
function placeOf({ args }: CommandCall): string | undefined {
  const place = ON_ROUTER.exec(args.URL ?? '')?.[1]
  return place === undefined ? undefined : `isthmus-${place}.backup`
}

/** Checks what both have; resolves with the password. */
async function passwordOf(call: CommandCall, tools: CommandTools): Promise<string> {
  await rowOf(call, tools)
  const password = call.args.Password ?? ''
  if (Buffer.byteLength(password) < 8 || Buffer.byteLength(password) > 64)
    throw badArgument('Password', 'must have 8 to 64 bytes: a backup is encrypted with it')
  return password
}

async function isThere(file: string, { rows }: CommandTools): Promise<boolean> {
  return (await rows.all('/file', ['name'])).some(({ name }) => name === file)
}
