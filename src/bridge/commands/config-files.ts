import { AgentError, type CommandCall, type CommandResult } from '../../usp/index.ts'
import { allowedUrl, badArgument, rowOf } from './arguments.ts'
import type { BridgeCommand, CommandTools } from './command.ts'

const FILE = 'Device.DeviceInfo.VendorConfigFile.{i}.'

/**
 * Backup() and Restore() (TR-181 Device.DeviceInfo.VendorConfigFile). A backup has secrets: it is made with a password
 * only, and goes to hosts of the operator. The API of RouterOS has no transfer of files, so that after its checks
 * a call is refused.
 */
export const CONFIG_FILES: readonly BridgeCommand[] = [
  { object: FILE, name: 'Backup()', needs: ['/system/resource'], level: () => 2, prepare },
  { object: FILE, name: 'Restore()', needs: ['/system/resource'], level: () => 3, prepare },
]

async function prepare(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  await rowOf(call, tools)
  allowedUrl(call, tools.policy.backupHosts, 'backup hosts')
  const password = call.args.Password ?? ''
  if (Buffer.byteLength(password) < 8 || Buffer.byteLength(password) > 64)
    throw badArgument('Password', 'must have 8 to 64 bytes: a backup is encrypted with it')
  throw new AgentError(7022, 'the connection to this router has no transfer of files, so that no backup can be moved')
}
